// What was heard: my plays and favourites, and what was played in a room.

import { el, name, when } from "../dom.js";
import { listDialog, pagedList } from "../lists.js";
import { heart } from "./favorites.js";
import { queueButton, trackFace } from "./tracks.js";

const row = (page, track, ...told) => el("li", { class: "row track", "data-track": track.track_id }, ...trackFace(track),
  el("span", { class: "quiet" }, ...told), el("span", { class: "acts" }, heart(page, track), queueButton(page, track)));

/** A button that lists what was played in the room, the newest first. */
export const playedButton = (room) => listDialog("played", "What was played", {
  path: () => `/rooms/${room.store.roomId}/history`,
  row: ({ track, started_at: at, ended_at: end, added_by: by }) =>
    row(room.page, track, end ? when(at) : "playing now", " · from ", name(by.display_name)),
  empty: "Nothing was played yet.",
});

export async function showHistory(page) {
  const plays = pagedList({ id: "plays", "aria-labelledby": "plays-title" }, {
    path: () => "/history/me",
    row: ({ track, played_at: at, room_name: room }) => row(page, track, when(at), room ? " · in " : "", room ? name(room) : ""),
    empty: "Nothing yet. A track longer than 30 seconds counts when you have heard half of it, or four minutes.",
  });
  const liked = pagedList({ id: "liked-list", "aria-labelledby": "liked-title" }, {
    path: () => "/favorites/me",
    row: ({ track, added_at: at }) => row(page, track, `since ${when(at)}`),
    empty: "No favourites yet. The heart beside a track makes it one.",
  });
  await page.favorites.read();
  await Promise.all([plays.refresh(), liked.refresh()]);
  const card = (id, title, list) => el("section", { class: "card" }, el("h2", { id }, title), list.node);
  return {
    node: el("div", { class: "column" }, el("h1", {}, "History"),
      el("div", { class: "room" }, card("plays-title", "What I heard", plays), card("liked-title", "My favourites", liked))),
  };
}
