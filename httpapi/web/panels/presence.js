// Who is here.

import { el, name } from "../dom.js";

export function presencePanel(room) {
  const { store } = room;
  const heading = el("h2", {});
  const list = el("ul", { id: "present" });
  const bot = (person) => (person.kind === "bot" ? el("span", { class: "quiet" }, " bot") : null);

  function draw() {
    heading.textContent = `Here now: ${store.count}`;
    const people = [...store.present.values()].sort((a, b) => a.display_name.localeCompare(b.display_name));
    list.replaceChildren(...people.map((person) => el("li", {}, name(person.display_name), bot(person))));
  }

  store.addEventListener("presence", draw);
  draw();
  return {
    node: el("section", { class: "card" }, heading, list),
    close: () => store.removeEventListener("presence", draw),
  };
}
