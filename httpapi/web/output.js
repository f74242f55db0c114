// Which sample leaves the speaker when: audio time against performance.now(). Pure.
//
// Of what AudioContext.getOutputTimestamp() says is being heard the first pairs are zeros or stale. Where
// the system guesses its own delay (PulseAudio) the others are off by as much as 12 ms for the first 16 s,
// but what it measured can be told from them (smoother.js), and a line is laid through that. Where it cannot,
// the line goes through the upper edge of each half second (a browser that resamples makes a saw of them: what it
// keeps for that counts as played), each weighed by how far it can be trusted at its age.
// When the browser asks for samples tells nothing more: it does so in several rhythms, and asks no
// later after a break. `outputLatency`, which moves in steps of 8 ms, is not used.

import { at, trustedLine } from "./line.js";
import { median, spread } from "./median.js";
import { Smoother } from "./smoother.js";

const STALE_MS = 100; // a pair that is further from now was not told now
const BUCKET_MS = 500; // a saw's tooth is shorter
const PAIRS_A_BUCKET = 10; // fewer tell no edge
const KEPT_MS = 40_000;
const WARMING_MS = 300; // the first pairs of all are below the edge
const FIRST_MS = 400;
const SPREAD_MS = 60; // of the first pairs: what is further apart was not steady yet

// How far an edge is off, one standard deviation, by how long the sound has gone on unbroken.
const YOUNG_MS = 1_300;
const SETTLED_MS = 16_000;
const ENOUGH = 8; // settled edges make all others superfluous
const DOUBTS = [
  { untilMs: YOUNG_MS, doubtMs: 1.5 },
  { untilMs: 2_000, doubtMs: 4 },
  { untilMs: 10_000, doubtMs: 8 },
  { untilMs: SETTLED_MS, doubtMs: 2 },
  { untilMs: Infinity, doubtMs: 0.7 },
];
const SPARSE_MS = 2_000; // of what took longer (a hidden tab is asked once a second) hardly a pair lies at the edge
const SPARSE_DOUBT_MS = 5;
const ALIKE_IN_A_ROW = 2; // neighbours are off by the same: so many count as one
const STEEPEST_DRIFT = 1.5e-3;
const USUAL_DRIFT = 1.5e-4; // what is expected before anything was measured, one standard deviation

// The sound broke off if the edges lay calmly, and a second later they lie elsewhere; or if they are very far out, and as
// much nearer to each other.
const BREAK_MS = 4.5;
const CALM_MS = 3;
const AGREED_MS = 3;
const AT_ONCE = 0.6; // so much of it from one edge to the next
const FAR_BREAK_MS = 20;
// Without that, a delay that stays elsewhere for so long is another: a small break, or another speaker.
const STAYS_FOR = 12;
const ELSEWHERE_MS = 1.5;
const LOST_MS = 30; // so far out is believed however restless it is
// Settled edges that move by more in a second and a half are the system guessing anew: they count as young ones.
const RESTLESS_MS = 2;
const ANEW_MS = 2_000; // so old

const MEASURED_EVERY_MS = 2_500; // as long as measurements come sooner than that, edges are superfluous
const FORGOTTEN_MS = 5_000;
const RELIABLE = 3; // so many make all edges superfluous
const SHIFTED = 3; // so many in a row, this many times their doubt away and nearer to each other: it is heard elsewhere

function doubtOf({ doubtMs, ageMs, lastsMs }) {
  if (doubtMs) return doubtMs;
  const ofAgeMs = DOUBTS.find(({ untilMs }) => ageMs < untilMs).doubtMs;
  return lastsMs > SPARSE_MS ? Math.max(SPARSE_DOUBT_MS, ofAgeMs) : ofAgeMs;
}

/** The highest but one: the highest may be there by accident. */
const edge = (values) => values.sort((a, b) => b - a)[1];

export class OutputClock {
  #pairs = []; // of the bucket that fills: {atMs, heardMs}, the latter less the audio time
  #edges = []; // {atMs, lastsMs, ageMs, heardMs} of the full ones, and {doubtMs} of what was measured
  #smoother = new Smoother();
  #startMs = null; // of what it knows
  #measuredAtMs = -Infinity; // the last time
  #lastS = 0;
  #bornMs = null; // since then the sound has gone on unbroken
  #line = null;
  #knownSlope = 0; // as it was before the sound broke off or stood still: the sound card is the same
  /** How often it was known at once that the sound is heard elsewhere: it broke off, or enough had been measured. */
  steps = 0;

