// My tracks: what this person has uploaded, and what can be done with it.

import { send } from "../api.js";
import { ask } from "../dialog.js";
import { clockText, el, name } from "../dom.js";
import { pagedList, rested } from "../lists.js";
import { attempt, notice } from "../notices.js";
import { heart } from "./favorites.js";
import { uploadPanel } from "./uploads.js";

const title = (text, attributes, value) => el("label", {}, text, el("input", { dir: "auto", autocomplete: "off", value, ...attributes }));

/** Title and artist with the picture: how a track stands in a list. */
export const trackFace = (track) => [
  el("img", { class: "cover tiny", alt: "", loading: "lazy", src: track.has_cover ? `/api/tracks/${track.track_id}/cover?size=small` : "/web/icon.svg" }),
  el("span", { class: "grow" }, el("span", { class: "block" }, name(track.title)), track.artist ? el("span", { class: "quiet" }, name(track.artist)) : null),
];

/** A button that queues a track in the room that this page is in; nothing if it is in none. */
export function queueButton({ places }, track) {
  const { room } = places;
  if (!room?.standing.mayQueue) return null;
  const queue = async (event) => {
    const done = await attempt(() => room.command({ type: "queue.add", track_id: track.track_id }), event.target.closest("li"));
    if (done) notice(`Queued: ${track.title}`);
  };
  return el("button", { type: "button", "data-act": "queue", "aria-label": `Add to the queue: ${track.title}`, onclick: queue }, "Add to queue");
}

const rename = (track) => ask({
  id: "track-form",
  title: "What this track is called",
  fields: [title("Title", { name: "title", required: true, maxlength: 200 }, track.title),
    title("Artist", { name: "artist", maxlength: 200 }, track.artist),
    title("Album", { name: "album", maxlength: 200 }, track.album)],
  label: "Save", cancel: "Cancel",
  act: (typed) => send("PATCH", `/tracks/${track.track_id}`, typed),
});

const remove = (track) => ask({
  id: "delete-track",
  title: `Delete ${track.title}?`,
  why: "It leaves every queue at once, also where it is playing. This cannot be undone.",
  fields: [], label: "Delete", cancel: "Keep it",
  act: async () => { await send("DELETE", `/tracks/${track.track_id}`); return true; },
});

function row(page, track, changed) {
  const act = (key, label, run) => el("button", {
    id: `${key}-${track.track_id}`, type: "button", "data-act": key, "aria-label": `${label}: ${track.title}`,
    onclick: async () => { if (await run(track)) await changed(); },
  }, label);
  return el("li", { class: "row track", "data-track": track.track_id }, ...trackFace(track),
    el("span", { class: "quiet" }, clockText(track.duration_ms)),
    track.rendition ? null : el("span", { class: "badge" }, "being analysed"),
    el("span", { class: "acts" }, heart(page, track), queueButton(page, track), act("rename", "Rename", rename), act("delete", "Delete", remove)));
}

export async function showTracks(page) {
  const { me, uploads } = page;
  const search = el("input", { type: "search", id: "search-tracks", maxlength: 100, dir: "auto", placeholder: "Find in my tracks", "aria-label": "Find in my tracks" });
  const tracks = pagedList({ id: "my-tracks", "aria-label": "My tracks" }, {
    path: () => `/tracks?uploaded_by=${me.user_id}&query=${encodeURIComponent(search.value.trim())}`,
    row: (track) => row(page, track, again),
    empty: "No tracks here yet.",
  });
  const again = () => attempt(tracks.refresh, card);
  const upload = uploadPanel(page);
  search.oninput = rested(again);
  const card = el("section", { class: "card" }, search, tracks.node);
  // A track shows when it has arrived, and without its badge when it was analysed.
  const arrived = () => uploads.items.filter(({ state }) => state === "analysing" || state === "done").map(({ key, state }) => key + state).join();
  let before = arrived();
  const look = () => {
    if (arrived() !== before) again();
    before = arrived();
  };
  uploads.addEventListener("change", look);
  await Promise.all([tracks.refresh(), page.favorites.read()]);
  return {
    node: el("div", { class: "column" }, el("h1", {}, "My tracks"), el("section", { class: "card" }, upload.node), card),
    close() {
      uploads.removeEventListener("change", look);
      upload.close();
    },
  };
}
