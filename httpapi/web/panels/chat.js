// Chat: the last messages, those before them on demand, and saying something.

import { el, keyed } from "../dom.js";
import { Earlier } from "../earlier.js";
import { attempt } from "../notices.js";
import { composer } from "./composer.js";
import { messageRow } from "./message.js";

const AT_THE_END_PX = 40;

export function chatPanel(room) {
  const { store, standing } = room;
  const list = el("ul", { class: "chat", id: "chat", role: "log", "aria-label": "Messages", tabindex: 0 });
  const earlier = new Earlier(store);
  const all = () => [...earlier.messages, ...store.snapshot.chat];
  const talk = { room, reacted: new Set(), compose: null, find: (messageId) => all().find((each) => each.message_id === messageId) };
  const more = el("button", { type: "button", class: "link", id: "earlier", onclick: () => attempt(loadEarlier, node) }, "Load earlier messages");
  const say = composer(room);
  talk.compose = say;

  function came({ detail: events }) {
    for (const { type, message_id: messageId, emoji, by, on } of events) {
      if (type !== "chat.reacted" || by !== store.you.person.user_id) continue;
      if (on) talk.reacted.add(`${messageId} ${emoji}`);
      else talk.reacted.delete(`${messageId} ${emoji}`);
    }
    draw();
  }

  const mine = ({ message_id: messageId }) => [...talk.reacted].filter((each) => each.startsWith(messageId)).join();
  const look = (message) => JSON.stringify([message.message_id, message.edited_at_ms, message.deleted, message.reactions,
    mine(message), standing.may("chat"), standing.may("react"), standing.may("moderate"),
    message.reply_to && (talk.find(message.reply_to) ?? message.answered)?.deleted]);

  function draw() {
    const atTheEnd = list.scrollHeight - list.scrollTop - list.clientHeight < AT_THE_END_PX;
    earlier.changed();
    keyed(list, all(), look, (message) => messageRow(talk, message));
    more.hidden = !earlier.isMore;
    if (atTheEnd) list.scrollTop = list.scrollHeight;
    say.draw();
  }

  /** What is read stays where it is on the screen; it is no news to be read out. */
  async function loadEarlier() {
    const fromEnd = list.scrollHeight - list.scrollTop;
    more.disabled = true;
    list.setAttribute("aria-busy", "true");
    try {
      await earlier.read();
      draw();
      list.scrollTop = list.scrollHeight - fromEnd;
      if (more.hidden) list.focus({ preventScroll: true });
    } finally {
      more.disabled = false;
      list.removeAttribute("aria-busy");
    }
  }

  const leaves = ({ detail: event }) => earlier.before(event);
  store.addEventListener("before", leaves);
  store.addEventListener("change", came);
  draw();
  const node = el("section", { class: "card", "aria-labelledby": "chat-title" }, el("h2", { id: "chat-title" }, "Chat"), more, list, say.node);
  return {
    node,
    /** On the screen again: to the newest message. */
    shown: () => { list.scrollTop = list.scrollHeight; },
    close() {
      store.removeEventListener("before", leaves);
      store.removeEventListener("change", came);
    },
  };
}
