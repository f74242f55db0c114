// PulseAudio's measurements, taken back out of the line that its client library draws through them. Pure.
//
// Browsers on Linux ask that library how late a sample is heard. It measures now and then (soon after a start, then at
// twice the distance each time, at last every 1.5 s) and filters: its answers lie on a straight line from one measurement
// to the next, and a bad measurement at the start makes them wrong for 16 s, by up to 12 ms. But the filters are known,
// so how the answers go on after a measurement tells what was measured. Where nothing filters, what goes in comes out.

import { answerAt, begun, measured, settled, solved } from "./filters.js";
import { at, lineThrough } from "./line.js";

const MEASURED_MS = [150, 310, 630, 1_270, 2_550]; // after a start, and then
const EVERY_MS = 1_503;
const FILLING_MS = 150; // so long after a start the queue is filled
const PUNCTUAL_MS = 120;
const SILENT_FOR_MS = 400; // longer, and a measurement may have passed unseen
const KEPT_MS = EVERY_MS + 2 * PUNCTUAL_MS;
const NOISE_MS = 0.25; // less than this apart two answers are on one line
const QUIET_MS = 0.12; // one standard deviation; what is noisier tells no measurement
const ODD_IN_A_ROW = 3; // so many off the line begin another
const FEW = 5;
const SHORT_MS = 100; // and fewer answers, or within less, tell no slope:
const STEEPEST = 0.01; // it may be anything up to this
const TELLS_AFTER_MS = 450; // some answers after a measurement tell it
const SMALLEST_BREAK_MS = 1;
const UNCLEAR_MS = 500; // so soon after a start it is told too faintly; and where answers jump more often they are not filtered so
const LONG_MS = 1_000;
const BENT = 1e-3; // a long line that rises otherwise by more is not of these filters
const DOUBT_MS = 0.3;
const BLUR_MS = 0.1; // of the mean of some answers

export class Smoother {
  #filters = null; // null where it is not known since when they run
  #count = 0; // measurements since the start
  #fromMs = 0; // the last of them; since then the answers are on one line
  #isKnown = false; // what was measured then
  #seenMs = 0; // when the answers were last seen to leave a line
  #points = []; // the latest of them
  #odd = []; // and those that are off the line

  /** Take in an answer, told at `atMs`. A measurement {atMs, heardMs, doubtMs} if it makes one known, else null. */
  add(atMs, heardMs) {
    const point = { atMs, heardMs };
    const last = this.#points.at(-1);
    if (!last) return this.#start([point], begun(atMs));
    if (atMs - last.atMs > SILENT_FOR_MS) return this.#start([point], null);
    if (!this.#isOnLine(point)) return this.#oddOne(point);
    this.#odd = [];
    this.#points = [...this.#points.filter((one) => one.atMs > atMs - KEPT_MS), point];
    if (!this.#filters) return null;
    if (atMs > this.#nextMs + PUNCTUAL_MS / 2) return this.#goOn(this.#nextMs); // one that changed nothing
    return atMs - this.#fromMs > TELLS_AFTER_MS && this.#stretch.length >= FEW ? this.#measure(this.#stretch) : null;
  }

  /** Since when all that was measured belongs to one unbroken sound; -Infinity or null where that is not known. */
  get startMs() {
    return this.#filters?.startMs ?? null;
  }

  get #nextMs() {
    const soonMs = MEASURED_MS[this.#count];
    return soonMs === undefined ? this.#fromMs + EVERY_MS : this.#filters.startMs + soonMs;
  }

  get #stretch() {
    const since = this.#points.filter(({ atMs }) => atMs >= this.#fromMs);
    return since.length ? since : this.#points.slice(-1);
  }

  #isOnLine({ atMs, heardMs }) {
    const stretch = this.#stretch;
    const line = lineThrough(stretch);
    const isShort = stretch.length < FEW || stretch.at(-1).atMs - stretch[0].atMs < SHORT_MS;
    if (!isShort) return Math.abs(heardMs - at(line, atMs)) < NOISE_MS;
    return Math.abs(heardMs - line.heardMs) < NOISE_MS + STEEPEST * (atMs - line.atMs);
  }

  /** Several in a row: there was a measurement; or the sound broke off, and all begins anew. */
  #oddOne(point) {
    const isFilling = this.#filters?.pivot === null && point.atMs < this.#fromMs + FILLING_MS;
    if (isFilling) this.#points = [point];
    else this.#odd.push(point);
    if (this.#odd.length < ODD_IN_A_ROW) return null;
    const points = this.#odd;
    const [{ atMs }] = points;
    const jumpMs = Math.abs(lineThrough(points).heardMs - lineThrough(this.#stretch.slice(-FEW)).heardMs);
    const isPunctual = this.#filters && Math.abs(atMs - this.#nextMs) < PUNCTUAL_MS;
    const isRegular = Math.abs(atMs - this.#seenMs - EVERY_MS) < PUNCTUAL_MS;
    const isBreak = this.#filters && jumpMs > SMALLEST_BREAK_MS;
    if (!isPunctual && !isRegular) return this.#start(points, isBreak ? begun(atMs, this.#filters) : null);
    let told = null;
    if (isPunctual) told = this.#goOn(atMs);
    // What seemed to be a start was none: they have run for longer.
    else this.#settle(lineThrough(this.#points.filter((one) => one.atMs >= this.#seenMs)), atMs);
    this.#take(points);
    return told;
  }

  #start(points, filters) {
    this.#filters = filters;
    this.#count = 0;
    this.#fromMs = points[0].atMs;
    this.#isKnown = false;
    this.#take(points);
    return null;
  }

  #take(points) {
    this.#seenMs = points[0].atMs;
    this.#points = points;
    this.#odd = [];
  }

  #settle(line, atMs) {
    this.#filters = settled(line, atMs);
    this.#count = MEASURED_MS.length;
    this.#fromMs = atMs;
    this.#isKnown = false;
  }

  /** There was a measurement at `atMs`. */
  #goOn(atMs) {
    const before = this.#stretch.filter((point) => point.atMs < atMs);
    if (before.length === 0) return this.#start(this.#points, null);
    const line = lineThrough(before);
    const { startMs, factor, pivot } = this.#filters;
    if (!pivot) this.#filters.pivot = { atMs: startMs, heardMs: line.heardMs + (1 - factor) * (startMs - line.atMs) };
    const told = pivot ? this.#measure(before) : null;
    const isLong = before.at(-1).atMs - before[0].atMs > LONG_MS;
    this.#count += 1;
    if (isLong && Math.abs(line.slope - (1 - this.#filters.factor)) > BENT) this.#settle(line, atMs);
    this.#fromMs = atMs;
    this.#isKnown = false;
    return told;
  }

  #measure(points) {
    if (this.#isKnown || !this.#filters.pivot) return null;
    this.#isKnown = true;
    const line = lineThrough(points);
    const { heardMs, gain } = solved(this.#filters, this.#fromMs, line);
    this.#filters = measured(this.#filters, { atMs: this.#fromMs, heardMs });
    const isStraight = Math.hypot(...points.map((point) => point.heardMs - answerAt(this.#filters, point.atMs))) < QUIET_MS * Math.sqrt(points.length);
    const isClear = points.length >= FEW && isStraight && this.#fromMs > this.#filters.startMs + UNCLEAR_MS && gain > 0;
    return !isClear ? null : { atMs: this.#fromMs, heardMs, doubtMs: DOUBT_MS + BLUR_MS / gain };
  }
}
