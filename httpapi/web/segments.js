// Fetches and decodes what is needed, piece by piece: a long track is never here as a whole.

import { SEGMENT } from "./ahead.js";
import { get, Problem } from "./api.js";
import { Codec } from "./codec.js";

const AT_ONCE = 2; // what sounds now does not share the line with all that comes later
const AGAIN_AFTER_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
const LOST_WAIT_MS = 3_000; // what is loaded lasts for half a minute only
const LOOK_AGAIN_MS = 5_000; // for a rendition that is being made
const LONGEST_ORIGINAL_S = 360; // a longer one waits for its rendition: decoded it would fill the memory
const SEGMENT_WITHIN_MS = 20_000; // by then another try, in the smaller codec, is the better idea
const ORIGINAL_WITHIN_MS = 120_000;
const HANGS_AFTER_MS = 3_000;

/** One track: how it can be had, and which of its segments are here. */
class Source {
  details = null;
  original = null; // the decoded original, while there is no rendition
  here = new Set();
  onTheWay = new Set();
  tries = 0;
  notBeforeMs = 0;
  hasFailed = false;

  constructor(trackId) {
    this.trackId = trackId;
  }

  get kind() {
    return this.details?.rendition ? "rendition" : "original";
  }

  get stream() {
    return `${this.trackId}/${this.kind}`;
  }
}

/**
 * Events: `samples` (detail: {stream, first, left, right}), `drop` (detail: {stream, first}),
 * `ready` (detail: track id; something of it arrived), `change` (detail: track id; how it is had),
 * `error` (detail: {trackId, problem}, once a track).
 */
export class Segments extends EventTarget {
  #sources = new Map();
  #wanted = [];
  #busy = 0;
  #timer = 0;
  #codec = new Codec();
  #asked = new Map(); // what is being carried: how to stop it -> since when

  /** @param {BaseAudioContext} context at 48 kHz, which is what it decodes to */
  constructor(context) {
    super();
    this.context = context;
  }

  /** What is known of a track over REST; null until then. */
  details(trackId) {
    return this.#sources.get(trackId)?.details ?? null;
  }

  /** Where its samples go. */
  stream(trackId) {
    return this.#sources.get(trackId)?.stream ?? `${trackId}/rendition`;
  }

  /** True if what sounds is not the rendition that all others hear, but what was uploaded. */
  isOriginal(trackId) {
    const source = this.#sources.get(trackId);
    return Boolean(source?.details && !source.details.rendition);
  }

  has(trackId, number) {
    return this.#sources.get(trackId)?.here.has(number) ?? false;
  }

  /** Have these and no others, the first soonest. @param {{trackId: string, number: number}[]} wanted */
  keep(wanted) {
    this.#wanted = wanted;
    const keys = new Set(wanted.map(({ trackId, number }) => `${trackId}/${number}`));
    const tracks = new Set(wanted.map(({ trackId }) => trackId));
    for (const source of this.#sources.values()) {
      for (const number of source.here) {
        if (keys.has(`${source.trackId}/${number}`)) continue;
        source.here.delete(number);
        this.#tell("drop", { stream: source.stream, first: number * SEGMENT });
      }
      if (!tracks.has(source.trackId)) this.#sources.delete(source.trackId);
    }
    this.#work();
  }

