// From a snapshot to what should sound when: pure, so that it can be tested without a speaker.
//
// A *cue* says that a track's `positionMs` sounds at `atMs` (cluster time), and until when.

import { entryDurationMs } from "./fold.js";

const SAMPLES_A_MS = 48;
const KEPT_BEHIND = 5 * 48_000;

/**
 * @returns {{entryId: string, trackId: string, atMs: number, positionMs: number, endMs: number, samples: number}[]}
 * the current entry and the agreed starts behind it, in order; empty while nothing moves.
 */
export function cues(snapshot) {
  const { playback, queue, suspended } = snapshot;
  if (suspended || playback.status !== "playing" || playback.started_at_ms == null || !playback.entry) return [];
  const cue = (entry, atMs, positionMs) => ({
    entryId: entry.entry_id,
    trackId: entry.track.track_id,
    atMs,
    positionMs,
    endMs: atMs + (entryDurationMs(entry) - positionMs) / playback.rate,
    samples: entry.track.duration_samples,
  });
  const list = [cue(playback.entry, playback.started_at_ms, playback.position_ms)];
  for (const start of playback.upcoming) {
    const entry = queue.find((waiting) => waiting.entry_id === start.entry_id);
    if (entry) list.push(cue(entry, start.started_at_ms, 0));
  }
  return list;
}

/** When what sounds now stops to hold: the act-at instant of a start, pause or seek, else at once. */
export function changesAtMs(snapshot) {
  const { playback, suspended } = snapshot;
  const moves = playback.status === "playing" || playback.status === "paused";
  return moves && !suspended ? playback.started_at_ms : null;
}

/**
 * The pieces for tape.js: what sounded `before` as long as it holds, then the cues. Instants and
 * positions are put on whole samples, by the same rule at every listener.
 *
 * @param {{nowMs: number, originMs: number, describe: (trackId: string) => {stream: string, gain: number}}} how
 * `originMs` is the instant of place 0; `describe` tells where a track's samples are and how loud it is
 */
export function pieces(snapshot, before, { nowMs, originMs, describe }) {
  const place = (atMs) => Math.round((atMs - originMs) * SAMPLES_A_MS);
  const changesAt = place(changesAtMs(snapshot) ?? nowMs);
  const kept = before.filter(({ from, to }) => from < changesAt && to > place(nowMs) - KEPT_BEHIND)
    .map((piece) => (piece.to > changesAt ? { ...piece, to: changesAt, softEnd: true } : piece));
  return cues(snapshot).reduce((list, cue) => {
    const from = place(cue.atMs);
    const position = Math.round(cue.positionMs * SAMPLES_A_MS);
    const origin = from - position;
    const piece = { entryId: cue.entryId, trackId: cue.trackId, ...describe(cue.trackId), origin, from, to: origin + cue.samples,
      softStart: position > 0, softEnd: false };
    const last = list.at(-1);
    if (!last || last.to < from) return [...list, piece];
    const others = list.slice(0, -1);
    // The same samples at the same places: it is one piece that goes on.
    if (last.entryId === piece.entryId && last.origin === origin) return [...others, { ...piece, from: last.from, softStart: last.softStart }];
    return [...others, last.to > from ? { ...last, to: from, softEnd: true } : last, piece];
  }, kept);
}
