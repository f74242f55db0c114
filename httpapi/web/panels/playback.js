// What plays, where it is, and the buttons.

import { clockText, el, name } from "../dom.js";
import { entryDurationMs, positionAt } from "../fold.js";
import { attempt } from "../notices.js";

const DRAWN_EVERY_MS = 250;

export function playbackPanel(room) {
  const { store, clock, player } = room;
  const title = el("div", { id: "now-title" });
  const cover = el("img", { class: "cover", alt: "" });
  const state = el("div", { class: "quiet", id: "now-state" });
  const seek = el("input", { type: "range", id: "seek", min: 0, step: 100, "aria-label": "Position" });
  const times = el("bdi", { class: "quiet", id: "times", dir: "ltr" });
  const toggle = el("button", { class: "main", id: "toggle" });
  const next = el("button", { id: "next" }, "Next");
  const volume = el("input", { type: "range", id: "volume", min: 0, max: 1, step: 0.01 });
  volume.value = player.volume;
  let dragging = false;

  const current = () => store.snapshot.playback.entry?.entry_id;
  const act = (type, more = {}) => attempt(() => room.command({ type, entry_id: current(), ...more }));
  toggle.onclick = () => act(store.snapshot.playback.status === "playing" ? "playback.pause" : "playback.play");
  next.onclick = () => act("playback.next");
  volume.oninput = () => { player.volume = Number(volume.value); };
  seek.oninput = () => { dragging = true; };
  seek.onchange = async () => {
    await act("playback.seek", { position_ms: Number(seek.value) });
    dragging = false;
  };

  function draw() {
    const { playback, queue } = store.snapshot;
    const { entry, status } = playback;
    title.replaceChildren(
      el("strong", {}, entry ? name(entry.track.title) : "Nothing is playing"),
      el("span", { class: "quiet" }, entry ? name(entry.track.artist) : queue.length ? "" : "Add a track to begin."));
    const source = entry?.track.has_cover ? `/api/tracks/${entry.track.track_id}/cover` : "/web/icon.svg";
    if (cover.getAttribute("src") !== source) cover.src = source;
    toggle.textContent = status === "playing" ? "Pause" : "Play";
    toggle.disabled = status === "waiting" || (!entry && !queue.length);
    next.disabled = !entry;
    seek.disabled = !entry || status === "waiting";
    tick();
  }

  function tick() {
    if (!store.snapshot || !clock.ready) return;
    const { playback, suspended } = store.snapshot;
    const duration = entryDurationMs(playback.entry);
    const position = positionAt(playback, clock.nowMs());
    if (!dragging) {
      seek.max = duration;
      seek.value = position;
    }
    seek.setAttribute("aria-valuetext", clockText(dragging ? Number(seek.value) : position));
    times.textContent = `${clockText(position)} / ${clockText(duration)}`;
    state.textContent = suspended ? "Asleep" : word(playback);
  }

  function word({ status, entry }) {
    if (status !== "playing") return { waiting: "Loading …", paused: "Paused", idle: "" }[status];
    if (!player.unlocked) return "Playing; silent here";
    if (!player.isReady(entry.track.track_id)) return "Loading …";
    return player.errorMs === null ? "Playing" : `In tune within ${Math.abs(player.errorMs).toFixed(1)} ms`;
  }

  store.addEventListener("change", draw);
  const timer = setInterval(tick, DRAWN_EVERY_MS);
  draw();
  const node = el("section", { class: "card", id: "playback", "aria-label": "Playback" },
    el("div", { class: "now" }, cover, el("div", { class: "grow" }, title, state)),
    seek, el("div", { class: "row" }, toggle, next, times,
      el("label", { class: "end volume" }, "Volume here", volume)));
  return { node, close: () => { clearInterval(timer); store.removeEventListener("change", draw); } };
}
