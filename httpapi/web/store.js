// What this page knows of one room: its snapshot, kept by the events, and who is here.

import { fold } from "./fold.js";

/**
 * One room as this page sees it. Events: `before` (detail: an event that is about to be folded),
 * `change` (detail: the events that were), `presence`, `tune` (how well those here are in tune).
 */
export class RoomStore extends EventTarget {
  constructor(roomId) {
    super();
    this.roomId = roomId;
    this.snapshot = null;
    this.you = null;
    this.present = new Map();
    this.count = 0;
    this.listening = new Map(); // user id -> {state, error_ms, rtt_ms}
    this.spread = null; // in a crowd, instead: how many are how far off
  }

  /** What a rejoin says it has; undefined before the first snapshot. */
  get have() {
    return this.snapshot ? { lineage: this.snapshot.lineage, seq: this.snapshot.seq } : undefined;
  }

  /** `joined`: take the snapshot, or go on with our own copy. */
  joined(frame) {
    this.you = frame.you;
    if (frame.snapshot) this.snapshot = frame.snapshot;
    this.present.clear();
    this.#changed([]);
  }

  /** `events`: fold what is new. False if events are missing in between: join again. */
  events(frame) {
    const skip = this.snapshot.seq + 1 - frame.first_seq;
    if (skip < 0) return false;
    const fresh = frame.events.slice(skip);
    for (const event of fresh) {
      this.dispatchEvent(new CustomEvent("before", { detail: event }));
      fold(this.snapshot, event);
    }
    if (fresh.length) this.#changed(fresh);
    return true;
  }

  /** `presence`: who came, who went, how many are here. */
  presence(frame) {
    for (const person of frame.present ?? []) this.present.set(person.user_id, person);
    for (const userId of frame.gone ?? []) this.present.delete(userId);
    this.count = frame.count;
    this.dispatchEvent(new CustomEvent("presence"));
  }

  /** `tune`: how well those here are in tune. */
  tune({ listeners = [], spread = null }) {
    this.listening = new Map(listeners.map((one) => [one.user_id, one]));
    this.spread = spread;
    this.dispatchEvent(new CustomEvent("tune"));
  }

  #changed(events) {
    this.dispatchEvent(new CustomEvent("change", { detail: events }));
  }
}
