// My bots: the tokens that let programs come in, each with what it may do; making and ending them.

import { send } from "../api.js";
import { ask, field } from "../dialog.js";
import { el, name, when } from "../dom.js";
import { pagedList } from "../lists.js";
import { attempt } from "../notices.js";

const SCOPES = {
  read: "Look, join rooms, listen",
  chat: "Talk and react",
  queue: "Upload, queue, vote",
  playback: "Play, pause, seek, next",
  moderate: "Kick, mute, ban, roles, settings",
};
const USUAL = new Set(["read", "chat"]);

/** The token itself, told this once: nobody can read it from the server again. */
const showOnce = ({ name: called, token }) => ask({
  id: "token-shown",
  title: `The token of ${called}`,
  why: "Copy it now: it is shown this once. Who has it can act as this bot.",
  fields: [el("label", {}, "Token", el("input", { readonly: true, value: token, dir: "ltr", onfocus: ({ target }) => target.select() }))],
  // Without TLS no browser copies for a page.
  label: navigator.clipboard ? "Copy and close" : "I have copied it", cancel: "Close",
  act: () => navigator.clipboard?.writeText(token),
});

const make = () => ask({
  id: "token-form",
  title: "Make a bot",
  why: "A bot comes in with a token of its own, and is marked as a bot wherever people see it.",
  fields: [
    field("Name", { name: "name", maxlength: 40, autocomplete: "off", dir: "auto" }),
    el("fieldset", {}, el("legend", {}, "What it may ask for"), ...Object.entries(SCOPES).map(([scope, label]) =>
      el("label", { class: "row" }, el("input", { type: "checkbox", name: scope, checked: USUAL.has(scope) }), label))),
  ],
  label: "Make it", cancel: "Cancel",
  act: ({ name: called, ...scopes }) => send("POST", "/users/me/tokens", { name: called, scopes: Object.keys(scopes) }),
});

export function tokenCard() {
  const row = (token) => {
    const end = () => attempt(async () => {
      await send("DELETE", `/users/me/tokens/${token.token_id}`);
      await list.refresh();
    }, node);
    const told = [token.scopes.join(", "), token.last_used_at ? `last used ${when(token.last_used_at)}` : "never used",
      token.expires_at && `good until ${when(token.expires_at)}`].filter(Boolean);
    const node = el("li", { class: "row" },
      el("span", { class: "grow" }, el("span", { class: "block" }, name(token.name)), el("span", { class: "quiet" }, told.join(" · "))),
      el("button", { type: "button", "data-act": "end-token", "aria-label": `End the token of ${token.name}`, onclick: end }, "End"));
    return node;
  };
  const list = pagedList({ id: "tokens", "aria-labelledby": "tokens-title" }, {
    path: () => "/users/me/tokens", row, empty: "No bots. A bot is a program that takes part in a room.",
  });
  const begin = () => attempt(async () => {
    const made = await make();
    if (!made) return;
    await showOnce(made);
    await list.refresh();
  }, node);
  const node = el("section", { class: "card" }, el("h2", { id: "tokens-title" }, "My bots"), list.node,
    el("div", { class: "row" }, el("button", { id: "make-bot", onclick: begin }, "Make a bot …")));
  return { node, ready: list.refresh() };
}
