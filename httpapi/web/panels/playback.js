// What plays, where it is, and the buttons.

import { clockText, el, name } from "../dom.js";
import { attempt } from "../notices.js";
import { entryDurationMs, positionAt } from "../store.js";

const DRAWN_EVERY_MS = 250;

export function playbackPanel(room) {
  const { store, clock, player } = room;
  const title = el("div", { id: "now-title" });
  const cover = el("img", { class: "cover", alt: "" });
  const state = el("div", { class: "quiet", id: "now-state" });
  const seek = el("input", { type: "range", min: 0, step: 100, "aria-label": "Position" });
  const times = el("span", { class: "quiet" });
  const toggle = el("button", { class: "main", id: "toggle" });
  const next = el("button", { id: "next" }, "Next");
  const volume = el("input", { type: "range", min: 0, max: 1, step: 0.01, value: 1, "aria-label": "Volume on this device" });
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
    title.replaceChildren(entry ? el("strong", {}, name(entry.track.title)) : "Nothing is playing",
      el("br"), name(entry?.track.artist ?? ""));
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
    const { playback } = store.snapshot;
    const duration = entryDurationMs(playback.entry);
    const position = positionAt(playback, clock.nowMs());
    if (!dragging) { seek.max = duration; seek.value = position; }
    times.textContent = `${clockText(position)} / ${clockText(duration)}`;
    const error = player.errorMs == null ? "" : ` · in tune within ${Math.abs(player.errorMs).toFixed(1)} ms`;
    state.textContent = { waiting: "Loading …", paused: "Paused", idle: "", playing: `Playing${error}` }[playback.status];
  }

  store.addEventListener("change", draw);
  const timer = setInterval(tick, DRAWN_EVERY_MS);
  draw();
  const node = el("section", { class: "card", id: "playback" },
    el("div", { class: "now" }, cover, el("div", {}, title, state)),
    seek, el("div", { class: "row" }, toggle, next, times, el("label", { class: "end" }, "Volume", volume)));
  return { node, close: () => { clearInterval(timer); store.removeEventListener("change", draw); } };
}
