// Short messages at the bottom of the page.

import { el } from "./dom.js";

const SHOWN_FOR_MS = 6_000;

export function notice(text) {
  const node = el("div", { class: "notice" }, text);
  document.getElementById("notices").append(node);
  setTimeout(() => node.remove(), SHOWN_FOR_MS);
}

/** Run an action of the person; a refusal becomes a notice. */
export async function attempt(action) {
  try {
    return await action();
  } catch (problem) {
    notice(problem.message);
    return undefined;
  }
}
