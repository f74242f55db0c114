// What this page knows of cluster time: four timestamps a probe, no clock of its own inside.
//
// Twin of protocol/client_clock.py, which says why; tests/protocol/clock_vectors.json holds both to
// the same answers. t0 and t3 are performance.now(), t1 and t2 cluster time, all in ms.

import { median } from "./median.js";

const WINDOW_MS = 60_000;
const BUCKET_MS = 5_000;
const HISTORY_MS = 300_000;
const STEEPEST_DRIFT = 1e-3;
const USUAL_DRIFT = 1e-4;
const ROUNDS = 30;
const COARSE_MS = 1; // clocks of browsers tell whole ms
const FINE_MS = 0.1; // or tenths
const CLOSE_MS = 2_500; // after a longer pause without probes nothing tells a jump from a drift
/** So many probes make a first idea good enough to start music by: half a second. */
const READY_AFTER_PROBES = 3;

const lower = (one, other) => (other.apparentMs < one.apparentMs ? other : one);

/** Where a concave function of the drift is highest, by thirds. */
function highest(heightMs) {
  let [low, high] = [-STEEPEST_DRIFT, STEEPEST_DRIFT];
  for (let round = 0; round < ROUNDS; round += 1) {
    const third = (high - low) / 3;
    const [leftMs, rightMs] = [heightMs(low + third), heightMs(high - third)];
    // On a plateau both ends come closer, so that its middle is found.
    if (leftMs <= rightMs) low += third;
    if (leftMs >= rightMs) high -= third;
  }
  return (low + high) / 2;
}

/** Events: `ready`, once: from then on instants can be told. */
export class ClusterClock extends EventTarget {
  #probes = []; // {there, back}: each {atMs, apparentMs}
  #buckets = []; // the best of each five seconds: {number, count, there, back}
  #atMs = 0;
  #offsetMs = 0;
  #foundDrift = 0; // from buckets; what was believed in a hurry is left out
  #grainMs = COARSE_MS;
  ready = false;
  /** How much faster than this machine's clock cluster time goes: 1e-6 is one ppm. */
  drift = 0;

  /** The best way there and the best way back together, ms; null before the first probe. */
  get rttMs() {
    return this.#probes.length ? Math.max(0, this.#heightMs(this.drift)) : null;
  }

  /** Take in an answered probe. */
  add(t0, t1, t2, t3) {
    const probe = { there: { atMs: t0, apparentMs: t1 - t0 }, back: { atMs: t3, apparentMs: t3 - t2 } };
    if (t0 % 1 || t3 % 1) this.#grainMs = FINE_MS;
    const pauseMs = t3 - this.#atMs;
    this.#remember(probe);
    // An answer before its question: the clocks drift by more than is known yet, or one of them jumped (the machine slept).
    if (this.#heightMs(this.drift) < -this.#grainMs && !this.#driftsMore(pauseMs)) {
      this.#probes = [];
      this.#buckets = [];
      this.drift = this.#foundDrift;
      this.#remember(probe);
    }
    this.#offsetMs = (this.#thereMs(this.drift) - this.#backMs(this.drift)) / 2;
    if (this.ready || this.#probes.length < READY_AFTER_PROBES) return;
    this.ready = true;
    this.dispatchEvent(new Event("ready"));
  }

  /** Cluster time now. */
  nowMs() {
    return this.clusterMs(performance.now());
  }

  /** Cluster time at an instant of performance.now(). */
  clusterMs(performanceMs) {
    return performanceMs + this.#offsetMs + this.drift * (performanceMs - this.#atMs);
  }

  /** The instant of performance.now() at which cluster time is `clusterMs`. */
  localMs(clusterMs) {
    return this.#atMs + (clusterMs - this.#offsetMs - this.#atMs) / (1 + this.drift);
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
      last.there = lower(last.there, there);
      last.back = lower(last.back, back);
      return;
    }
    if (this.#buckets.length > 1) this.#findDrift();
    this.#buckets.push({ number, count: 1, there, back });
    while (this.#buckets[0].there.atMs < there.atMs - HISTORY_MS) this.#buckets.shift();
  }

  #thereMs(drift) {
    return Math.min(...this.#probes.map(({ there }) => there.apparentMs - drift * (there.atMs - this.#atMs)));
  }

  #backMs(drift) {
    return Math.min(...this.#probes.map(({ back }) => back.apparentMs + drift * (back.atMs - this.#atMs)));
  }

  /** The round trip, if that were the drift: below 0 it is not. */
  #heightMs(drift) {
    return this.#thereMs(drift) + this.#backMs(drift);
  }

  /** Whether a drift makes a wire of the probes again, and not only just; it is believed then as far as they allow. */
  #driftsMore(pauseMs) {
    if (pauseMs > CLOSE_MS) return false;
    const drift = highest((slope) => this.#heightMs(slope));
    const singleMs = Math.min(...this.#probes.map(({ there, back }) => there.apparentMs + back.apparentMs));
    if (this.#heightMs(drift) + this.#grainMs < singleMs / 2) return false;
    this.drift = this.#trusted(drift, this.#probes.length, this.#atMs - this.#probes[0].back.atMs);
    return true;
  }

  /** Lay two parallel lines under the points of either way, as high as they go. */
  #findDrift() {
    const [first, last] = [this.#buckets[0].there.atMs, this.#buckets.at(-1).there.atMs];
    const middle = (first + last) / 2;
    const least = (ofBucket) => Math.min(...this.#buckets.map(ofBucket));
    const drift = highest((slope) =>
      least(({ there }) => there.apparentMs - slope * (there.atMs - middle)) +
      least(({ back }) => back.apparentMs + slope * (back.atMs - middle)));
    const count = this.#buckets.reduce((sum, bucket) => sum + bucket.count, 0);
    this.drift = this.#trusted(drift, count, last - first);
    this.#foundDrift = this.drift;
  }

  /** A drift as far as the scatter, the number and the span of the probes allow. */
  #trusted(drift, count, spanMs) {
    if (spanMs <= 0) return 0;
    // The best of n even chances lies about 1/n of their range above the floor.
    const doubt = ((16 * this.#scatterMs(drift)) / count + this.#grainMs) / spanMs;
    return (drift * USUAL_DRIFT ** 2) / (USUAL_DRIFT ** 2 + doubt ** 2);
  }

  /** How far the middle probe lies above the floor, each way. */
  #scatterMs(drift) {
    const floorMs = this.#heightMs(drift);
    return median(this.#probes.map(({ there, back }) =>
      there.apparentMs + back.apparentMs + drift * (back.atMs - there.atMs) - floorMs)) / 2;
  }
}
