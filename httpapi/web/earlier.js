// Messages older than those of the snapshot: read on demand, then kept up to date by the events.

import { get } from "./api.js";
import { CHAT, CHAT_IN_SNAPSHOT } from "./folds/chat.js";

const MESSAGES_A_PAGE = 50;

/** A message that quotes another one, once that was deleted. */
const withoutAnswered = (message, deletedId) => (message.answered?.message_id === deletedId
  ? { ...message, answered: { ...message.answered, content: "", deleted: true } } : message);

export class Earlier {
  /** The oldest first; they end where the snapshot's begin. */
  messages = [];
  #store;
  #snapshot;
  #cursor; // undefined: nothing was read yet; null: that was all

  constructor(store) {
    this.#store = store;
    this.#snapshot = store.snapshot;
  }

  /** May there be more? */
  get isMore() {
    if (this.#cursor === undefined) return this.#store.snapshot.chat.length >= CHAT_IN_SNAPSHOT;
    return this.#cursor !== null;
  }

  /** Call with each event before it is folded: what it pushes out of the snapshot comes here. */
  before(event) {
    const { chat } = this.#store.snapshot;
    const pushes = event.type === "chat.sent" && chat.length === CHAT_IN_SNAPSHOT;
    if (pushes && this.#cursor !== undefined) this.messages.push(chat[0]);
    else if (event.type !== "chat.sent" && CHAT[event.type]) CHAT[event.type]({ chat: this.messages }, event);
    if (event.type === "chat.deleted") this.messages = this.messages.map((message) => withoutAnswered(message, event.message_id));
  }

  /** Call after every change: another snapshot may not begin where these end. */
  changed() {
    if (this.#snapshot === this.#store.snapshot) return;
    this.#snapshot = this.#store.snapshot;
    this.messages = [];
    this.#cursor = undefined;
  }

  /** Read a page more. */
  async read() {
    const snapshot = this.#snapshot;
    // That millisecond too: more than one may have been sent in it.
    const from = this.#cursor ? `cursor=${encodeURIComponent(this.#cursor)}`
      : `before=${encodeURIComponent(new Date(snapshot.chat[0].at_ms + 1).toISOString())}`;
    const { items, next_cursor: next } = await get(`/rooms/${this.#store.roomId}/messages?limit=${MESSAGES_A_PAGE}&${from}`);
    if (snapshot !== this.#store.snapshot) return;
    const known = new Set([...this.messages, ...snapshot.chat].map((message) => message.message_id));
    this.messages.unshift(...items.filter((message) => !known.has(message.message_id)).reverse());
    this.#cursor = next;
  }
}
