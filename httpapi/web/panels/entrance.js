// Coming in: a guest by name in one step, or an account; a guest who makes one keeps everything.

import { get, send } from "../api.js";
import { ask, field } from "../dialog.js";
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

/** The first form: a name is enough; or an account. Resolves with who came in. */
export function comeIn(view) {
  return new Promise((resolve) => {
    const by = (ask) => async () => {
      const user = await ask();
      if (user) resolve(user);
    };
    const input = el("input", { name: "name", required: true, maxlength: 40, autocomplete: "nickname", dir: "auto" });
    const form = el("form", { class: "card small", id: "guest-form" },
      el("h1", {}, "Listen together"),
      el("label", {}, "Your name", input),
      el("button", { class: "main" }, "Come in as a guest"),
      el("p", { class: "quiet" }, "No account needed. You can make one later and keep everything."),
      el("div", { class: "row" },
        el("button", { type: "button", id: "sign-in", onclick: by(askLogin) }, "Sign in"),
        el("button", { type: "button", id: "sign-up", onclick: by(() => askAccount("With an account your music, rooms and favourites stay yours.", true)) }, "Make an account")));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const made = await attempt(() => send("POST", "/auth/guest", { display_name: input.value, cookie: true }), form);
      if (made) resolve(made.user);
    });
    view.replaceChildren(form);
    input.focus();
  });
}

/** The field of a password to be. */
export const newPassword = (label = "Password", key = "password") => field(`${label} (8 characters or more)`,
  { name: key, type: "password", minlength: 8, maxlength: 1024, autocomplete: "new-password" });

/** Ask for an account that exists; resolves with the user, or null if the person would not say. */
const askLogin = () => ask({
  id: "login-form",
  title: "Sign in",
  fields: [
    field("User name or e-mail", { name: "login", autocomplete: "username", dir: "auto" }),
    field("Password", { name: "password", type: "password", autocomplete: "current-password" }),
  ],
  label: "Sign in",
  act: async (typed) => (await send("POST", "/auth/login", { ...typed, cookie: true })).user,
});

/** Sign out of this browser, and begin anew. */
export async function signOut() {
  await send("POST", "/auth/logout");
  location.assign("/");
}

/**
 * Ask for a new account: a guest becomes it and keeps everything, who is nobody yet says a name
 * too. Resolves with the user, or null if the person would not.
 */
export const askAccount = (why, isNew = false) => ask({
  id: "account-form",
  title: isNew ? "Make an account" : "Keep this account",
  why,
  fields: [
    isNew ? field("Name that others see", { name: "display_name", maxlength: 40, autocomplete: "nickname", dir: "auto" }) : null,
    field("User name", { name: "username", minlength: 3, maxlength: 30, autocomplete: "username", dir: "auto" }),
    field("E-mail", { name: "email", type: "email", autocomplete: "email" }),
    newPassword(),
  ].filter(Boolean),
  label: "Make it",
  act: async (typed) => (await send("POST", "/auth/register", { ...typed, cookie: true })).user,
});

/** Ask for a room's password until `enter(password)` goes well; null if the person would not say. */
export const askPassword = (enter) => ask({
  id: "password-form",
  title: "This room asks for a password",
  fields: [field("Password", { name: "password", type: "password", autocomplete: "off" })],
  label: "Come in",
  act: async ({ password }) => { await enter(password); return true; },
});
