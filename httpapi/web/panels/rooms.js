// The list of rooms, and making one.

import { get, send } from "../api.js";
import { el, name } from "../dom.js";
import { attempt } from "../notices.js";

export async function showRooms(view, enter) {
  const { items } = await get("/rooms?sort=active");
  const list = el("ul", { id: "rooms" }, ...items.map((room) => row(room, enter)));
  const input = el("input", { name: "room", required: true, maxlength: 80, "aria-label": "Name of the new room" });
  const make = el("form", { class: "row", id: "make-room" }, el("span", { class: "grow" }, input),
    el("button", {}, "Make a room"));
  make.addEventListener("submit", async (event) => {
    event.preventDefault();
    const room = await attempt(() => send("POST", "/rooms", { name: input.value, visibility: "public" }));
    if (room) enter(room.room_id);
  });
  view.replaceChildren(
    el("h1", {}, "Rooms"),
    el("section", { class: "card" }, items.length ? list : el("p", { class: "quiet" }, "No open room yet: make the first.")),
    el("h2", {}, ""), el("section", { class: "card" }, make),
  );
}

function row(room, enter) {
  const playing = room.now_playing ? `${room.now_playing.title} — ${room.now_playing.artist}` : "quiet";
  return el("li", { class: "row" },
    el("span", { class: "grow" }, name(room.name), el("br"), el("span", { class: "quiet" }, name(playing))),
    el("span", { class: "quiet" }, `${room.listeners} here`),
    el("button", { class: "main", onclick: () => enter(room.room_id) }, "Join"));
}
