// A question in a dialog of its own.

import { el } from "./dom.js";
import { words } from "./notices.js";

/** A labelled input that must be filled in. */
export const field = (label, attributes) => el("label", {}, label, el("input", { required: true, ...attributes }));

/**
 * A dialog with a form; resolves with what `act` answered to what was typed, or null if the person
 * would not. A refusal is told in the dialog, which stays.
 */
export function ask({ id, title, why, fields, label, act, cancel = "Not now" }) {
  return new Promise((resolve) => {
    const heading = el("h2", { id: `${id}-title` }, title);
    const problem = el("p", { class: "bad", role: "alert", hidden: true });
    const form = el("form", { id }, heading, why ? el("p", { class: "quiet" }, why) : null, ...fields, problem,
      el("div", { class: "row" }, el("button", { class: "main" }, label),
        el("button", { type: "button", onclick: () => dialog.close() }, cancel)));
    const dialog = el("dialog", { "aria-labelledby": heading.id }, form);
    let result = null;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      problem.hidden = true;
      try {
        result = await act(Object.fromEntries(new FormData(form)));
        dialog.close();
      } catch (refusal) {
        problem.textContent = words(refusal);
        problem.hidden = false;
      }
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
