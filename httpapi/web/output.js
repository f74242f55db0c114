// Which sample leaves the speaker when: audio time against performance.now(). Pure.
//
// AudioContext.getOutputTimestamp() gives pairs of both, with a jitter of some ms, zeros or stale
// pairs at first, and a lasting step after a hiccup. The middle of the last seconds is steady to
// a fraction of a ms and follows a step within a second; `outputLatency`, which moves in steps of
// 8 ms, is not used.

const WINDOW = 24;
const STEADY_PAIRS = 8;
const STEADY_SPREAD_MS = 6;

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
    const quarter = sorted.length >> 2;
    const spreadMs = sorted[sorted.length - 1 - quarter] - sorted[quarter];
    if (sorted.length < STEADY_PAIRS || spreadMs > STEADY_SPREAD_MS) return;
    // The mean of the middle half: steadier than the median, and as deaf to what lies far out.
    const middle = sorted.slice(quarter, sorted.length - quarter);
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