  /** Take in a pair of getOutputTimestamp(). One that is empty or did not move tells nothing. */
  add({ contextTime, performanceTime }, nowMs) {
    if (!(contextTime > 0) || !(performanceTime > 0) || contextTime <= this.#lastS) return;
    this.#lastS = contextTime;
    this.#bornMs ??= nowMs;
    const heardMs = performanceTime - contextTime * 1_000;
    const isLive = Math.abs(nowMs - performanceTime) < STALE_MS;
    const measurement = isLive && this.#smoother.add(performanceTime, heardMs);
    if (measurement && this.steady) this.#believe(measurement);
    this.#pairs.push({ atMs: nowMs, heardMs });
    const lastsMs = nowMs - this.#pairs[0].atMs;
    if (this.#pairs.length < PAIRS_A_BUCKET) return;
    if (lastsMs >= BUCKET_MS) this.#close();
    else if (!this.steady && lastsMs >= FIRST_MS && this.#areSteady) this.#line = { ...this.#edge(), slope: 0 };
  }

  /** Forget everything: the audio stood still, so that old pairs mean nothing. */
  reset() {
    this.#remember();
    this.#pairs = [];
    this.#edges = [];
    this.#smoother = new Smoother();
    this.#startMs = null;
    this.#measuredAtMs = -Infinity;
    this.#lastS = 0;
    this.#bornMs = null;
    this.#line = null;
  }

  /** True once several pairs in a row agreed. */
  get steady() {
    return this.#line !== null;
  }

  /** How much faster the sound card goes than performance.now(): 1e-6 is one ppm. */
  get drift() {
    return -this.#line.slope;
  }

  /** The instant of performance.now() at which an audio time, in s, is heard. */
  performanceMs(contextS) {
    return contextS * 1_000 + at(this.#line, contextS * 1_000 + this.#line.heardMs);
  }

  get #areSteady() {
    return spread(this.#pairs.map(({ heardMs }) => heardMs)) < SPREAD_MS;
  }

  #edge() {
    const [{ atMs }] = this.#pairs;
    return { atMs, lastsMs: this.#pairs.at(-1).atMs - atMs, ageMs: atMs - this.#bornMs, heardMs: edge(this.#pairs.map(({ heardMs }) => heardMs)) };
  }

  #close() {
    const isWarm = this.#pairs[0].atMs - this.#bornMs >= WARMING_MS;
    if (isWarm && (this.steady || this.#areSteady)) this.#take(this.#edge());
    // Where it is not warm yet, the next bucket begins when it is.
    this.#pairs = isWarm ? [] : this.#pairs.filter(({ atMs }) => atMs - this.#bornMs >= WARMING_MS);
  }

  #take(edge) {
    const isFirst = this.#rejuvenate(edge);
    if (edge.ageMs > YOUNG_MS && edge.atMs < this.#measuredAtMs + MEASURED_EVERY_MS) return;
    this.#keep(edge);
    if (isFirst && Math.abs(this.#offMs(1)[0]) > BREAK_MS) this.#startAnew(1);
    else if (this.#hasBroken()) this.#startAnew(2);
    else if (this.#isElsewhere()) this.#edges = this.#edges.slice(-STAYS_FOR);
    else if (this.#isRestless()) this.#distrust();
    this.#fit();
  }

  /** Measurements begin anew where the sound broke off: until then only edges tell where it is heard. True for the first. */
  #rejuvenate(edge) {
    const { startMs } = this.#smoother;
    const hasBegun = edge.atMs < this.#measuredAtMs + FORGOTTEN_MS && startMs > this.#bornMs;
    const isFirst = hasBegun && startMs !== this.#startMs;
    this.#startMs = startMs;
    if (hasBegun) edge.ageMs = Math.max(0, edge.atMs - startMs);
    return isFirst;
  }

  #believe(measurement) {
    this.#measuredAtMs = measurement.atMs;
    this.#keep({ ...measurement, lastsMs: 0, ageMs: SETTLED_MS });
    if (this.#hasShifted()) this.#startAnew(SHIFTED);
    else if (this.#measured.length === RELIABLE) this.steps += 1;
    this.#fit();
  }

  #keep(edge) {
    this.#edges = [...this.#edges.filter(({ atMs }) => atMs > edge.atMs - KEPT_MS), edge];
  }

  /** How much later the latest edges lie than the line. */
  #offMs(count) {
    return this.#edges.slice(-count).map((one) => one.heardMs - at(this.#line, one.atMs));
  }

  #hasShifted() {
    const latest = this.#edges.slice(-SHIFTED);
    if (latest.length < SHIFTED || !latest.every(({ doubtMs }) => doubtMs)) return false;
    const off = this.#offMs(SHIFTED);
    const doubtMs = Math.max(...latest.map((one) => one.doubtMs));
    return spread(off) < 3 * doubtMs && Math.abs(median(off)) > 3 * doubtMs;
  }

  #hasBroken() {
    if (!this.steady || this.#edges.length < 6) return false;
    const off = this.#offMs(6);
    const [before, after] = [off.slice(0, 3), off.slice(4)];
    const stepMs = median(after) - median(before);
    const isAtOnce = Math.max(Math.abs(off[3] - off[2]), Math.abs(off[4] - off[3])) > AT_ONCE * Math.abs(stepMs);
    const isLarge = Math.min(Math.abs(stepMs), Math.abs(median(after))) > BREAK_MS;
    // Of what was measured an edge is off as far as the system guesses, which is no step.
    const areAlike = this.#edges.slice(-6).every(({ doubtMs }) => !doubtMs);
    if (areAlike && isLarge && isAtOnce && spread(before) < CALM_MS && spread(after) < AGREED_MS) return true;
    const farMs = Math.abs(median(off.slice(3)));
    return farMs > FAR_BREAK_MS && spread(off.slice(3)) < farMs / 3;
  }

  /** The sound broke off: the system guesses anew from there on. */
  #startAnew(count) {
    this.#remember();
    const latest = this.#edges.slice(-count);
    const [{ atMs }] = latest;
    this.#bornMs = atMs;
    this.#edges = latest.map((one) => ({ ...one, ageMs: one.doubtMs ? SETTLED_MS : one.atMs - atMs }));
    this.steps += 1;
  }

  get #settled() {
    return this.#edges.filter(({ ageMs, lastsMs }) => ageMs >= SETTLED_MS && lastsMs <= SPARSE_MS);
  }

  get #measured() {
    return this.#edges.filter(({ doubtMs }) => doubtMs);
  }

  #remember() {
    if (this.#settled.length >= ENOUGH) this.#knownSlope = this.#line.slope;
  }

  #isRestless() {
    if (!this.steady || this.#settled.length < 2 * ENOUGH || this.#edges.at(-1).ageMs < SETTLED_MS) return false;
    const off = this.#offMs(6);
    return Math.abs(median(off.slice(3)) - median(off.slice(0, 3))) > RESTLESS_MS;
  }

  /** The latest edges are of a new guess; those before them stay what they were. */
  #distrust() {
    const first = this.#edges.length - 3;
    this.#bornMs = this.#edges[first].atMs - ANEW_MS;
    this.#edges = this.#edges.map((one, index) => (index < first ? one : { ...one, ageMs: one.atMs - this.#bornMs }));
  }

  /** True if the edges have come to rest away from the line, with nothing that broke. */
  #isElsewhere() {
    if (!this.steady || this.#edges.length <= STAYS_FOR) return false;
    const off = this.#offMs(STAYS_FOR);
    if (off.every((ms) => Math.abs(ms) > LOST_MS)) {
      this.steps += 1;
      return true;
    }
    const isSettled = this.#edges.at(-STAYS_FOR).ageMs >= SETTLED_MS;
    return isSettled && spread(off) < CALM_MS && Math.abs(median(off)) > ELSEWHERE_MS;
  }

  /** What was measured, if it is much and new; else the settled edges, if there are some; else all. */
  get #best() {
    const lastMs = this.#edges.at(-1).atMs;
    const measured = this.#measured;
    if (measured.length >= RELIABLE && lastMs < this.#measuredAtMs + FORGOTTEN_MS) return measured;
    return this.#settled.length < ENOUGH ? this.#edges : this.#settled;
  }

  #fit() {
    const edges = this.#best;
    const faith = ALIKE_IN_A_ROW / USUAL_DRIFT ** 2;
    const line = trustedLine(edges, doubtOf, { slope: this.#knownSlope, faith });
    this.#line = { ...line, slope: Math.max(-STEEPEST_DRIFT, Math.min(STEEPEST_DRIFT, line.slope)) };
  }
}
