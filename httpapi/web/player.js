// The thin shell over Web Audio: makes the cues of schedule.js sound, and keeps them in tune.
//
// Instants are turned into audio time through getOutputTimestamp(), which says which sample leaves
// the speaker at which performance.now(); `outputLatency` moves in steps of 8 ms and is not used.

import { changesAtMs, cues, sameSound, wanted } from "./schedule.js";

const SAMPLE_RATE_HZ = 48_000;
const FADE_S = 0.015;
const LATE_START_S = 0.06; // a cue already under way starts this much ahead, at its later position
const CHECK_EVERY_MS = 500;
const DEADBAND_MS = 0.25;
const JUMP_ABOVE_MS = 15;
const STEADY_CHECKS = 4; // first timestamps are often zero or stale: trust several in a row
const RATE_LIMIT = 0.001; // ±0.1 %, below what is heard as pitch

/** Events: `error` (a track that cannot be played), `ready` (detail: a track id is decoded). */
export class Player extends EventTarget {
  #context = null;
  #volume = null;
  #buffers = new Map(); // track id -> AudioBuffer | Promise | Error
  #voices = []; // {cue, source, gain, anchor: {contextS, positionMs}, rate, errors: number[]}
  #snapshot = null;

  /** @param {import("./clock.js").ClusterClock} clock */
  constructor(clock) {
    super();
    this.clock = clock;
    this.errorMs = null;
    setInterval(() => this.#check(), CHECK_EVERY_MS);
  }

  /** True once the browser lets us sound. */
  get unlocked() {
    return this.#context?.state === "running";
  }

  /** Must be called from a click the first time: browsers keep pages silent until then. */
  async unlock() {
    if (!this.#context) {
      this.#context = new AudioContext({ sampleRate: SAMPLE_RATE_HZ, latencyHint: "interactive" });
      this.#volume = this.#context.createGain();
      this.#volume.connect(this.#context.destination);
    }
    await this.#context.resume();
    if (this.#snapshot) this.update(this.#snapshot);
  }

  /** @param {number} level 0 (mute) to 1, this device only */
  set volume(level) {
    this.#volume?.gain.setTargetAtTime(level, this.#context.currentTime, 0.02);
  }

  isReady(trackId) {
    return this.#buffers.get(trackId) instanceof AudioBuffer;
  }

  /** Make it sound as the snapshot says; call after every change. */
  update(snapshot) {
    this.#snapshot = snapshot;
    if (!this.#context) return;
    this.#load(wanted(snapshot));
    if (!this.unlocked || !this.clock.ready) return;
    const list = cues(snapshot);
    const changeAtMs = list.length ? list[0].atMs : changesAtMs(snapshot);
    for (const voice of [...this.#voices]) {
      const same = list.find((cue) => sameSound(cue, voice.cue));
      if (same) voice.cue = same;
      else this.#stop(voice, changeAtMs);
    }
    for (const cue of list) {
      const sounding = this.#voices.some((voice) => !voice.stopping && sameSound(voice.cue, cue));
      if (!sounding && this.isReady(cue.trackId)) this.#start(cue);
    }
  }

  /** Silence at once (leaving a room). */
  silence() {
    this.#snapshot = null;
    for (const voice of [...this.#voices]) this.#stop(voice, null);
  }

  #load(trackIds) {
    for (const trackId of [...this.#buffers.keys()]) {
      if (!trackIds.includes(trackId)) this.#buffers.delete(trackId);
    }
    for (const trackId of trackIds) {
      if (this.#buffers.has(trackId)) continue;
      const loading = this.#decode(trackId).then(
        (buffer) => {
          if (this.#buffers.get(trackId) !== loading) return;
          this.#buffers.set(trackId, buffer);
          this.dispatchEvent(new CustomEvent("ready", { detail: trackId }));
          if (this.#snapshot) this.update(this.#snapshot);
        },
        (problem) => {
          this.#buffers.set(trackId, problem);
          this.dispatchEvent(new CustomEvent("error", { detail: { trackId, problem } }));
        },
      );
      this.#buffers.set(trackId, loading);
    }
  }

  async #decode(trackId) {
    const answer = await fetch(`/api/tracks/${trackId}/audio`);
    if (!answer.ok) throw new Error(`audio: ${answer.status}`);
    return this.#context.decodeAudioData(await answer.arrayBuffer());
  }

  /** [audio time in s, performance.now() in ms] of the sample at the speaker now, or null. */
  #output() {
    const stamp = this.#context.getOutputTimestamp();
    return stamp.contextTime > 0 && stamp.performanceTime > 0
      ? [stamp.contextTime, stamp.performanceTime]
      : null;
  }

  /** The audio time at which a cluster instant reaches the speaker. */
  #audioTime(atMs) {
    const [contextS, performanceMs] = this.#output() ?? [this.#context.currentTime, performance.now()];
    return contextS + (this.clock.localMs(atMs) - performanceMs) / 1_000;
  }

  #start(cue, fadeIn = false) {
    const buffer = this.#buffers.get(cue.trackId);
    let when = this.#audioTime(cue.atMs);
    let positionMs = cue.positionMs;
    const earliest = this.#context.currentTime + LATE_START_S;
    if (when < this.#context.currentTime + 0.005) {
      positionMs += (earliest - when) * 1_000;
      when = earliest;
      fadeIn = true;
    }
    if (positionMs >= buffer.duration * 1_000) return;
    const source = new AudioBufferSourceNode(this.#context, { buffer });
    const gain = new GainNode(this.#context, { gain: fadeIn ? 0 : 1 });
    source.connect(gain).connect(this.#volume);
    source.start(when, positionMs / 1_000);
    if (fadeIn) gain.gain.setValueAtTime(0, when).linearRampToValueAtTime(1, when + FADE_S);
    const voice = { cue, source, gain, anchor: { contextS: when, positionMs }, rate: 1, errors: [] };
    source.onended = () => {
      gain.disconnect();
      this.#voices = this.#voices.filter((other) => other !== voice);
    };
    this.#voices.push(voice);
  }

  #stop(voice, atMs) {
    const now = this.#context.currentTime;
    const when = Math.max(now, atMs == null ? now : this.#audioTime(atMs));
    voice.stopping = true;
    voice.gain.gain.cancelScheduledValues(now);
    voice.gain.gain.setValueAtTime(1, when).linearRampToValueAtTime(0, when + FADE_S);
    voice.source.stop(when + FADE_S);
  }

  /** Compare what leaves the speaker with the schedule; bend the rate a little, or jump once. */
  #check() {
    const output = this.unlocked && this.clock.ready && this.#output();
    if (!output) return;
    const [contextS, performanceMs] = output;
    const nowMs = this.clock.clusterMs(performanceMs);
    this.errorMs = null;
    for (const voice of [...this.#voices]) {
      if (voice.stopping || contextS < voice.anchor.contextS || nowMs > voice.cue.endMs) continue;
      const { cue, anchor } = voice;
      const actualMs = anchor.positionMs + (contextS - anchor.contextS) * 1_000 * voice.rate;
      const errorMs = actualMs - (cue.positionMs + nowMs - cue.atMs);
      voice.errors = [...voice.errors, errorMs].slice(-STEADY_CHECKS);
      if (voice.errors.length < STEADY_CHECKS) continue;
      const steadyMs = [...voice.errors].sort((a, b) => a - b)[STEADY_CHECKS / 2];
      this.errorMs = steadyMs;
      if (Math.abs(steadyMs) > JUMP_ABOVE_MS) {
        this.#stop(voice, null);
        this.#start(cue, true);
      } else {
        this.#bend(voice, contextS, actualMs, steadyMs);
      }
    }
  }

  #bend(voice, contextS, actualMs, errorMs) {
    const wish = Math.abs(errorMs) < DEADBAND_MS ? 0 : -errorMs / 4_000; // gone in about 4 s
    const rate = 1 + Math.max(-RATE_LIMIT, Math.min(RATE_LIMIT, wish));
    if (rate === voice.rate) return;
    // What is already rendered but not yet heard still runs at the old rate.
    const now = this.#context.currentTime;
    voice.anchor = { contextS: now, positionMs: actualMs + (now - contextS) * 1_000 * voice.rate };
    voice.rate = rate;
    voice.source.playbackRate.setValueAtTime(rate, now);
  }
}
