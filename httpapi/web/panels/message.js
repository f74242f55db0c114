// One message: who, when in the music, what, the reactions to it, and what one may do with it.

import { ask } from "../dialog.js";
import { clockText, el, name } from "../dom.js";
import { pieces } from "../mentions.js";
import { attempt } from "../notices.js";
import { PALETTE } from "./reactions.js";

const QUOTED_CHARACTERS = 80;

function quote(answered) {
  const text = answered?.deleted ? "a deleted message" : answered?.content.slice(0, QUOTED_CHARACTERS);
  return el("div", { class: "quote quiet" }, answered ? name(answered.by.display_name) : null,
    answered ? ": " : "answer to an earlier message", answered ? el("bdi", {}, text) : null);
}

function words(room, message) {
  if (message.deleted) return el("div", { class: "quiet gone" }, "This message was deleted.");
  const me = room.store.you.person.user_id;
  const parts = pieces(message, room.people()).map(({ text, userId }) =>
    userId ? el("bdi", { class: userId === me ? "mention me" : "mention" }, text) : text);
  return el("div", { dir: "auto", class: "words" }, ...parts);
}

/** The counted reactions, and a palette to add one. */
function reactions({ room, reacted }, message, row) {
  const may = room.standing.may("react");
  const id = message.message_id;
  const react = (emoji) => attempt(async () => {
    const key = `${id} ${emoji}`;
    await room.command({ type: "chat.react", message_id: id, emoji, on: !reacted.has(key) });
  }, row());
  const chip = (emoji, count) => el("button", {
    id: `react-${id}-${emoji}`, class: "chip", disabled: !may, "aria-pressed": String(reacted.has(`${id} ${emoji}`)),
    "aria-label": `${PALETTE.get(emoji) ?? emoji}, ${count}`, onclick: () => react(emoji),
  }, `${emoji} ${count}`);
  const chips = Object.entries(message.reactions).map(([emoji, count]) => chip(emoji, count));
  if (!may) return chips;
  const palette = el("details", { class: "menu" },
    el("summary", { id: `palette-${id}`, "aria-label": `React to the message of ${message.by.display_name}` }, "☺"),
    el("div", { class: "sheet palette" }, ...[...PALETTE].map(([emoji, word]) =>
      el("button", { "data-emoji": emoji, title: word, "aria-label": word, onclick: () => { palette.open = false; react(emoji); } }, emoji))));
  return [...chips, palette];
}

export function messageRow(talk, message) {
  const { room, compose } = talk;
  const { standing } = room;
  const own = message.by.user_id === room.store.you.person.user_id;
  const author = message.by.display_name;
  const act = (key, label, run) => el("button", {
    id: `${key}-${message.message_id}`, class: "link", "data-act": key, "aria-label": `${label} the message of ${author}`, onclick: run,
  }, label);
  const remove = () => ask({
    id: "delete-form",
    title: "Delete this message?",
    why: "Its place stays, empty. This cannot be undone.",
    fields: [], label: "Delete", cancel: "Keep it",
    act: () => room.command({ type: "chat.delete", message_id: message.message_id }),
  });
  const acts = message.deleted ? [] : [
    ...reactions(talk, message, () => row),
    standing.may("chat") ? act("reply", "Reply", () => compose.reply(message)) : null,
    own && standing.may("chat") ? act("edit", "Edit", () => compose.edit(message)) : null,
    own || standing.may("moderate") ? act("delete", "Delete", remove) : null,
  ];
  const row = el("li", { class: message.mentions.includes(room.store.you.person.user_id) ? "message for-me" : "message", "data-message": message.message_id },
    message.reply_to ? quote(talk.find(message.reply_to) ?? message.answered) : null,
    el("strong", {}, name(author)),
    message.position_ms == null ? null : el("span", { class: "quiet" }, ` at ${clockText(message.position_ms)}`),
    message.edited_at_ms && !message.deleted ? el("span", { class: "quiet" }, " (edited)") : null,
    words(room, message), el("div", { class: "row message-acts" }, ...acts));
  return row;
}
