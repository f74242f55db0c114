// The list of rooms: found, sorted, one's own; and making one.

import { send } from "../api.js";
import { el, name, select } from "../dom.js";
import { pagedList, rested } from "../lists.js";
import { attempt } from "../notices.js";
import { VISIBILITIES } from "./settings.js";

const SORTS = [["active", "Most listeners first"], ["new", "Newest first"], ["mine", "Where I have a place"]];
const FRESH_FOR_MS = 20_000;
const ALONE = new Map([["unlisted", "by link"], ["private", "members only"]]);

function row(room) {
  const { now_playing: track } = room;
  const playing = track ? ["Now playing: ", name(`${track.title}${track.artist ? ` — ${track.artist}` : ""}`)] : ["Nothing is playing"];
  return el("li", { class: "row" },
    el("span", { class: "grow" }, el("strong", { class: "block" }, name(room.name)),
      room.description ? el("span", { class: "quiet block brief", dir: "auto" }, room.description) : null,
      el("span", { class: "quiet" }, ...playing)),
    ALONE.has(room.visibility) ? el("span", { class: "badge" }, ALONE.get(room.visibility)) : null,
    room.has_password ? el("span", { class: "badge" }, "password") : null,
    el("span", { class: "quiet" }, `${room.listeners} here`),
    el("a", { class: "button main", id: `join-${room.room_id}`, href: `/rooms/${room.room_id}`, "aria-label": `Join ${room.name}` }, "Join"));
}

function makeRoom({ places }) {
  const form = el("form", { class: "card", id: "make-room" }, el("h2", {}, "A new room"),
    el("label", {}, "Name", el("input", { name: "name", required: true, maxlength: 80, dir: "auto", autocomplete: "off" })),
    el("details", {}, el("summary", {}, "Who finds it, and how"),
      el("div", { class: "column" },
        el("label", {}, "Who finds the room", select({ name: "visibility" }, VISIBILITIES, "public")),
        el("label", {}, "Description", el("textarea", { name: "description", maxlength: 1000, rows: 2, dir: "auto" })),
        el("label", {}, "Password (empty: none)", el("input", { name: "password", type: "password", maxlength: 1024, autocomplete: "off" })))),
    el("div", {}, el("button", {}, "Make a room")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { password, ...typed } = Object.fromEntries(new FormData(form));
    const room = await attempt(() => send("POST", "/rooms", { ...typed, ...(password ? { password } : {}) }), form);
    if (room) places.go(`/rooms/${room.room_id}`);
  });
  return form;
}

export async function showRooms(page) {
  const search = el("input", { type: "search", id: "search", maxlength: 80, dir: "auto", placeholder: "Find a room", "aria-label": "Find a room by its name" });
  const sort = select({ id: "sort", "aria-label": "Which rooms, in which order" }, SORTS, "active");
  const rooms = pagedList({ id: "rooms", "aria-label": "Rooms" }, {
    path: () => (sort.value === "mine" ? "/rooms/mine" : `/rooms?sort=${sort.value}&query=${encodeURIComponent(search.value.trim())}`),
    row,
    empty: "No room here. You can make one.",
  });
  const again = () => {
    search.disabled = sort.value === "mine"; // that list is not searched by the server
    return attempt(rooms.refresh, card);
  };
  sort.onchange = again;
  search.oninput = rested(again);
  const card = el("section", { class: "card" }, el("div", { class: "row" }, el("span", { class: "grow" }, search), sort), rooms.node);
  const node = el("div", { class: "column" }, el("h1", {}, "Rooms"), card, makeRoom(page));
  await rooms.refresh();
  // Who listens where changes by itself; a list that somebody has paged through is left alone.
  const timer = setInterval(() => {
    if (!document.hidden && rooms.isShort) rooms.refresh().catch(() => {});
  }, FRESH_FOR_MS);
  return { node, close: () => clearInterval(timer) };
}
