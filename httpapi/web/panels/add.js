// Adding to the queue: a track of this server, or files of one's own.

import { get } from "../api.js";
import { clockText, el } from "../dom.js";
import { rested } from "../lists.js";
import { attempt, notice } from "../notices.js";
import { uploadPanel } from "./uploads.js";

const SHOWN = 100;
const label = (track) =>
  `${track.title}${track.artist ? ` — ${track.artist}` : ""} (${clockText(track.duration_ms)})`;

export function addPanel(room) {
  const tracks = el("select", { id: "tracks", "aria-label": "Tracks on this server" });
  const add = el("button", { id: "add" }, "Add to queue");
  const search = el("input", { type: "search", id: "find", maxlength: 100, dir: "auto", placeholder: "Find music here", "aria-label": "Find music on this server by title or artist" });

  const queue = (trackId) => attempt(() => room.command({ type: "queue.add", track_id: trackId }), node);
  add.onclick = () => tracks.value && queue(tracks.value);
  search.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());

  async function refresh(chosen = tracks.value) {
    const asked = search.value.trim();
    const { items } = await get(`/tracks?limit=${SHOWN}&query=${encodeURIComponent(asked)}`);
    if (asked !== search.value.trim()) return;
    tracks.replaceChildren(...items.map((track) => el("option", { value: track.track_id }, label(track))));
    if (!items.length) tracks.replaceChildren(el("option", { value: "" }, asked ? "Nothing of that name" : "No music here yet"));
    else if (items.some((track) => track.track_id === chosen)) tracks.value = chosen;
    tracks.disabled = add.disabled = !items.length;
  }
  search.oninput = rested(() => attempt(refresh, node));

  const uploads = uploadPanel(room.page, async (track) => {
    notice(`Uploaded: ${track.title}`);
    await queue(track.track_id);
    await attempt(() => refresh(track.track_id), node);
  }, "done");
  const node = el("div", { class: "add" }, search,
    el("div", { class: "row" }, el("span", { class: "grow" }, tracks), add), uploads.node);
  attempt(refresh, node);
  return { node, close: uploads.close };
}
