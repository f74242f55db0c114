// Moderation: kick, mute and ban with a reason and an end, and taking them back.

import { ask } from "../dialog.js";
import { el, keyed, name, select, until, when } from "../dom.js";
import { listDialog } from "../lists.js";
import { attempt } from "../notices.js";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const ENDS = [
  [5 * MINUTE_MS, "5 minutes"], [HOUR_MS, "1 hour"], [DAY_MS, "1 day"], [7 * DAY_MS, "1 week"],
  [30 * DAY_MS, "30 days"], ["", "Until it is taken back"],
];

const reason = () => el("label", {}, "Reason (everybody here can read it)",
  el("input", { name: "reason", maxlength: 300, autocomplete: "off", dir: "auto" }));
const length = () => el("label", {}, "For how long", select({ name: "duration_ms" }, ENDS, HOUR_MS));
const byAddress = () => el("label", { class: "row" }, el("input", { type: "checkbox", name: "by_address" }),
  "Keep out everybody at the same address, too");

/** Ask how, then send the command with what was said. */
const moderate = (room, person, type, title, label, fields) => ask({
  id: "moderation-form",
  title: `${title} ${person.display_name}?`,
  fields,
  label,
  cancel: "Cancel",
  act: ({ reason: why, duration_ms: length, by_address: address }) => room.command({
    type, user_id: person.user_id, reason: why,
    ...(length ? { duration_ms: Number(length) } : {}), ...(address ? { by_address: true } : {}),
  }),
});

/** What somebody of a lower grade can be done to: [key, label, act]. */
export function moderationActs(room, person) {
  const { standing, mutedNow } = room;
  const userId = person.user_id;
  const acts = [];
  if (standing.may("moderate")) {
    acts.push(mutedNow(userId)
      ? ["unmute", "Unmute", () => room.command({ type: "member.unmute", user_id: userId })]
      : ["mute", "Mute …", () => moderate(room, person, "member.mute", "Mute", "Mute", [length(), reason()])]);
    if (room.store.present.has(userId)) {
      acts.push(["kick", "Kick …", () => moderate(room, person, "member.kick", "Put out", "Kick", [reason()])]);
    }
  }
  if (standing.may("ban")) {
    acts.push(["ban", "Ban …", () => moderate(room, person, "member.ban", "Ban", "Ban", [length(), byAddress(), reason()])]);
  }
  return acts;
}

/** Who is banned, until when and why; for those who may take it back. */
export function bansList(room) {
  const { store, standing, clock } = room;
  const list = el("ul", { id: "bans" });
  const node = el("details", { class: "bans" }, el("summary", {}, "Banned"), list);
  const row = (ban) => {
    const item = el("li", { class: "row", "data-user": ban.person.user_id },
      el("span", { class: "grow" }, el("span", { class: "block" }, name(ban.person.display_name)),
        el("span", { class: "quiet" }, ban.until_ms ? `ends ${until(ban.until_ms)}` : "until it is taken back",
          ban.by_address ? ", with the address" : null, ban.reason ? ": " : null, ban.reason ? name(ban.reason) : null,
          " · by ", name(ban.by.display_name))),
      el("button", {
        "aria-label": `Unban ${ban.person.display_name}`, "data-act": "unban",
        onclick: () => attempt(() => room.command({ type: "member.unban", user_id: ban.person.user_id }), item),
      }, "Unban"));
    return item;
  };
  function draw() {
    const nowMs = clock.ready ? clock.nowMs() : Date.now();
    const bans = Object.values(store.snapshot.bans).filter((ban) => ban.until_ms == null || nowMs < ban.until_ms);
    node.hidden = !bans.length || !standing.may("ban");
    node.firstChild.textContent = `Banned: ${bans.length}`;
    keyed(list, bans, (ban) => `${ban.person.user_id} ${ban.at_ms}`, row);
  }
  return { node, draw };
}

const received = ({ room_name: room, by, reason: why, banned_at: at, until: end, lifted_at: lifted }) => el("li", {},
  el("strong", { class: "block" }, room ? name(room) : "A private room"),
  el("span", { class: "quiet" }, "by ", name(by.display_name), `, ${when(at)}; `,
    lifted ? `taken back ${when(lifted)}` : end ? `ends ${until(Date.parse(end))}` : "until it is taken back",
    why ? ": " : null, why ? name(why) : null));

/** A button that lists the bans of this person, with those that were taken back. */
export const bansReceived = () => listDialog("bans-received", "My bans", {
  path: () => "/bans/received",
  row: received,
  empty: "Nobody has banned you from a room.",
});
