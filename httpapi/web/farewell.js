// What is shown to who was put out or may not come in: why, until when, and where to go on.

import { el, name, until } from "./dom.js";

const TITLES = {
  kicked: "You were put out of the room",
  banned: "You are banned from this room",
  closed: "The room has been closed",
  left: "You gave up your place in this room",
  replaced: "You are in this room in another place now",
  room_password: "This room has a password now",
  room_not_found: "This room is private now",
};
const MAY_RETURN = new Set(["kicked", "left", "replaced", "room_password"]);

/** What it is called that happened. */
export const farewellTitle = (reason) => TITLES[reason];

/**
 * @param {{reason: string, why?: string, untilMs?: number, roomName?: string}} what
 * @param {() => void} again comes back into the room
 */
export function farewell({ reason, why, untilMs, roomName }, again) {
  return el("section", { class: "card small", id: "farewell" }, el("h1", { tabindex: -1 }, TITLES[reason]),
    roomName ? el("p", {}, name(roomName)) : null,
    why ? el("p", { dir: "auto" }, `Reason: ${why}`) : null,
    untilMs ? el("p", {}, `It ends ${until(untilMs)}.`) : null,
    el("div", { class: "row" },
      MAY_RETURN.has(reason) ? el("button", { id: "again", onclick: again }, "Come back in") : null,
      el("a", { class: "button main", href: "/" }, "All rooms")));
}
