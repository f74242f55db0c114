// What sounds, sample by sample: pieces of tracks on one line of cluster time, read by a head that is
// steered to where the schedule says. Pure: it runs where the sound is made, and in tests.
//
// Places on the line are counted in samples (48 a ms of cluster time) from an origin that all share; frames
// are what the sound card takes, at its own rate.

import { addResampled, REACH } from "./resample.js";
import { Steering } from "./steering.js";

const SAMPLES_A_MS = 48;
const FADE = 720; // 15 ms: from one place or plan to another
const EDGE = 480; // 10 ms: where a piece begins or ends amid the music
const JOINED_BEFORE = 72_000; // 1.5 s before a track ends, and half a second after, nothing is bent
const JOINED_AFTER = 24_000;
const GRID_RATE = 5e-4;
const STEADY_RATE = 2e-5; // a clock that is nearer to ours is followed by bending now and then

const CLICK = 960; // 20 ms of 1 kHz
const CLICK_TURNS = (2 * Math.PI) / 48;

const piecesAt = (pieces, place) => pieces.find(({ from, to }) => from <= place && place < to);
const sameSound = (one, other) => one === other || Boolean(one && other && one.stream === other.stream && one.origin === other.origin);

/**
 * A piece: the samples of `stream` from `from` to `to`, where sample 0 of the stream lies at
 * `origin`, times `gain`; `softStart` and `softEnd` if it is cut there.
 * @typedef {{stream: string, origin: number, from: number, to: number, gain: number, softStart: boolean, softEnd: boolean}} Piece
 */
export class Tape {
  #blocks = new Map(); // stream -> [{first, left, right}], in order
  #dropped = []; // of these, what may still fade
  #pieces = [];
  #line = null; // {frame, place, rate}: where the head should be at a frame, and how it goes on
  #rate = 1; // places a frame, of the latest line
  #head = 0;
  #fade = null; // {left, leaving}: for so many frames more something else can be heard than is planned
  #steering = new Steering();
  #wasSilent = true;
  #left = new Float32Array(0);
  #right = new Float32Array(0);
  #gains = new Float32Array(0);
  #clicks = null;
  #starvedFrames = 0;
  #jumps = 0;

