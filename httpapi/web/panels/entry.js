// One row of the queue: the track, who added it, and what this person may do with it.

import { clockText, el, name } from "../dom.js";
import { place } from "../folds/queue.js";
import { attempt } from "../notices.js";
import { entryVotes } from "./votes.js";

const RULED = new Set(["votes", "fair"]); // the room itself orders the queue

/** Which buttons a row has, as a short text: what changes it makes the row new. */
export function offers({ store, standing }, entry) {
  const { queue, room } = store.snapshot;
  const index = place(queue, entry.entry_id);
  const moves = !RULED.has(room.settings.queue_mode) && standing.mayWith(entry.added_by, "place", "arrange");
  return [
    standing.may("skip") && "now", moves && index > 0 && "next", moves && index > 0 && "up",
    moves && index < queue.length - 1 && "down", standing.mayWith(entry.added_by, "add", "arrange") && "remove",
    standing.may("vote") && "vote",
  ].filter(Boolean).join(" ");
}

export function entryRow(room, entry) {
  const { entry_id: entryId, track, added_by: by, again } = entry;
  const { store } = room;
  const offered = new Set(offers(room, entry).split(" "));
  const queue = () => store.snapshot.queue;
  const move = (after) => room.command({ type: "queue.move", entry_id: entryId, after });
  /** Behind what stands at an index now; -1: first. */
  const behind = (index) => move(index < 0 ? null : queue()[index].entry_id);
  const index = () => place(queue(), entryId);
  // What is about to start stays first: "next" is the first place behind it.
  const agreed = () => place(queue(), store.snapshot.playback.upcoming.at(-1)?.entry_id);
  const ACTS = {
    now: ["Play now", "▶", () => room.command({ type: "playback.play_entry", entry_id: entryId })],
    next: ["Play next", "⤒", () => move(null).catch((problem) => {
      if (problem.code !== "entry_starting" || agreed() < 0) throw problem;
      return behind(agreed());
    })],
    up: ["Up", "↑", () => index() > 0 && behind(index() - 2)],
    down: ["Down", "↓", () => index() < queue().length - 1 && behind(index() + 1)],
    remove: ["Remove", "✕", () => room.command({ type: "queue.remove", entry_id: entryId })],
  };
  const INSTEAD = { next: "now", up: "down", down: "up" }; // where the focus goes at the end of the list
  const button = (key) => {
    const [label, sign, act] = ACTS[key];
    return el("button", {
      id: `${key}-${entryId}`, class: "sign", "data-act": key, title: label,
      "data-instead": INSTEAD[key] && `${INSTEAD[key]}-${entryId}`,
      "aria-label": `${label}: ${track.title}`, onclick: () => attempt(act, row),
    }, sign);
  };
  const row = el("li", { class: "row entry", "data-entry": entryId },
    el("span", { class: "grow" }, el("span", { class: "block" }, name(track.title)),
      el("span", { class: "quiet" }, track.artist ? name(track.artist) : null, track.artist ? " · " : null,
        again ? "again, from " : "from ", name(by.display_name))),
    el("span", { class: "quiet" }, clockText(track.duration_ms)),
    entryVotes(room, entry, () => row),
    el("span", { class: "acts" }, ...Object.keys(ACTS).filter((key) => offered.has(key)).map(button)));
  draggable(row, entryId, offered.has("up") || offered.has("down"), (other) => attempt(() => {
    const [from, to] = [place(queue(), other), index()];
    if (from < 0 || to < 0) return undefined;
    return room.command({ type: "queue.move", entry_id: other, after: from < to ? entryId : queue()[to - 1]?.entry_id ?? null });
  }, row));
  return row;
}

/** Let go on another row, an entry takes that row's place. The buttons do the same by keyboard. */
function draggable(row, entryId, mine, dropped) {
  row.draggable = mine;
  row.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData("text/x-entry", entryId);
    event.dataTransfer.effectAllowed = "move";
  });
  row.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("text/x-entry")) return;
    event.preventDefault();
    row.classList.add("over");
  });
  for (const kind of ["dragleave", "drop", "dragend"]) row.addEventListener(kind, () => row.classList.remove("over"));
  row.addEventListener("drop", (event) => {
    event.preventDefault();
    const other = event.dataTransfer.getData("text/x-entry");
    if (other && other !== entryId) dropped(other);
  });
}
