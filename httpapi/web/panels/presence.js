// Who is here, and the people of the room who are not.

import { el, keyed, name } from "../dom.js";
import { grade } from "../permissions.js";
import { allMembers, badge, botMark, personMenu } from "./members.js";
import { bansList } from "./moderation.js";
import { listenerText, spreadText } from "./tune.js";

const byName = (one, other) => one.display_name.localeCompare(other.display_name);

export function presencePanel(room) {
  const { store, standing } = room;
  const heading = el("h2", { role: "status", id: "present-title" });
  const list = el("ul", { id: "present", "aria-labelledby": "present-title" });
  const awayTitle = el("h3", { id: "away-title" });
  const away = el("ul", { id: "away", "aria-labelledby": "away-title" });
  const bans = bansList(room);
  const crowd = el("p", { class: "quiet", id: "crowd-tune" });

  const me = (person) => person.user_id === store.you.person.user_id;
  const isPlaying = () => store.snapshot.playback.status === "playing" && !store.snapshot.suspended;
  const tuneOf = ({ user_id: userId }) => (isPlaying() ? listenerText(store.listening.get(userId)) : "");
  const row = (person) => el("li", { class: "row person", "data-user": person.user_id },
    el("span", {}, name(person.display_name), me(person) ? el("span", { class: "quiet" }, " (you)") : null),
    botMark(person), badge(room, person), el("span", { class: "quiet tune" }, tuneOf(person)), personMenu(room, person));
  // A row is built anew when anything changes that it shows or offers.
  const look = (person) => JSON.stringify([person, store.snapshot.members[person.user_id] ?? null,
    room.mutedNow(person.user_id), standing.grade, store.snapshot.room.settings.permissions, grade(store.snapshot, person)]);

  /** Written in place: a row that was built anew would close its menu. */
  function drawTune() {
    for (const node of list.children) node.querySelector(".tune").textContent = tuneOf({ user_id: node.dataset.user });
    crowd.textContent = store.spread && isPlaying() ? `In tune: ${spreadText(store.spread)}` : "";
  }

  function draw() {
    if (!store.snapshot) return;
    const text = `Here now: ${store.count}`;
    if (heading.textContent !== text) heading.textContent = text;
    keyed(list, [...store.present.values()].sort(byName), look, row);
    const others = Object.values(store.snapshot.members).map(({ person }) => person)
      .filter((person) => !store.present.has(person.user_id) && !me(person));
    keyed(away, others.sort(byName), look, row);
    // Of a crowd only some are known by name: any of the others may be here.
    awayTitle.textContent = store.present.size < store.count ? "Others of the room" : "Not here now";
    away.hidden = awayTitle.hidden = !others.length;
    bans.draw();
    drawTune();
  }

  store.addEventListener("presence", draw);
  store.addEventListener("change", draw);
  store.addEventListener("tune", drawTune);
  draw();
  const node = el("section", { class: "card", id: "people", "aria-labelledby": "present-title" }, heading, crowd, list, awayTitle, away,
    el("div", { class: "row" }, allMembers(room)), bans.node);
  return {
    node,
    close() {
      store.removeEventListener("presence", draw);
      store.removeEventListener("change", draw);
      store.removeEventListener("tune", drawTune);
    },
  };
}
