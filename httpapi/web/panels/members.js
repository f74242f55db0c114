// Members: the badge of a person's role, the menu of what can be done with a person, all of them.

import { el, name, until } from "../dom.js";
import { listDialog } from "../lists.js";
import { attempt } from "../notices.js";
import { givenBy } from "../permissions.js";
import { moderationActs } from "./moderation.js";
import { handOver } from "./owner.js";

const ROLES = { owner: "owner", moderator: "moderator", dj: "DJ", listener: "listener" };

/** Bots are marked wherever people are listed. */
export const botMark = ({ kind }) => (kind === "bot" ? el("span", { class: "badge" }, "bot") : null);

/** The role, if it is one above listener, and whether the person is muted. */
export function badge({ store, mutedNow }, { user_id: userId }) {
  const role = store.snapshot.members[userId]?.role ?? "listener";
  const mute = mutedNow(userId) ? store.snapshot.members[userId].mute : null;
  const end = mute?.until_ms ? `, it ends ${until(mute.until_ms)}` : "";
  return el("span", { class: "badges" },
    role === "listener" ? null : el("span", { class: `badge ${role}` }, ROLES[role]),
    mute ? el("span", { class: "badge muted", title: `Muted${end}${mute.reason ? `: ${mute.reason}` : ""}` }, "muted") : null);
}

/** What may be done with a person; nothing at all if there is nothing that one may. */
export function personMenu(room, person) {
  const { standing, store } = room;
  const mine = person.user_id === store.you.person.user_id;
  const below = !mine && standing.outranks(person);
  const now = store.snapshot.members[person.user_id]?.role ?? "listener";
  const give = (role) => room.command({ type: "member.set_role", user_id: person.user_id, role });
  const roles = below && standing.may("set_role") ? givenBy(standing.grade) : [];
  const acts = [
    ...roles.filter((role) => role !== now).map((role) => [`role-${role}`, `Make ${ROLES[role]}`, () => give(role)]),
    ...(!mine && standing.isOwner && person.kind === "person" ? [["hand-over", "Hand the room over …", () => handOver(room, person)]] : []),
    ...(below ? moderationActs(room, person) : []),
  ];
  if (!acts.length) return null;
  const menu = el("details", { class: "menu" });
  const run = (act) => {
    menu.open = false;
    return attempt(act, menu.closest("li"));
  };
  menu.append(
    el("summary", { id: `menu-${person.user_id}`, "aria-label": `What to do with ${person.display_name}` }, "⋯"),
    el("div", { class: "sheet" }, ...acts.map(([key, label, act]) =>
      el("button", { type: "button", "data-act": key, onclick: () => run(act) }, label))));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  menu.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget && !menu.contains(relatedTarget)) menu.open = false;
  });
  return menu;
}

/** A button that lists everybody with a place here, page by page. */
export const allMembers = ({ store, mutedNow }) => listDialog("members", "All members", {
  path: () => `/rooms/${store.roomId}/members`,
  row: ({ person, role }) => el("li", { class: "row" }, name(person.display_name),
    el("span", { class: `badge ${role}` }, ROLES[role]), botMark(person),
    mutedNow(person.user_id) ? el("span", { class: "badge muted" }, "muted") : null),
  empty: "Nobody has a place here.",
});
