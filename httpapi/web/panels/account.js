// Who am I: a guest by name in one step; an account where something needs one.

import { get, send } from "../api.js";
import { el } from "../dom.js";
import { attempt } from "../notices.js";

/** The person behind this browser's cookie, or null. */
export async function whoAmI() {
  try {
    return await get("/auth/me");
  } catch (problem) {
    if (problem.status === 401) return null;
    throw problem;
  }
}

/** A form that asks for a name and resolves with the guest. */
export function askName(view) {
  return new Promise((resolve) => {
    const input = el("input", { name: "name", required: true, maxlength: 40, autocomplete: "nickname", autofocus: true });
    const form = el("form", { class: "card", id: "guest-form" },
      el("h1", {}, "Listen together"),
      el("label", {}, "Your name", input),
      el("button", { class: "main" }, "Come in"),
      el("p", { class: "quiet" }, "No account needed. You can make one later and keep everything."));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const made = await attempt(() => send("POST", "/auth/guest", { display_name: input.value, cookie: true }));
      if (made) resolve(made.user);
    });
    view.replaceChildren(form);
  });
}

/** Ask a guest to make an account; resolves with the user, or null if the person would not. */
export function askAccount(why) {
  return new Promise((resolve) => {
    const field = (label, attributes) => el("label", {}, label, el("input", { required: true, ...attributes }));
    const cancel = el("button", { type: "button", onclick: () => dialog.close() }, "Not now");
    const form = el("form", { id: "account-form" },
      el("h2", {}, "Make an account"), el("p", { class: "quiet" }, why),
      field("User name", { name: "username", minlength: 3, maxlength: 30, autocomplete: "username" }),
      field("E-mail", { name: "email", type: "email", autocomplete: "email" }),
      field("Password", { name: "password", type: "password", minlength: 8, autocomplete: "new-password" }),
      el("div", { class: "row" }, el("button", { class: "main" }, "Make it"), cancel));
    const dialog = el("dialog", {}, form);
    let made = null;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const body = { ...Object.fromEntries(new FormData(form)), cookie: true };
      made = await attempt(() => send("POST", "/auth/register", body));
      if (made) dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(made?.user ?? null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
