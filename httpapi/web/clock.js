// What this page knows of cluster time: four timestamps a probe, no clock of its own inside.
//
// Twin of protocol/client_clock.py, which says why; tests/protocol/clock_vectors.json holds both to
// the same answers. t0 and t3 are performance.now(), t1 and t2 cluster time, all in ms.

const WINDOW_MS = 60_000;
const BUCKET_MS = 5_000;
const HISTORY_MS = 300_000;
const STEEPEST_DRIFT = 1e-3;
const USUAL_DRIFT = 1e-4;
const ROUNDS = 30;
/** So many probes make a first idea good enough to start music by: half a second. */
const READY_AFTER_PROBES = 3;

const lower = (one, other) => (other.apparentMs < one.apparentMs ? other : one);

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Where a concave function of the drift is highest, by thirds. */
function highest(heightMs) {
  let [low, high] = [-STEEPEST_DRIFT, STEEPEST_DRIFT];
  for (let round = 0; round < ROUNDS; round += 1) {
    const third = (high - low) / 3;
    if (heightMs(low + third) < heightMs(high - third)) low += third;
    else high -= third;
  }
  return (low + high) / 2;
}

/** Events: `ready`, once: from then on instants can be told. */
export class ClusterClock extends EventTarget {
  #probes = []; // {there, back}: each {atMs, apparentMs}
  #buckets = []; // the best of each five seconds: {number, count, there, back}
  #atMs = 0;
  #offsetMs = 0;
  ready = false;
  /** How much faster than this machine's clock cluster time goes: 1e-6 is one ppm. */
  drift = 0;

  /** The best way there and the best way back together, ms; null before the first probe. */
  get rttMs() {
    return this.#probes.length ? this.#thereMs() + this.#backMs() : null;
  }

  /** Take in an answered probe. */
  add(t0, t1, t2, t3) {
    const probe = { there: { atMs: t0, apparentMs: t1 - t0 }, back: { atMs: t3, apparentMs: t3 - t2 } };
    this.#remember(probe);
    if (this.rttMs < 0) {
      // An answer before its question: one of the clocks jumped (the machine slept).
      this.#probes = [];
      this.#buckets = [];
      this.#remember(probe);
    }
    this.#offsetMs = (this.#thereMs() - this.#backMs()) / 2;
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

  #thereMs() {
    return Math.min(...this.#probes.map(({ there }) => there.apparentMs - this.drift * (there.atMs - this.#atMs)));
  }

  #backMs() {
    return Math.min(...this.#probes.map(({ back }) => back.apparentMs + this.drift * (back.atMs - this.#atMs)));
  }

  /** Lay two parallel lines under the points of either way, as high as they go. */
  #findDrift() {
    const [first, last] = [this.#buckets[0].there.atMs, this.#buckets.at(-1).there.atMs];
    const middle = (first + last) / 2;
    const least = (ofBucket) => Math.min(...this.#buckets.map(ofBucket));
    this.drift = highest((slope) =>
      least(({ there }) => there.apparentMs - slope * (there.atMs - middle)) +
      least(({ back }) => back.apparentMs + slope * (back.atMs - middle)));
    // The best of n even chances lies about 1/n of their range above the floor.
    const count = this.#buckets.reduce((sum, bucket) => sum + bucket.count, 0);
    const doubt = (16 * this.#scatterMs()) / (count * (last - first));
    this.drift *= USUAL_DRIFT ** 2 / (USUAL_DRIFT ** 2 + doubt ** 2);
  }

  /** How far the middle probe lies above the floor, each way. */
  #scatterMs() {
    const floorMs = this.rttMs;
    return median(this.#probes.map(({ there, back }) =>
      there.apparentMs + back.apparentMs + this.drift * (back.atMs - there.atMs) - floorMs)) / 2;
  }
}
