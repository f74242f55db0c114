// My account: my name, my logins, my password, and the ways out.

import { get, send } from "../api.js";
import { ask, field } from "../dialog.js";
import { el, name, when } from "../dom.js";
import { attempt, notice } from "../notices.js";
import { newPassword, signOut } from "./entrance.js";
import { loginList } from "./logins.js";
import { bansReceived } from "./moderation.js";
import { tokenCard } from "./tokens.js";

const KINDS = { guest: "You are a guest of this browser: without its cookie nobody can come back as you.", bot: "A bot." };

function profile({ me, changed }) {
  const input = el("input", { name: "display_name", required: true, maxlength: 40, dir: "auto", autocomplete: "nickname", value: me.display_name });
  const form = el("form", { class: "card", id: "profile-form" }, el("h2", {}, "My name"),
    el("p", { class: "quiet" }, me.username ? el("span", {}, "User name: ", name(me.username), `, since ${when(me.created_at)}`) : KINDS[me.kind]),
    el("label", {}, "Name that others see", input), el("div", {}, el("button", {}, "Save")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const user = await attempt(() => send("PATCH", "/users/me", { display_name: input.value }), form);
    if (!user) return;
    changed(user);
    notice("Your name is saved.");
  });
  return form;
}

/** What others may know; each change is kept at once. */
function privacyCard() {
  const box = el("input", { type: "checkbox", id: "show-history" });
  const node = el("section", { class: "card" }, el("h2", {}, "What others may know"),
    el("label", { class: "row" }, box, "Others may see what I have listened to"),
    el("p", { class: "quiet" }, "What you hear in a private room only its members see."));
  box.addEventListener("change", async () => {
    const wanted = box.checked;
    box.disabled = true;
    const kept = await attempt(() => send("PUT", "/users/me/settings", { show_history: wanted }), node);
    box.disabled = false;
    box.checked = kept ? kept.show_history : !wanted;
    box.focus();
    if (kept) notice(kept.show_history ? "Others may see what you have listened to." : "Only you see what you have listened to.");
  });
  const load = async () => { box.checked = (await get("/users/me/settings")).show_history; };
  return { node, ready: load() };
}

/** A guest who signs out is gone for good, with all that is theirs: say so first. */
const leaveAsGuest = () => ask({
  id: "leave-form",
  title: "Leave for good?",
  why: "A guest has no password to come back with. Keep this account first, and your rooms and your name stay yours.",
  fields: [], label: "Leave for good", cancel: "Stay",
  act: signOut,
});

const everywhere = (act) => ask({
  id: "everywhere-form",
  title: "Sign out everywhere?",
  why: "All your logins end at once: here, on other devices, and in programs.",
  fields: [], label: "Sign out everywhere", cancel: "Not now",
  act,
});

const changePassword = (logins) => ask({
  id: "password-change-form",
  title: "Change the password",
  why: "All other logins end; this one stays.",
  fields: [
    field("Current password", { name: "current_password", type: "password", autocomplete: "current-password" }),
    newPassword("New password", "new_password"),
  ],
  label: "Change it", cancel: "Cancel",
  async act(typed) {
    await send("PUT", "/auth/password", typed);
    notice("The password is changed; your other logins have ended.");
    await logins.refresh();
  },
});

function guestCard(page, shown) {
  const keep = async () => { if (await page.needAccount("Choose how you sign in. Your rooms, your music and your name stay yours.")) shown(); };
  return el("section", { class: "card" }, el("h2", {}, "Keep this account"),
    el("p", {}, "With a user name and a password you can come back from anywhere, and upload music."),
    el("div", { class: "row" }, el("button", { class: "main", id: "keep-account", onclick: keep }, "Keep this account"),
      el("button", { id: "leave-guest", onclick: () => attempt(leaveAsGuest) }, "Sign out")));
}

function accountCard() {
  const logins = loginList();
  const out = async () => {
    await send("POST", "/auth/logout-all");
    location.assign("/");
  };
  const node = el("section", { class: "card" }, el("h2", { id: "logins-title" }, "Where I am signed in"), logins.node,
    el("div", { class: "row" },
      el("button", { id: "change-password", onclick: () => attempt(() => changePassword(logins)) }, "Change the password"),
      el("button", { id: "out-here", onclick: () => attempt(signOut) }, "Sign out"),
      el("button", { id: "out-everywhere", onclick: () => attempt(() => everywhere(out)) }, "Sign out everywhere"), bansReceived()));
  return { node, ready: logins.refresh() };
}

export async function showAccount(page) {
  const node = el("div", { class: "column" });
  async function draw() {
    const isGuest = page.me.kind === "guest";
    const cards = [privacyCard(), ...isGuest ? [{ node: guestCard(page, draw) }] : [accountCard(), tokenCard()]];
    await Promise.all(cards.map((card) => card.ready));
    node.replaceChildren(el("h1", {}, "Account"), profile(page), ...cards.map((card) => card.node));
  }
  await draw();
  return { node };
}
