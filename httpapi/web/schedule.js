// From a snapshot to what should sound when: pure, so that it can be tested without a speaker.
//
// A *cue* says that a track's `positionMs` sounds at `atMs` (cluster time), and until when.

import { entryDurationMs } from "./store.js";

/**
 * @returns {{entryId: string, trackId: string, atMs: number, positionMs: number, endMs: number}[]}
 * the current entry and the agreed starts behind it, in order; empty while nothing moves.
 */
export function cues(snapshot) {
  const { playback, queue, suspended } = snapshot;
  if (suspended || playback.status !== "playing" || playback.started_at_ms == null) return [];
  const cue = (entry, atMs, positionMs) => ({
    entryId: entry.entry_id,
    trackId: entry.track.track_id,
    atMs,
    positionMs,
    endMs: atMs + (entryDurationMs(entry) - positionMs) / playback.rate,
  });
  const list = [cue(playback.entry, playback.started_at_ms, playback.position_ms)];
  for (const start of playback.upcoming) {
    const entry = queue.find((waiting) => waiting.entry_id === start.entry_id);
    if (entry) list.push(cue(entry, start.started_at_ms, 0));
  }
  return list;
}

/** The tracks to have decoded, most urgent first: current, agreed, and the first that waits. */
export function wanted(snapshot) {
  const { playback, queue } = snapshot;
  const entries = [playback.entry, queue[0], queue[1]].filter(Boolean);
  return [...new Set(entries.map((entry) => entry.track.track_id))];
}

/** When the present cues stop to hold: the act-at instant of a pause or seek, else at once. */
export function changesAtMs(snapshot) {
  const { playback } = snapshot;
  return playback.status === "idle" || playback.status === "waiting" ? null : playback.started_at_ms;
}

/** True if two cues play the same samples at the same instants (within a sample's length). */
export function sameSound(one, other) {
  const originMs = (cue) => cue.atMs - cue.positionMs;
  return one.entryId === other.entryId && Math.abs(originMs(one) - originMs(other)) < 0.02;
}
