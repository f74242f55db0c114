// The thin shell over Web Audio: keeps the tape supplied, tells it where it should be, and measures.

import { needed, SEGMENT } from "./ahead.js";
import { openDeck } from "./deck.js";
import { Device } from "./device.js";
import { gainOf } from "./loudness.js";
import { Pilot } from "./pilot.js";
import { pieces } from "./schedule.js";
import { Segments } from "./segments.js";
import { Minutes, tuningOf } from "./tune.js";

const SAMPLE_RATE_HZ = 48_000;
const SAMPLES_A_MS = 48;
// So much the browser asks for at once; the sound card keeps three times that. A computer that stands still for 80 ms
// is not heard then, and what is decided now can be heard after 140 ms, within the room's lead.
const BLOCK_S = 0.04;
const LOWEST_HZ = 44_100;
const LOOKS_A_LINE = 4; // 85 to 93 ms
const LOOKS_A_PLAN = 24; // half a second
const STARVED_FOR_MS = 1_000;
const CLICK_EVERY_MS = 1_000;

/** At the sound card's own rate: where the browser resamples, its timestamps leave out what it keeps for that (up to a block). */
function openContext() {
  const context = new AudioContext({ latencyHint: BLOCK_S });
  if (!(context.sampleRate < LOWEST_HZ)) return context;
  // A headset while it telephones. The tape has no low pass, the browser has.
  context.close();
  return new AudioContext({ latencyHint: BLOCK_S, sampleRate: SAMPLE_RATE_HZ });
}

/**
 * Events: `ready` (detail: a track id of which something is loaded), `error` (detail: {trackId, problem}),
 * `state` (may it sound or not).
 */
export class Player extends EventTarget {
  #context = null;
  #volume = null;
  #deck = null;
  #segments = null;
  #pilot;
  #snapshot = null;
  #pieces = [];
  #looks = 0;
  #starvedAtMs = -Infinity;
  #hasFailed = false; // to open: told once
  device = new Device();
  minutes = new Minutes();
  /** How far what is heard is from the schedule, ms; positive: too late. Null while nothing sounds. */
  errorMs = null;

