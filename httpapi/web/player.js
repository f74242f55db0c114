// The thin shell over Web Audio: makes the cues of schedule.js sound, and keeps them in tune.

import { Buffers } from "./buffers.js";
import { OutputClock } from "./output.js";
import { changesAtMs, cues, follows, sameSound, steer, wanted } from "./schedule.js";
import { Voice } from "./voice.js";

const SAMPLE_RATE_HZ = 48_000;
const LATE_START_S = 0.06; // a cue already under way begins this much ahead, at its later position
const LOOK_EVERY_MS = 50;
const LOOKS_A_CHECK = 10;
const FROZEN_BEFORE_END_MS = 1_500; // a piece whose end is joined to the next is not bent any more
const VOLUME_KEY = "unisono.volume";

/** Events: `ready` (detail: a track id is decoded), `error`, `state` (may it sound or not). */
export class Player extends EventTarget {
  #context = null;
  #volume = null;
  #buffers = new Buffers();
  #output = new OutputClock();
  #voices = [];
  #snapshot = null;
  #looks = 0;
  #level = Number(localStorage.getItem(VOLUME_KEY) ?? 1);
  /** How far what is heard is from the schedule, ms; positive: too early. Null while unknown. */
  errorMs = null;

  /** @param {import("./clock.js").ClusterClock} clock */
  constructor(clock) {
    super();
    this.clock = clock;
    this.#buffers.addEventListener("ready", ({ detail }) => {
      this.#plan();
      this.dispatchEvent(new CustomEvent("ready", { detail }));
    });
    this.#buffers.addEventListener("error", ({ detail }) => this.dispatchEvent(new CustomEvent("error", { detail })));
    setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  /** True once the browser lets us sound. */
  get unlocked() {
    return this.#context?.state === "running";
  }

  /** Ask to sound. From a click it always works; else the browser may keep us silent until one. */
  unlock() {
    if (!this.#context) {
      this.#context = new AudioContext({ sampleRate: SAMPLE_RATE_HZ, latencyHint: "playback" });
      this.#volume = new GainNode(this.#context, { gain: this.#level });
      this.#volume.connect(this.#context.destination);
      this.#context.addEventListener("statechange", () => {
        this.#output.reset();
        this.dispatchEvent(new Event("state"));
      });
    }
    // Without a click this promise stays open until there is one: nobody waits for it.
    if (!this.unlocked) this.#context.resume().catch(() => {});
    if (this.#snapshot) this.update(this.#snapshot);
  }

  /** 0 (mute) to 1; this device only, kept here. */
  get volume() {
    return this.#level;
  }

  set volume(level) {
    this.#level = level;
    localStorage.setItem(VOLUME_KEY, String(level));
    this.#volume?.gain.setTargetAtTime(level, this.#context.currentTime, 0.02);
  }

  isReady(trackId) {
    return this.#buffers.get(trackId) !== undefined;
  }

  /** Make it sound as the snapshot says; call after every change. */
  update(snapshot) {
    this.#snapshot = snapshot;
    if (!this.#context) return;
    this.#buffers.keep(wanted(snapshot), this.#context);
    this.#plan();
  }

  /** Silence at once (leaving a room). */
  silence() {
    this.#snapshot = null;
    for (const voice of [...this.#voices]) this.#stop(voice, 0);
  }

  get #canPlay() {
    return this.#snapshot && this.unlocked && this.clock.ready && this.#output.steady;
  }

  /** The audio time at which a cluster instant is heard. */
  #audioS(atMs) {
    return this.#output.contextS(this.clock.localMs(atMs));
  }

  /** Stop what no longer holds, start what is not yet sounding. */
  #plan() {
    if (!this.#canPlay) return;
    const list = cues(this.#snapshot).filter((cue) => cue.endMs > this.clock.nowMs());
    const changeAtMs = changesAtMs(this.#snapshot);
    for (const voice of [...this.#voices]) {
      const same = list.find((cue) => sameSound(cue, voice.cue));
      if (same) voice.cue = same;
      else if (!voice.stopping && voice.cue.endMs > this.clock.nowMs()) {
        this.#stop(voice, changeAtMs === null ? 0 : this.#audioS(changeAtMs));
      }
    }
    for (const cue of list) {
      if (!this.#voiceOf(cue) && this.#buffers.get(cue.trackId)) this.#start(cue);
    }
  }

  #voiceOf(cue) {
    return this.#voices.find((voice) => !voice.stopping && sameSound(voice.cue, cue));
  }

  #before(cue) {
    return this.#voices.find((voice) => !voice.stopping && follows(cue, voice.cue));
  }

  #start(cue, fade = cue.positionMs > 0) {
    const earliestS = this.#context.currentTime + LATE_START_S;
    // Joined to the sample where the one before ends: two clocks are never laid side by side.
    let whenS = this.#before(cue)?.endS ?? this.#audioS(cue.atMs);
    let { positionMs } = cue;
    if (whenS < this.#context.currentTime + 0.005) {
      positionMs += (earliestS - whenS) * 1_000;
      whenS = earliestS;
      fade = true;
    }
    const buffer = this.#buffers.get(cue.trackId);
    if (positionMs >= buffer.duration * 1_000 || cue.atMs + positionMs - cue.positionMs >= cue.endMs) return;
    const onEnded = (ended) => { this.#voices = this.#voices.filter((voice) => voice !== ended); };
    this.#voices.push(new Voice(this.#volume, { cue, buffer, whenS, positionMs, fade, onEnded }));
  }

  #stop(voice, whenS) {
    const nowS = this.#context.currentTime;
    voice.stop(whenS, nowS);
    if (nowS < voice.startS) this.#voices = this.#voices.filter((other) => other !== voice);
  }

  #look() {
    if (!this.unlocked) return;
    const wasSteady = this.#output.steady;
    this.#output.add(this.#context.getOutputTimestamp());
    if (!this.#canPlay) return;
    if (!wasSteady) this.#plan();
    this.#looks += 1;
    if (this.#looks % LOOKS_A_CHECK === 0) this.#check();
  }

  /** Compare the newest rendered sample with the schedule; bend a little, or jump once. */
  #check() {
    this.errorMs = null;
    const nowS = this.#context.currentTime;
    const heardAtMs = this.clock.clusterMs(this.#output.performanceMs(nowS));
    for (const voice of [...this.#voices]) {
      const { cue } = voice;
      if (voice.stopping || heardAtMs > cue.endMs) continue;
      if (nowS < voice.startS) {
        this.#joinAgain(voice, nowS);
        continue;
      }
      const errorMs = voice.positionMs(nowS) - (cue.positionMs + heardAtMs - cue.atMs);
      this.errorMs = errorMs;
      const isJoined = this.#voices.some((other) => !other.stopping && follows(other.cue, cue));
      const { jump, rate } = steer(errorMs, (nowS - voice.startS) * 1_000);
      if (jump) {
        this.#stop(voice, 0);
        this.#start(cue, true);
      } else voice.bend(isJoined && cue.endMs - heardAtMs < FROZEN_BEFORE_END_MS ? 1 : rate, nowS);
    }
  }

  /** A piece that waits is planned again where the bending has moved its place. */
  #joinAgain(voice, nowS) {
    const whenS = this.#before(voice.cue)?.endS ?? this.#audioS(voice.cue.atMs);
    if (Math.abs(whenS - voice.startS) * SAMPLE_RATE_HZ < 1 || voice.startS - nowS < 0.5) return;
    this.#stop(voice, 0);
    this.#start(voice.cue);
  }
}
