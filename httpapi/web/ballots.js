// For what this person has voted, as far as this tab knows: the room tells only how many have.

const key = (roomId) => `unisono.votes.${roomId}`;

/** A vote given twice counts once and one not given is taken back without harm, so a guess is safe. */
export class Ballots {
  #store;
  #given;

  constructor(store) {
    this.#store = store;
    this.#given = new Set(JSON.parse(sessionStorage.getItem(key(store.roomId)) ?? "[]"));
  }

  /** True if this person's vote is among those that are counted. */
  has(entryId) {
    return this.#given.has(entryId) && this.#votes(entryId) > 0;
  }

  note(entryId, given) {
    if (given) this.#given.add(entryId);
    else this.#given.delete(entryId);
    const { playback, queue } = this.#store.snapshot;
    const there = new Set([playback.entry, ...queue].map((entry) => entry?.entry_id));
    this.#given = new Set([...this.#given].filter((each) => there.has(each)));
    sessionStorage.setItem(key(this.#store.roomId), JSON.stringify([...this.#given]));
  }

  /** An entry that became current: votes for it were not for skipping it. */
  began(entryId) {
    if (this.#given.has(entryId)) this.note(entryId, false);
  }

  #votes(entryId) {
    const { playback, queue } = this.#store.snapshot;
    if (playback.entry?.entry_id === entryId) return playback.skip?.votes ?? 0;
    return queue.find((entry) => entry.entry_id === entryId)?.votes ?? 0;
  }
}
