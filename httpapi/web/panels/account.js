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

/** A form that asks for a name, or for an account; resolves with who came in. */
export function askName(view) {
  return new Promise((resolve) => {
    const signIn = async () => {
      const user = await askLogin();
      if (user) resolve(user);
    };
    const input = el("input", { name: "name", required: true, maxlength: 40, autocomplete: "nickname", dir: "auto" });
    const form = el("form", { class: "card small", id: "guest-form" },
      el("h1", {}, "Listen together"),
      el("label", {}, "Your name", input),
      el("button", { class: "main" }, "Come in"),
      el("button", { type: "button", id: "sign-in", onclick: signIn }, "I have an account"),
      el("p", { class: "quiet" }, "No account needed. You can make one later and keep everything."));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const made = await attempt(() => send("POST", "/auth/guest", { display_name: input.value, cookie: true }));
      if (made) resolve(made.user);
    });
    view.replaceChildren(form);
    input.focus();
  });
}

const field = (label, attributes) => el("label", {}, label, el("input", { required: true, ...attributes }));

/** A dialog with a form; `act` gets what was typed and resolves with a result, or undefined: stay. */
function ask({ id, title, why, fields, label, act }) {
  return new Promise((resolve) => {
    const heading = el("h2", { id: `${id}-title` }, title);
    const problem = el("p", { class: "bad", role: "alert", hidden: true });
    const form = el("form", { id }, heading, why ? el("p", { class: "quiet" }, why) : null, ...fields, problem,
      el("div", { class: "row" }, el("button", { class: "main" }, label),
        el("button", { type: "button", onclick: () => dialog.close() }, "Not now")));
    const dialog = el("dialog", { "aria-labelledby": heading.id }, form);
    let result = null;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      problem.hidden = true;
      try {
        result = await act(Object.fromEntries(new FormData(form)));
        dialog.close();
      } catch (refusal) {
        problem.textContent = refusal.message;
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

/** Ask a guest to make an account; resolves with the user, or null if the person would not. */
export const askAccount = (why) => ask({
  id: "account-form",
  title: "Make an account",
  why,
  fields: [
    field("User name", { name: "username", minlength: 3, maxlength: 30, autocomplete: "username", dir: "auto" }),
    field("E-mail", { name: "email", type: "email", autocomplete: "email" }),
    field("Password (8 characters or more)", { name: "password", type: "password", minlength: 8, autocomplete: "new-password" }),
  ],
  label: "Make it",
  act: async (typed) => (await send("POST", "/auth/register", { ...typed, cookie: true })).user,
});

/** Ask for a room's password; null if the person would not say. */
export const askPassword = () => ask({
  id: "password-form",
  title: "This room asks for a password",
  fields: [field("Password", { name: "password", type: "password", autocomplete: "off" })],
  label: "Come in",
  act: async (typed) => typed.password,
});
