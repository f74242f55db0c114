// Where the tape should be: cluster time, the sound card and this device's own delay in one. Pure.

import { OutputClock } from "./output.js";

const SAMPLES_A_MS = 48;

export class Pilot {
  #output = new OutputClock();
  #steps = 0;
  #originMs = null;
  /** So much later than the browser believes what it plays is heard, ms. */
  offsetMs = 0;

  /** @param {import("./clock.js").ClusterClock} clock */
  constructor(clock) {
    this.clock = clock;
  }

  /** The instant, in cluster ms, of the tape's place 0: a whole number, so that samples lie alike everywhere. */
  get originMs() {
    this.#originMs ??= Math.round(this.clock.nowMs());
    return this.#originMs;
  }

  /** True once both clocks are known. */
  get ready() {
    return this.clock.ready && this.#output.steady;
  }

  /** A pair of getOutputTimestamp(). */
  add(pair, nowMs) {
    this.#output.add(pair, nowMs);
  }

  /** The sound stood still: what was known of the sound card means nothing any more. */
  reset() {
    this.#output.reset();
  }

  /** True once after each time that the sound broke off. */
  get hasBroken() {
    const { steps } = this.#output;
    const has = steps !== this.#steps;
    this.#steps = steps;
    return has;
  }

  /** The place of an instant in cluster ms. */
  placeOf(atMs) {
    return (atMs - this.originMs) * SAMPLES_A_MS;
  }

  /** Where the schedule is now. */
  get place() {
    return this.placeOf(this.clock.nowMs());
  }

  /** Where the tape should be at a frame, of `framesHz`, and how it goes on: what is heard then is what the schedule says. */
  line(frame, framesHz) {
    const heardMs = this.#output.performanceMs(frame / framesHz) + this.offsetMs;
    const samplesAFrame = (SAMPLES_A_MS * 1_000) / framesHz;
    return { frame, place: this.placeOf(this.clock.clusterMs(heardMs)), rate: samplesAFrame * (1 + this.clock.drift) * (1 - this.#output.drift) };
  }
}