  /** Take in decoded samples of a stream, from its sample `first` on. */
  add(stream, first, left, right) {
    const piece = piecesAt(this.#pieces, this.#head);
    const at = this.#head - (piece?.origin ?? 0);
    if (piece?.stream === stream && at >= first && at < first + left.length) this.#fadeFrom(this.#pieces);
    this.drop(stream, first);
    const blocks = this.#blocks.get(stream) ?? [];
    this.#blocks.set(stream, [...blocks, { first, left, right }].sort((a, b) => a.first - b.first));
  }

  /** Forget the samples of a stream that begin at `first`, or all of it. */
  drop(stream, first) {
    const before = this.#blocks.get(stream) ?? [];
    const blocks = first === undefined ? [] : before.filter((block) => block.first !== first);
    this.#dropped.push(...before.filter((block) => !blocks.includes(block)));
    if (blocks.length) this.#blocks.set(stream, blocks);
    else this.#blocks.delete(stream);
  }

  /** From now on these pieces sound. What differs under the head is cross-faded. @param {Piece[]} pieces */
  plan(pieces) {
    const before = this.#pieces;
    if (!sameSound(piecesAt(before, this.#head), piecesAt(pieces, this.#head))) this.#fadeFrom(before);
    this.#pieces = pieces;
  }

  /** At `frame` the head should be at `place`, and go on by `rate` places a frame. Null: nobody knows where; silence. */
  follow(line) {
    if (Boolean(line) !== Boolean(this.#line)) this.#fadeFrom(this.#pieces);
    if (!line) this.#wasSilent = true;
    this.#rate = line?.rate ?? this.#rate;
    this.#line = line;
  }

  /** From the place `first` to `last` there is a click each `every` samples, for the ear to compare. */
  click(first, last, every) {
    this.#clicks = { first, last, every };
  }

  /** The sound broke off, or begins: it may be put right quickly for 3 s. */
  settle() {
    this.#steering.settle();
  }

  /** Where the head is at `frame`, the next to be made, and what has happened since it was asked last. */
  look(frame) {
    const piece = piecesAt(this.#pieces, this.#head);
    const told = {
      frame, place: this.#head, bend: this.#steering.bend, settling: this.#steering.settling, sounding: Boolean(this.#line && piece),
      starvedFrames: this.#starvedFrames, jumps: this.#jumps,
    };
    this.#starvedFrames = 0;
    this.#jumps = 0;
    return told;
  }

  /**
   * The memory of what was dropped and can be heard no more, for whoever gave it: on the audio thread, samples that are left
   * to be collected hold up the sound of the whole computer.
   */
  release() {
    if (this.#dropped.length === 0) return [];
    const fading = new Set(this.#fade?.leaving.flatMap(({ blocks }) => [...blocks.values()].flat()));
    const released = this.#dropped.filter((block) => !fading.has(block));
    this.#dropped = this.#dropped.filter((block) => fading.has(block));
    return [...new Set(released.flatMap(({ left, right }) => [left.buffer, right.buffer]))];
  }

  /** Make the frames from `frame` on. */
  process(frame, left, right) {
    left.fill(0);
    right.fill(0);
    if (this.#line) this.#follow(frame, left, right);
    else this.#fadeOut(this.#rate, left, right);
  }

  #follow(frame, left, right) {
    const count = left.length;
    const { rate } = this.#line;
    const wanted = this.#line.place + (frame - this.#line.frame) * rate;
    const isSteady = Math.abs(rate - 1) < STEADY_RATE;
    if (this.#wasSilent) this.#goTo(isSteady ? Math.round(wanted) : wanted);
    else if (this.#steering.jumps((this.#head - wanted) / SAMPLES_A_MS, count * rate / SAMPLES_A_MS, this.#isJoining) && !this.#fade) {
      this.#jumps += 1;
      this.#fadeFrom(this.#pieces);
      this.#goTo(isSteady ? Math.round(wanted) : wanted);
    }
    const { bend } = this.#steering;
    // At rest on a whole sample what comes out is what was in the file, bit by bit.
    const step = isSteady && bend === 0 ? 1 - this.#offGrid(count) : rate * (1 + bend);
    const gone = this.#fade ? 1 - this.#fade.left / FADE : 1;
    this.#setGains(count, gone, this.#fade ? step / FADE : 0);
    const sounds = this.#play(this.#pieces, this.#blocks, this.#head, step, left, right) || Boolean(this.#fade?.leaving.length);
    if (sounds && this.#wasSilent) this.#steering.settle();
    this.#wasSilent = !sounds;
    if (this.#clicks) this.#addClicks(step, left, right);
    this.#head += count * step;
    if (Math.abs(this.#head - Math.round(this.#head)) < 1e-6) this.#head = Math.round(this.#head);
    this.#fadeOut(step, left, right);
  }

  #fadeOut(step, left, right) {
    const fade = this.#fade;
    if (!fade) return;
    const count = left.length;
    for (const each of fade.leaving) {
      this.#setGains(count, each.gain * fade.left / FADE, -each.gain * step / FADE);
      this.#play(each.pieces, each.blocks, each.head, step, left, right);
      each.head += count * step;
    }
    fade.left -= count * step;
    if (fade.left <= 0) this.#fade = null;
  }

  /** True near where one piece goes on in the next: there the ear, and who measures, hears every sample. */
  get #isJoining() {
    return this.#pieces.some(({ to, softEnd }) => !softEnd && to > this.#head - JOINED_AFTER && to < this.#head + JOINED_BEFORE
      && this.#pieces.some((next) => next.from === to));
  }

  /** By how much to slow down over the next `count` frames, to come onto a whole sample. */
  #offGrid(count) {
    const off = (this.#head - Math.round(this.#head)) / count;
    return Math.max(-GRID_RATE, Math.min(GRID_RATE, off));
  }

  #goTo(place) {
    this.#head = place;
    this.#steering.rest();
  }

  /** What sounds now goes within a fade, each part from as loud as it just is, so that nothing breaks off. */
  #fadeFrom(pieces) {
    const rest = this.#fade ? this.#fade.left / FADE : 0;
    const leaving = (this.#fade?.leaving ?? []).map((each) => ({ ...each, gain: each.gain * rest }));
    // Its samples are kept here: they may be dropped before it has faded.
    if (this.#line) leaving.push({ pieces, blocks: new Map(this.#blocks), head: this.#head, gain: 1 - rest });
    this.#fade = { left: FADE, leaving: leaving.filter(({ gain }) => gain > 0) };
  }

  #setGains(count, from, step) {
    if (this.#gains.length !== count) this.#gains = new Float32Array(count);
    for (let index = 0; index < count; index += 1) this.#gains[index] = Math.max(0, Math.min(1, from + step * index));
  }

  #addClicks(step, left, right) {
    const { first, last, every } = this.#clicks;
    for (let index = 0; index < left.length; index += 1) {
      const place = this.#head + index * step;
      const since = (place - first) % every;
      if (place < first || place > last || since >= CLICK) continue;
      const sample = 0.5 * (1 - since / CLICK) * Math.sin(CLICK_TURNS * since);
      left[index] += sample;
      right[index] += sample;
    }
    if (this.#head > last) this.#clicks = null;
  }

  /** Add what lies from `head` on; false if that is silence. */
  #play(pieces, blocks, head, step, left, right) {
    const first = Math.floor(head) - REACH + 1;
    const length = Math.ceil(left.length * step) + 2 * REACH + 1;
    if (this.#left.length < length) {
      this.#left = new Float32Array(length + REACH);
      this.#right = new Float32Array(length + REACH);
    }
    if (!this.#read(pieces, blocks, first, length)) return false;
    addResampled(left, this.#left, head - first, step, this.#gains);
    addResampled(right, this.#right, head - first, step, this.#gains);
    return true;
  }

  /** Lay out `length` whole samples from the place `first` on; false if there are none. */
  #read(pieces, blocks, first, length) {
    this.#left.fill(0);
    this.#right.fill(0);
    let sounds = false;
    for (const piece of pieces) {
      const [from, to] = [Math.max(first, piece.from), Math.min(first + length, piece.to)];
      if (from >= to) continue;
      let found = 0;
      for (const block of blocks.get(piece.stream) ?? []) {
        const start = piece.origin + block.first;
        const [low, high] = [Math.max(from, start), Math.min(to, start + block.left.length)];
        if (low >= high) continue;
        found += high - low;
        this.#left.set(block.left.subarray(low - start, high - start), low - first);
        this.#right.set(block.right.subarray(low - start, high - start), low - first);
      }
      sounds ||= found > 0;
      if (found < to - from && blocks === this.#blocks) this.#starvedFrames += to - from - found;
      this.#weigh(piece, first, from, to);
    }
    return sounds;
  }

  #weigh(piece, first, from, to) {
    const { gain, softStart, softEnd } = piece;
    const amid = (!softStart || from >= piece.from + EDGE) && (!softEnd || to <= piece.to - EDGE);
    if (gain === 1 && amid) return;
    for (let place = from; place < to; place += 1) {
      const start = softStart ? Math.min(1, (place - piece.from) / EDGE) : 1;
      const end = softEnd ? Math.min(1, (piece.to - place) / EDGE) : 1;
      this.#left[place - first] *= gain * start * end;
      this.#right[place - first] *= gain * start * end;
    }
  }
}
