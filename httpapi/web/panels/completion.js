// The list that opens while `@name` or, at the beginning, `/command` is typed; by keyboard or by pointer.

import { el, name } from "../dom.js";
import { candidates, typed } from "../mentions.js";
import { offered, typedSlash } from "../slash.js";

/** What may be meant: {from, options: [{text, shown}]}; `text` goes in the place of what was typed from there. */
function meant(input, people, slash) {
  const { value, selectionStart: caret } = input;
  const command = typedSlash(value, caret);
  if (command) return { from: 0, options: offered(slash(), command.start).map(commandOption) };
  const part = typed(value, caret);
  return part && { from: part.from, options: candidates(people(), part.start).map(personOption) };
}

const personOption = ({ display_name: text }) => ({ text: `@${text} `, shown: [name(text)] });

const commandOption = ({ name: text, hint, description, bot }) => ({
  text: `/${text} `,
  shown: [
    el("span", { class: "command", dir: "ltr" }, hint ? `/${text} ${hint}` : `/${text}`), " ",
    el("span", { class: "quiet" }, el("bdi", {}, description), " (", name(bot.display_name), ")"),
  ],
});

/**
 * @param {() => {user_id: string, display_name: string}[]} people who can be named
 * @param {() => object} slash the commands of the room's bots, as in its snapshot
 */
export function completion(input, people, slash) {
  const list = el("ul", { id: "names", class: "sheet", role: "listbox", "aria-label": "People and commands", hidden: true });
  let from = 0;
  let found = [];
  let chosen = 0;
  for (const [key, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-controls": "names", "aria-expanded": "false" })) {
    input.setAttribute(key, value);
  }

  function close() {
    found = [];
    draw();
  }

  function draw() {
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    list.replaceChildren(...found.map((each, index) => {
      const option = el("li", { id: `name-${index}`, role: "option", "aria-selected": String(index === chosen) }, ...each.shown);
      option.addEventListener("pointerdown", (event) => { event.preventDefault(); take(each); });
      return option;
    }));
    if (found.length) input.setAttribute("aria-activedescendant", `name-${chosen}`);
    else input.removeAttribute("aria-activedescendant");
  }

  function take({ text }) {
    const before = input.value.slice(0, from) + text;
    input.value = before + input.value.slice(input.selectionStart);
    input.setSelectionRange(before.length, before.length);
    close();
  }

  /** A command that stands there in full needs no completing: Enter sends it. */
  const isWhole = ({ text }) => input.value === text.trimEnd() && text.startsWith("/");

  input.addEventListener("input", () => {
    const now = meant(input, people, slash);
    from = now?.from ?? 0;
    found = now?.options ?? [];
    chosen = 0;
    draw();
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (!found.length) return;
    if (event.key === "Enter" && isWhole(found[chosen])) return;
    if (event.key === "ArrowDown") chosen = (chosen + 1) % found.length;
    else if (event.key === "ArrowUp") chosen = (chosen + found.length - 1) % found.length;
    else if (event.key === "Enter" || event.key === "Tab") take(found[chosen]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    draw();
  });
  return { node: list, close };
}
