// From a snapshot to what should sound when: pure, so that it can be tested without a speaker.
//
// A *cue* says that a track's `positionMs` sounds at `atMs` (cluster time), and until when.

import { entryDurationMs } from "./fold.js";

const SAMPLE_MS = 1 / 48;

/** What holds while it lies this near to the schedule; see steer(). */
const DEADBAND_MS = 0.25;
const SETTLING_MS = 3_000;
const JUMP_ABOVE_MS = { settling: 10, settled: 30 };
const RATE_LIMIT = { settling: 0.005, settled: 0.001 }; // the second is below what is heard as pitch
const GONE_WITHIN_MS = { settling: 1_500, settled: 4_000 };

/**
 * @returns {{entryId: string, trackId: string, atMs: number, positionMs: number, endMs: number}[]}
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
  const agreed = playback.upcoming.map((start) => queue.find((entry) => entry.entry_id === start.entry_id));
  const entries = [playback.entry, ...agreed, queue[0]].filter(Boolean);
  return [...new Set(entries.map((entry) => entry.track.track_id))];
}

/** When what sounds now stops to hold: the act-at instant of a start, pause or seek, else at once. */
export function changesAtMs(snapshot) {
  const { playback, suspended } = snapshot;
  const moves = playback.status === "playing" || playback.status === "paused";
  return moves && !suspended ? playback.started_at_ms : null;
}

/** True if two cues play the same samples at the same instants (within a sample's length). */
export function sameSound(one, other) {
  const originMs = (cue) => cue.atMs - cue.positionMs;
  return one.entryId === other.entryId && Math.abs(originMs(one) - originMs(other)) < SAMPLE_MS;
}

/** True if `next` begins with its first sample where `before` ends: they are played as one piece. */
export const follows = (next, before) =>
  next.positionMs === 0 && Math.abs(next.atMs - before.endMs) < SAMPLE_MS;

/**
 * What to do about a sound that is `errorMs` late (negative) or early (positive), `soundedMs` after
 * it began: `{jump: true}` once and cross-faded, or `{rate}` to bend it back unheard.
 */
export function steer(errorMs, soundedMs) {
  const phase = soundedMs < SETTLING_MS ? "settling" : "settled";
  if (Math.abs(errorMs) > JUMP_ABOVE_MS[phase]) return { jump: true, rate: 1 };
  if (Math.abs(errorMs) < DEADBAND_MS) return { jump: false, rate: 1 };
  const limit = RATE_LIMIT[phase];
  return { jump: false, rate: 1 + Math.max(-limit, Math.min(limit, -errorMs / GONE_WITHIN_MS[phase])) };
}
