// Which sample leaves the speaker when: audio time against performance.now(). Pure.
//
// AudioContext.getOutputTimestamp() gives pairs of both: zeros or stale ones at first, a saw of some
// 10 ms (blocks of the sound card against blocks of the browser), a lasting step after a hiccup. The
// mean of the last seconds is steady to a fraction of a ms. `outputLatency`, which moves in steps of
// 8 ms, is not used.

const WINDOW = 60;
const STEADY_PAIRS = 10;
const STEADY_SPREAD_MS = 20;
const FAR_OUT = 8; // of so many pairs, one at either end is not believed

export class OutputClock {
  #offsetsMs = []; // performance.now() minus audio time, of the last pairs
  #lastS = 0;
  #offsetMs = null;

  /** Take in a pair of getOutputTimestamp(); one that is empty or did not move tells nothing. */
  add({ contextTime, performanceTime }) {
    if (!(contextTime > 0) || !(performanceTime > 0) || contextTime === this.#lastS) return;
    this.#lastS = contextTime;
    this.#offsetsMs.push(performanceTime - contextTime * 1_000);
    if (this.#offsetsMs.length > WINDOW) this.#offsetsMs.shift();
    const sorted = [...this.#offsetsMs].sort((a, b) => a - b);
    const out = Math.floor(sorted.length / FAR_OUT);
    const middle = sorted.slice(out, sorted.length - out);
    if (middle.length < STEADY_PAIRS || middle.at(-1) - middle[0] > STEADY_SPREAD_MS) return;
    this.#offsetMs = middle.reduce((sum, value) => sum + value, 0) / middle.length;
  }

  /** Forget everything: the audio stood still, so that old pairs mean nothing. */
  reset() {
    this.#offsetsMs = [];
    this.#offsetMs = null;
  }

  /** True once several pairs in a row agreed. */
  get steady() {
    return this.#offsetMs !== null;
  }

  /** The audio time, in s, that is heard at an instant of performance.now(). */
  contextS(performanceMs) {
    return (performanceMs - this.#offsetMs) / 1_000;
  }

  /** The instant of performance.now() at which an audio time, in s, is heard. */
  performanceMs(contextS) {
    return contextS * 1_000 + this.#offsetMs;
  }
}