  /** @param {import("./clock.js").ClusterClock} clock */
  constructor(clock) {
    super();
    this.clock = clock;
    this.#pilot = new Pilot(clock);
    this.device.addEventListener("change", () => {
      this.#pilot.offsetMs = this.device.offsetMs;
      this.#deck?.do("settle", []);
    });
    this.#pilot.offsetMs = this.device.offsetMs;
    document.addEventListener("visibilitychange", () => document.hidden || this.unlocked || this.#context?.resume().catch(() => {}));
  }

  /** True once the browser lets us sound. */
  get unlocked() {
    return this.#context?.state === "running";
  }

  /** Ask to sound. From a click it always works; else the browser may keep us silent until one. */
  unlock() {
    if (!this.#context) this.#open().catch((problem) => this.#failed(problem));
    // Without a click this promise stays open until there is one: nobody waits for it.
    if (!this.unlocked) this.#context?.resume().catch(() => {});
    if (this.#snapshot) this.update(this.#snapshot);
  }

  /** 0 (mute) to 1; this device only, kept here. */
  get volume() {
    return this.device.volume;
  }

  set volume(level) {
    this.device.setVolume(level);
    this.#volume?.gain.setTargetAtTime(level, this.#context.currentTime, 0.02);
  }

  /** In which of the states of tune.js this page is; null while nothing plays. */
  get tuning() {
    const { entry, status } = this.#snapshot?.playback ?? {};
    return tuningOf({
      isPlaying: Boolean(entry) && status === "playing" && !this.#snapshot.suspended,
      isUnlocked: this.unlocked,
      isStarved: performance.now() - this.#starvedAtMs < STARVED_FOR_MS,
      errorMs: this.errorMs,
    });
  }

  /** True if what sounds is what was uploaded, because the rendition that others hear is still being made. */
  isOriginal(trackId) {
    return this.#segments?.isOriginal(trackId) ?? false;
  }

  /** A click at each whole second of cluster time, for so long. */
  click(forMs) {
    if (!this.clock.ready) return;
    const { originMs, place } = this.#pilot;
    const first = this.#pilot.placeOf(Math.ceil(originMs / CLICK_EVERY_MS) * CLICK_EVERY_MS);
    this.#deck?.do("click", [first, place + forMs * SAMPLES_A_MS, CLICK_EVERY_MS * SAMPLES_A_MS]);
  }

  /** True if the track can begin, or go on, at once. */
  isReady(trackId) {
    const { entry, position_ms: positionMs = 0 } = this.#snapshot?.playback ?? {};
    const place = this.clock.ready ? this.#pilot.place : 0;
    const playing = this.#pieces.find(({ trackId: sounding, from, to }) => sounding === trackId && from <= place && place < to);
    const position = playing ? place - playing.origin : entry?.track.track_id === trackId ? positionMs * SAMPLES_A_MS : 0;
    return this.#segments?.has(trackId, Math.floor(position / SEGMENT)) ?? false;
  }

  /** Make it sound as the snapshot says; call after every change. */
  update(snapshot) {
    this.#snapshot = snapshot;
    this.#plan();
  }

  /** The line to the server is a new one. */
  renewed() {
    this.#segments?.renewed();
  }

  /** Silence at once (leaving a room). */
  silence() {
    this.#snapshot = null;
    this.#pieces = [];
    this.errorMs = null;
    this.#deck?.do("plan", [[]]);
    this.#segments?.keep([]);
  }

  async #open() {
    const context = openContext();
    this.#context = context;
    this.#volume = new GainNode(context, { gain: this.device.volume });
    this.#volume.connect(context.destination);
    this.#segments = new Segments(new OfflineAudioContext({ length: 1, sampleRate: SAMPLE_RATE_HZ }));
    context.addEventListener("statechange", () => {
      // Where it stood still it would go on from a line of before: it is silent until there is a new one.
      this.#pilot.reset();
      this.errorMs = null;
      this.#deck?.do("follow", [null]);
      this.#deck?.do("settle", []);
      this.dispatchEvent(new Event("state"));
    });
    for (const kind of ["ready", "error", "change"]) this.#segments.addEventListener(kind, ({ detail }) => this.#heard(kind, detail));
    this.#segments.addEventListener("drop", ({ detail }) => this.#deck?.do("drop", [detail.stream, detail.first]));
    const deck = await openDeck(context);
    deck.node.connect(this.#volume);
    deck.addEventListener("look", ({ detail }) => this.#look(detail));
    this.#segments.addEventListener("samples", ({ detail: { stream, first, left, right } }) =>
      deck.do("add", [stream, first, left, right], [left.buffer, right.buffer]));
    this.#deck = deck;
    this.#hasFailed = false;
    this.#plan();
  }

  /** It could not be opened (the audio thread's code did not come, or there is no sound card): the next unlock() tries again. */
  #failed(problem) {
    this.#context?.close().catch(() => {});
    this.#context = this.#volume = this.#segments = null;
    if (!this.#hasFailed) this.dispatchEvent(new CustomEvent("error", { detail: { problem } }));
    this.#hasFailed = true;
  }

  #heard(kind, detail) {
    if (kind === "change") this.#plan();
    else this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  /** Say what sounds when, and have what that takes. */
  #plan() {
    if (!this.#deck || !this.#snapshot || !this.clock.ready) return;
    const describe = (trackId) => ({ stream: this.#segments.stream(trackId), gain: gainOf(this.#segments.details(trackId)?.rendition) });
    this.#pieces = pieces(this.#snapshot, this.#pieces, { nowMs: this.clock.nowMs(), originMs: this.#pilot.originMs, describe });
    this.#deck.do("plan", [this.#pieces]);
    this.#segments.keep(needed(this.#pieces, this.#pilot.place, this.#later()));
  }

  /** What has no agreed start yet: the current track while it rests, and the first that waits. */
  #later() {
    const { playback: { entry, status, position_ms: positionMs }, queue } = this.#snapshot;
    const resting = entry && status !== "playing" ? [{ track: entry.track, position: positionMs * SAMPLES_A_MS }] : [];
    const waiting = queue.slice(0, 1).map(({ track }) => ({ track, position: 0 }));
    return [...resting, ...waiting].map(({ track, position }) => ({ trackId: track.track_id, samples: track.duration_samples, position }));
  }

  #look({ frame, place, sounding, starvedFrames }) {
    if (starvedFrames > 0) this.#starvedAtMs = performance.now();
    this.#pilot.add(this.#context.getOutputTimestamp(), performance.now());
    if (!this.unlocked || !this.#pilot.ready) return;
    this.#looks += 1;
    if (this.#looks % LOOKS_A_LINE !== 0) return;
    if (this.#pilot.hasBroken) this.#deck.do("settle", []);
    const line = this.#pilot.line(frame, this.#context.sampleRate);
    this.#deck.do("follow", [line]);
    this.errorMs = sounding ? (line.place - place) / SAMPLES_A_MS : null;
    if (this.errorMs !== null) this.minutes.add(performance.now(), this.errorMs);
    if (this.#looks % LOOKS_A_PLAN === 0 && this.#snapshot) this.#segments.keep(needed(this.#pieces, this.#pilot.place, this.#later()));
  }
}