  /** The line is a new one: what hung on the old one is asked for again. */
  renewed() {
    const sinceMs = performance.now() - HANGS_AFTER_MS;
    for (const [asking, askedAtMs] of this.#asked) if (askedAtMs < sinceMs) asking.abort();
  }

  #tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  #sourceOf(trackId) {
    if (!this.#sources.has(trackId)) this.#sources.set(trackId, new Source(trackId));
    return this.#sources.get(trackId);
  }

  #work() {
    clearTimeout(this.#timer);
    let soonestMs = Infinity;
    for (const { trackId, number } of this.#wanted) {
      if (this.#busy >= AT_ONCE) return;
      const source = this.#sourceOf(trackId);
      if (source.here.has(number) || source.onTheWay.has(number)) continue;
      // Nothing is asked twice at a time of a track that is not known yet.
      if (source.kind === "original" && source.onTheWay.size) continue;
      const waitMs = source.notBeforeMs - performance.now();
      if (waitMs > 0) soonestMs = Math.min(soonestMs, waitMs);
      else this.#load(source, number);
    }
    if (soonestMs < Infinity) this.#timer = setTimeout(() => this.#work(), soonestMs);
  }

  async #load(source, number) {
    const { trackId } = source;
    this.#busy += 1;
    source.onTheWay.add(number);
    try {
      if (!source.details) await this.#look(source);
      const { stream } = source;
      const { left, right } = source.kind === "rendition" ? await this.#segment(source, number) : await this.#cut(source, number);
      source.tries = 0;
      if (this.#sources.get(trackId) === source && source.stream === stream && this.#wanted.some((one) => one.trackId === trackId && one.number === number)) {
        source.here.add(number);
        this.#tell("samples", { stream, first: number * SEGMENT, left, right });
        this.#tell("ready", trackId);
      }
    } catch (problem) {
      this.#failed(source, problem);
    } finally {
      source.onTheWay.delete(number);
      this.#busy -= 1;
      this.#work();
    }
  }

  async #look(source) {
    source.details = await get(`/tracks/${source.trackId}`);
    if (!source.details.rendition) setTimeout(() => this.#lookAgain(source), LOOK_AGAIN_MS);
    // Not before the details are in their place: who hears of it asks for the stream at once.
    this.#tell("change", source.trackId);
  }

  /** Has its rendition been made meanwhile? From then on it is that which sounds, here too. */
  async #lookAgain(source) {
    const { trackId } = source;
    const isWanted = () => this.#sources.get(trackId) === source; // else whoever came after it looks itself
    if (!isWanted()) return;
    const details = await get(`/tracks/${trackId}`).catch(() => null);
    if (!isWanted()) return;
    if (!details?.rendition) {
      setTimeout(() => this.#lookAgain(source), LOOK_AGAIN_MS);
      return;
    }
    // A source of its own: the samples of the original sound until the plan names the other stream.
    const next = new Source(trackId);
    next.details = details;
    const isPlaying = source.here.size > 0;
    if (!isPlaying) this.#sources.set(trackId, next);
    else await this.#exchange(source, next);
    this.#tell("change", trackId);
    this.#work();
  }

  /** Have of the rendition what is here of the original, then let that go. */
  async #exchange(before, next) {
    for (const number of [...before.here].sort((a, b) => a - b)) {
      const samples = await this.#segment(next, number).catch(() => null);
      if (!samples) continue;
      next.here.add(number);
      this.#tell("samples", { stream: next.stream, first: number * SEGMENT, ...samples });
    }
    const now = this.#sources.get(before.trackId);
    if (now !== before) {
      // Dropped meanwhile, and perhaps wanted again: what the new one has lies in the same stream.
      for (const number of next.here) {
        if (now?.stream !== next.stream || !now.here.has(number)) this.#tell("drop", { stream: next.stream, first: number * SEGMENT });
      }
      return;
    }
    this.#sources.set(before.trackId, next);
    this.#tell("change", before.trackId);
    setTimeout(() => this.#tell("drop", { stream: before.stream }), AGAIN_AFTER_MS); // when it has been faded out
  }

  /** The bytes of a URL; a Problem with status 0 if they do not come, `isLate` if not within so many ms. */
  async #bytes(url, withinMs) {
    const asking = new AbortController();
    this.#asked.set(asking, performance.now());
    let isLate = false;
    const timer = setTimeout(() => { isLate = true; asking.abort(); }, withinMs);
    const lost = () => { throw Object.assign(new Problem(0, { title: "The server cannot be reached." }), { isLate }); };
    try {
      const answer = await fetch(url, { signal: asking.signal }).catch(lost);
      if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})), answer.headers.get("Retry-After"));
      return await answer.arrayBuffer().catch(lost);
    } finally {
      clearTimeout(timer);
      this.#asked.delete(asking);
    }
  }

  async #segment({ trackId, details: { rendition } }, number) {
    const codec = this.#codec.name;
    const askedAtMs = performance.now();
    const bytes = await this.#bytes(`/api/tracks/${trackId}/segments/${number}?codec=${codec}`, SEGMENT_WITHIN_MS)
      .catch((problem) => {
        if (problem.isLate) this.#codec.took(codec, SEGMENT_WITHIN_MS);
        throw problem;
      });
    this.#codec.took(codec, performance.now() - askedAtMs);
    const buffer = await this.context.decodeAudioData(bytes);
    return cut(buffer, codec === "opus" && number > 0 ? rendition.opus_preroll_samples : 0);
  }

  async #cut(source, number) {
    if (source.details.duration_samples > LONGEST_ORIGINAL_S * 48_000) {
      throw new Problem(425, { code: "not_ready", title: "It is being prepared." }, LOOK_AGAIN_MS / 1_000);
    }
    source.original ??= await this.context.decodeAudioData(
      await this.#bytes(`/api/tracks/${source.trackId}/audio`, ORIGINAL_WITHIN_MS));
    return cut(source.original, number * SEGMENT, (number + 1) * SEGMENT);
  }

  #failed(source, problem) {
    const waitMs = problem.retryAfterMs ?? Math.min(AGAIN_AFTER_MS * 2 ** source.tries++, problem.status === 0 ? LOST_WAIT_MS : LONGEST_WAIT_MS);
    source.notBeforeMs = performance.now() + waitMs;
    // That the server cannot be reached, or has not finished, is not about this track.
    const isOfTrack = problem.status !== 0 && problem.code !== "not_ready" && !(problem.status >= 500);
    if (!isOfTrack || source.hasFailed) return;
    source.hasFailed = true;
    this.#tell("error", { trackId: source.trackId, problem });
  }
}

/** Both channels of a part of a decoded file; one channel is heard on both sides. */
function cut(buffer, from, to = buffer.length) {
  const channel = (number) => {
    const samples = new Float32Array(Math.max(0, Math.min(to, buffer.length) - from));
    if (samples.length) buffer.copyFromChannel(samples, number, from);
    return samples;
  };
  return { left: channel(0), right: channel(Math.min(1, buffer.numberOfChannels - 1)) };
}
