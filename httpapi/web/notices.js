// Short messages at the bottom of the page, and refusals next to what was refused.

import { ERRORS } from "./codes.js";
import { el, until } from "./dom.js";

const SHOWN_FOR_MS = 7_000;
const TOLD_FOR_MS = 20_000;
const SHOWN_AT_ONCE = 4;

export function notice(text) {
  const all = document.getElementById("notices");
  const node = el("div", { class: "notice" }, el("span", { dir: "auto" }, text),
    el("button", { type: "button", "aria-label": "Dismiss", onclick: () => node.remove() }, "×"));
  all.append(node);
  while (all.children.length > SHOWN_AT_ONCE) all.firstChild.remove();
  setTimeout(() => node.remove(), SHOWN_FOR_MS);
}

/** A refusal in words: what, why, until when. */
export function words(problem) {
  const { reason, until_ms: untilMs } = problem.details ?? {};
  const what = problem.message && problem.message !== problem.code
    ? problem.message : ERRORS[problem.code]?.title ?? String(problem);
  // What is wrong with which field, where the server says so and the sentence does not.
  const fields = (problem.errors ?? []).map(({ path, message }) => `${path}: ${message}`).filter((text) => !what.includes(text));
  return [what, ...fields, reason && `Reason: ${reason}.`, untilMs && `It ends ${until(untilMs)}.`,
    problem.retryAfterMs && `Try again in ${Math.ceil(problem.retryAfterMs / 1_000)} s.`].filter(Boolean).join(" ");
}

/**
 * Run an action of the person; a refusal is told and becomes `undefined`: at the end of `where`
 * if it is still on the page, else as a notice.
 */
export async function attempt(action, where = null) {
  const here = () => [...where?.children ?? []].filter((node) => node.classList.contains("told"));
  for (const node of here()) node.remove();
  try {
    return await action();
  } catch (problem) {
    if (!where?.isConnected) {
      notice(words(problem));
      return undefined;
    }
    const told = el("p", { class: "told bad", role: "alert", dir: "auto" }, words(problem));
    for (const node of here()) node.remove();
    where.append(told);
    setTimeout(() => told.remove(), TOLD_FOR_MS);
    return undefined;
  }
}
