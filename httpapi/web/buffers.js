// Decoded tracks: those that are wanted are fetched and kept, the others are let go.

const AGAIN_AFTER_MS = 2_000;
const LONGEST_WAIT_MS = 60_000;

/** Events: `ready` (detail: track id), `error` (detail: {trackId, problem}). */
export class Buffers extends EventTarget {
  #tracks = new Map(); // track id -> AudioBuffer | null (on its way)
  #queue = Promise.resolve();

  /** The decoded track, or undefined while it is not here. */
  get(trackId) {
    return this.#tracks.get(trackId) ?? undefined;
  }

  /** Keep these and no others, the first soonest. */
  keep(trackIds, context) {
    for (const trackId of [...this.#tracks.keys()]) {
      if (!trackIds.includes(trackId)) this.#tracks.delete(trackId);
    }
    for (const trackId of trackIds) {
      if (this.#tracks.has(trackId)) continue;
      this.#tracks.set(trackId, null);
      // One after the other: what sounds now does not share the line with what comes later.
      this.#queue = this.#queue.then(() => this.#load(trackId, context));
    }
  }

  async #load(trackId, context, tries = 0) {
    if (this.#tracks.get(trackId) !== null) return; // no longer wanted when its turn came
    try {
      const answer = await fetch(`/api/tracks/${trackId}/audio`);
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      const buffer = await context.decodeAudioData(await answer.arrayBuffer());
      if (!this.#tracks.has(trackId)) return;
      this.#tracks.set(trackId, buffer);
      this.dispatchEvent(new CustomEvent("ready", { detail: trackId }));
    } catch (problem) {
      if (tries === 0) this.dispatchEvent(new CustomEvent("error", { detail: { trackId, problem } }));
      setTimeout(() => this.#load(trackId, context, tries + 1), Math.min(AGAIN_AFTER_MS * 2 ** tries, LONGEST_WAIT_MS));
    }
  }
}
