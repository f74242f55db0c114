// What this page knows of cluster time. Twin of protocol/client_clock.py, line by line;
// tests/protocol/clock_vectors.json holds both to the same answers. Local time is
// performance.now(), which never steps.

const WINDOW_MS = 60_000; // how long a probe counts
const BUCKET_MS = 5_000; // the drift is found from the best of each so many ms ...
const HISTORY_MS = 300_000; // ... over so long
const STEEPEST_DRIFT = 1e-3;
const USUAL_DRIFT = 1e-4;
const ROUNDS = 30;

const least = (list, height) => list.reduce((best, item) => Math.min(best, height(item)), Infinity);

function median(values) {
  const ordered = [...values].sort((a, b) => a - b);
  const half = ordered.length >> 1;
  return ordered.length % 2 ? ordered[half] : (ordered[half - 1] + ordered[half]) / 2;
}

/** Event: `ready`, once, when the first probe was answered. */
export class ClusterClock extends EventTarget {
  #probes = []; // {there: {atMs, apparentMs}, back: {atMs, apparentMs}}
  #buckets = []; // {number, count, there, back}: the best of some seconds, each way
  #drift = 0;
  #atMs = 0;
  #offsetMs = null;

  /** Whether a probe was answered yet. */
  get ready() {
    return this.#offsetMs !== null;
  }

  /** How much faster than this page's clock cluster time goes: 1e-6 is one ppm. */
  get drift() {
    return this.#drift;
  }

  /** The best way there and the best way back together, in ms. */
  get rttMs() {
    const [there, back] = this.#envelope();
    return there + back;
  }

  /** A probe: t0 and t3 by performance.now(), t1 and t2 in cluster time; all in ms. */
  add(t0, t1, t2, t3) {
    const probe = { there: { atMs: t0, apparentMs: t1 - t0 }, back: { atMs: t3, apparentMs: t3 - t2 } };
    this.#remember(probe);
    let [there, back] = this.#envelope();
    if (there + back < 0) {
      // An answer before its question: one of the clocks jumped (the machine slept).
      this.#probes = [];
      this.#buckets = [];
      this.#remember(probe);
      [there, back] = this.#envelope();
    }
    const first = !this.ready;
    this.#offsetMs = (there - back) / 2;
    if (first) this.dispatchEvent(new Event("ready"));
  }

  /** Cluster time at an instant of this page's clock. */
  clusterMs(localMs) {
    return localMs + this.#offsetMs + this.#drift * (localMs - this.#atMs);
  }

  /** This page's clock at an instant of cluster time. */
  localMs(clusterMs) {
    return (clusterMs - this.#offsetMs + this.#drift * this.#atMs) / (1 + this.#drift);
  }

  /** Cluster time now. */
  nowMs() {
    return this.clusterMs(performance.now());
  }

  #remember(probe) {
    const { there, back } = probe;
    this.#atMs = back.atMs;
    this.#probes.push(probe);
    while (this.#probes[0].back.atMs < back.atMs - WINDOW_MS) this.#probes.shift();
    const number = Math.floor(there.atMs / BUCKET_MS);
    const last = this.#buckets.at(-1);
    if (last?.number === number) {
      last.count += 1;
      if (there.apparentMs < last.there.apparentMs) last.there = there;
      if (back.apparentMs < last.back.apparentMs) last.back = back;
      return;
    }
    if (this.#buckets.length > 1) this.#findDrift();
    this.#buckets.push({ number, count: 1, there, back });
    while (this.#buckets[0].there.atMs < there.atMs - HISTORY_MS) this.#buckets.shift();
  }

  /** The least apparent time of each way, as if all probes were made at #atMs. */
  #envelope() {
    const drift = this.#drift;
    const nowMs = this.#atMs;
    return [
      least(this.#probes, ({ there }) => there.apparentMs - drift * (there.atMs - nowMs)),
      least(this.#probes, ({ back }) => back.apparentMs + drift * (back.atMs - nowMs)),
    ];
  }

  /** Lay two parallel lines under the points of either way, as high as they go. */
  #findDrift() {
    const buckets = this.#buckets;
    const first = buckets[0].there.atMs;
    const last = buckets.at(-1).there.atMs;
    const middle = (first + last) / 2;
    const height = (slope) =>
      least(buckets, ({ there }) => there.apparentMs - slope * (there.atMs - middle)) +
      least(buckets, ({ back }) => back.apparentMs + slope * (back.atMs - middle));
    let low = -STEEPEST_DRIFT;
    let high = STEEPEST_DRIFT;
    for (let round = 0; round < ROUNDS; round++) {
      const third = (high - low) / 3;
      if (height(low + third) < height(high - third)) low += third;
      else high -= third;
    }
    this.#drift = (low + high) / 2;
    // The best of n even chances lies about 1/n of their range above the floor.
    const count = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
    const doubt = (16 * this.#scatterMs()) / (count * (last - first));
    this.#drift *= USUAL_DRIFT ** 2 / (USUAL_DRIFT ** 2 + doubt ** 2);
  }

  /** How far the middle probe lies above the floor, each way. */
  #scatterMs() {
    const [there, back] = this.#envelope();
    const above = this.#probes.map(
      (probe) =>
        probe.there.apparentMs + probe.back.apparentMs +
        this.#drift * (probe.back.atMs - probe.there.atMs) - (there + back),
    );
    return median(above) / 2;
  }
}
