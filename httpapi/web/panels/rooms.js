// The list of rooms, and making one.

import { get, send } from "../api.js";
import { el, name } from "../dom.js";
import { attempt } from "../notices.js";

function row(room, enter) {
  const { now_playing: track } = room;
  const playing = track ? `${track.title}${track.artist ? ` — ${track.artist}` : ""}` : "Nothing is playing";
  return el("li", { class: "row" },
    el("span", { class: "grow" }, el("strong", { class: "block" }, name(room.name)),
      el("span", { class: "quiet" }, name(playing))),
    el("span", { class: "quiet" }, room.has_password ? "password · " : null, `${room.listeners} here`),
    el("button", { class: "main", "aria-label": `Join ${room.name}`, onclick: () => enter(room.room_id) }, "Join"));
}

/** `current()` says whether this view is still the one that is asked for. */
export async function showRooms(view, enter, current) {
  const { items } = await get("/rooms?sort=active");
  if (!current()) return;
  const input = el("input", { name: "room", required: true, maxlength: 80, dir: "auto", autocomplete: "off" });
  const make = el("form", { class: "card", id: "make-room" },
    el("label", {}, "Name of a new room", input), el("div", {}, el("button", {}, "Make a room")));
  make.addEventListener("submit", async (event) => {
    event.preventDefault();
    const room = await attempt(() => send("POST", "/rooms", { name: input.value, visibility: "public" }));
    if (room) enter(room.room_id);
  });
  const list = items.length
    ? el("ul", { id: "rooms" }, ...items.map((room) => row(room, enter)))
    : el("p", { class: "quiet" }, "No open room yet: make the first.");
  view.replaceChildren(el("h1", {}, "Rooms"),
    el("div", { class: "column" }, el("section", { class: "card" }, list), make));
}
