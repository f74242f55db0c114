// The tracks that this person likes, as far as the page has read them.

import { get, send } from "./api.js";

const ITEMS_A_PAGE = 100;
const MOST_PAGES = 5;

/** Events: `change`. */
export class Favorites extends EventTarget {
  #liked = new Set();
  #reading = null;

  /** Read them once; they are kept up to date by what is done here. */
  read() {
    this.#reading ??= this.#pages().catch(() => { this.#reading = null; });
    return this.#reading;
  }

  has(trackId) {
    return this.#liked.has(trackId);
  }

  /** Like a track, or not any more. */
  async set(trackId, liked) {
    await send(liked ? "PUT" : "DELETE", `/favorites/me/${trackId}`);
    if (liked) this.#liked.add(trackId);
    else this.#liked.delete(trackId);
    this.dispatchEvent(new Event("change"));
  }

  async #pages() {
    let cursor = "";
    for (let page = 0; page < MOST_PAGES && cursor !== null; page += 1) {
      const from = cursor && `&cursor=${encodeURIComponent(cursor)}`;
      const answer = await get(`/favorites/me?limit=${ITEMS_A_PAGE}${from}`);
      for (const item of answer.items) this.#liked.add(item.track.track_id);
      cursor = answer.next_cursor;
    }
    this.dispatchEvent(new Event("change"));
  }
}
