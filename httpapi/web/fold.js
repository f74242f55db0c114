// What every event does to a room's snapshot.
//
// Twin of protocol/fold.py; folds/ holds one module for each noun. The recordings under
// tests/room/recordings are folded by both and must give the same state. Folds are total: an event
// about something that is not in the snapshot is no error. Absent fields have their defaults.

import { CHAT } from "./folds/chat.js";
import { MEMBERS } from "./folds/members.js";
import { MODERATION } from "./folds/moderation.js";
import { OWNER } from "./folds/owner.js";
import { PLAYBACK } from "./folds/playback.js";
import { QUEUE } from "./folds/queue.js";
import { REACTIONS } from "./folds/reactions.js";
import { ROOMS } from "./folds/rooms.js";
import { SLASH } from "./folds/slash.js";
import { VOTES } from "./folds/votes.js";

const SAMPLES_PER_MS = 48;

export const FOLD = {
  ...ROOMS, ...MEMBERS, ...OWNER, ...MODERATION, ...QUEUE, ...VOTES, ...PLAYBACK, ...CHAT, ...REACTIONS, ...SLASH,
};

/** Fold one event in place. An event of a later feature level only moves the seq. */
export function fold(snapshot, event) {
  FOLD[event.type]?.(snapshot, event);
  snapshot.seq += 1;
}

/** Length of a queue entry's track in ms, exact. */
export const entryDurationMs = (entry) => (entry ? entry.track.duration_samples / SAMPLES_PER_MS : 0);

/** Where the music is at `nowMs` (cluster time), in ms of the current entry. */
export function positionAt(playback, nowMs) {
  let position = playback.position_ms;
  if (playback.status === "playing" && playback.started_at_ms != null) {
    position += (nowMs - playback.started_at_ms) * playback.rate;
  }
  return Math.max(0, Math.min(position, entryDurationMs(playback.entry)));
}
