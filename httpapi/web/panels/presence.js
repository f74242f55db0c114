// Who is here.

import { el, keyed, name } from "../dom.js";

export function presencePanel(room) {
  const { store } = room;
  const heading = el("h2", { role: "status" });
  const list = el("ul", { id: "present" });

  const row = (person) => el("li", {}, name(person.display_name),
    person.kind === "bot" ? el("span", { class: "quiet" }, " bot") : null,
    person.user_id === store.you.person.user_id ? el("span", { class: "quiet" }, " (you)") : null);

  function draw() {
    heading.textContent = `Here now: ${store.count}`;
    const people = [...store.present.values()].sort((a, b) => a.display_name.localeCompare(b.display_name));
    keyed(list, people, (person) => `${person.user_id} ${person.kind} ${person.display_name}`, row);
  }

  store.addEventListener("presence", draw);
  draw();
  return {
    node: el("section", { class: "card" }, heading, list),
    close: () => store.removeEventListener("presence", draw),
  };
}
