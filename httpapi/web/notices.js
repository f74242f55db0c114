// Short messages at the bottom of the page.

import { el } from "./dom.js";

const SHOWN_FOR_MS = 7_000;
const SHOWN_AT_ONCE = 4;

export function notice(text) {
  const all = document.getElementById("notices");
  const node = el("div", { class: "notice" }, el("span", { dir: "auto" }, text),
    el("button", { type: "button", "aria-label": "Dismiss", onclick: () => node.remove() }, "×"));
  all.append(node);
  while (all.children.length > SHOWN_AT_ONCE) all.firstChild.remove();
  setTimeout(() => node.remove(), SHOWN_FOR_MS);
}

/** Run an action of the person; a refusal becomes a notice and `undefined`. */
export async function attempt(action) {
  try {
    return await action();
  } catch (problem) {
    notice(problem.message || String(problem));
    return undefined;
  }
}
