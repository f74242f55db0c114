// What plays, where it is, and the buttons.

import { clockText, el, keepFocus, name } from "../dom.js";
import { entryDurationMs, positionAt } from "../fold.js";
import { attempt } from "../notices.js";
import { heart } from "./favorites.js";
import { reactionBar } from "./reactions.js";
import { tunePanel } from "./tune.js";
import { skipButton } from "./votes.js";

const DRAWN_EVERY_MS = 250;

export function playbackPanel(room) {
  const { store, clock, player, standing, page: { favorites } } = room;
  const title = el("div", { id: "now-title" });
  const cover = el("img", { class: "cover", alt: "" });
  const state = el("div", { class: "quiet", id: "now-state" });
  const seek = el("input", { type: "range", id: "seek", min: 0, step: 100, "aria-label": "Position" });
  const where = el("progress", { id: "where", "aria-label": "Position" });
  const times = el("bdi", { class: "quiet", id: "times", dir: "ltr" });
  const toggle = el("button", { class: "main", id: "toggle" });
  const volume = el("input", { type: "range", id: "volume", min: 0, max: 1, step: 0.01 });
  const skip = skipButton(room, () => node);
  const reactions = reactionBar(room);
  const tune = tunePanel(room);
  const like = el("span", {}); // the heart of what plays
  volume.value = player.volume;
  let dragging = false;
  let liked; // the track whose heart is shown, and how
  let wasLiked = false;

  const current = () => store.snapshot.playback.entry?.entry_id;
  const act = (type, more = {}) => attempt(() => room.command({ type, entry_id: current(), ...more }), node);
  toggle.onclick = () => act(store.snapshot.playback.status === "playing" ? "playback.pause" : "playback.play");
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
      el("span", { class: "quiet" }, entry ? name(entry.track.artist) : queue.length ? "" : "Add a track to begin."),
      entry ? el("span", { class: "quiet" }, "from ", name(entry.added_by.display_name), entry.again ? ", again" : "") : "");
    const source = entry?.track.has_cover ? `/api/tracks/${entry.track.track_id}/cover` : "/web/icon.svg";
    if (cover.getAttribute("src") !== source) cover.src = source;
    if (entry?.track.track_id !== liked || favorites.has(liked) !== wasLiked) {
      liked = entry?.track.track_id;
      wasLiked = favorites.has(liked);
      keepFocus(() => like.replaceChildren(entry ? heart(room.page, entry.track, "like") : ""));
    }
    toggle.textContent = status === "playing" ? "Pause" : "Play";
    toggle.disabled = status === "waiting" || (!entry && !queue.length);
    toggle.hidden = !standing.may("control");
    seek.disabled = !entry || status === "waiting";
    seek.hidden = toggle.hidden;
    where.hidden = !toggle.hidden;
    skip.draw();
    reactions.draw();
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
    where.max = Math.max(1, duration);
    where.value = position;
    seek.setAttribute("aria-valuetext", clockText(dragging ? Number(seek.value) : position));
    times.textContent = `${clockText(position)} / ${clockText(duration)}`;
    state.textContent = suspended ? "Asleep" : word(playback);
  }

  function word({ status, entry }) {
    if (status !== "playing") return { waiting: "Loading …", paused: "Paused", idle: "" }[status];
    if (!player.unlocked) return "Playing; silent here";
    const isOriginal = player.isOriginal(entry.track.track_id);
    // A long one is not sounded before it is prepared: decoded as a whole it would fill the memory.
    if (player.tuning === "loading") return isOriginal && !player.isReady(entry.track.track_id) ? "Being prepared …" : "Loading …";
    const within = `within ${Math.abs(player.errorMs).toFixed(1)} ms`;
    // What was uploaded may begin some ms elsewhere, by how a browser cuts what compression has added.
    if (isOriginal) return `In tune ${within}; being prepared, so not exact yet`;
    return player.tuning === "catching_up" ? `Catching up, ${within}` : `In tune ${within}`;
  }

  const node = el("section", { class: "card", id: "playback", "aria-label": "Playback" },
    el("div", { class: "now" }, cover, el("div", { class: "grow" }, title, state), like),
    seek, where, el("div", { class: "row" }, toggle, ...skip.nodes, times,
      el("label", { class: "end volume" }, "Volume here", volume)), reactions.node, tune.node);
  store.addEventListener("change", draw);
  favorites.addEventListener("change", draw);
  favorites.read();
  const timer = setInterval(tick, DRAWN_EVERY_MS);
  draw();
  return {
    node,
    close() {
      clearInterval(timer);
      store.removeEventListener("change", draw);
      favorites.removeEventListener("change", draw);
      reactions.close();
      tune.close();
    },
  };
}
