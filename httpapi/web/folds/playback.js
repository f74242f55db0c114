// What events of playback do to a snapshot; twin of the folds in protocol/playback.py.

import { place } from "./queue.js";

/** Nothing is current. */
export function stop(playback) {
  Object.assign(playback, {
    status: "idle", entry: null, started_at_ms: null, position_ms: 0, wait_until_ms: null, upcoming: [], skip: null,
  });
}

/** Let the anchor rest at a position; status and entry stay. */
export function freeze(playback, positionMs) {
  Object.assign(playback, {
    started_at_ms: null, position_ms: positionMs, wait_until_ms: null, upcoming: [],
  });
}

function makeCurrent(snapshot, entryId) {
  const { playback, queue } = snapshot;
  if (playback.entry?.entry_id === entryId) return;
  const index = place(queue, entryId);
  if (index >= 0) [playback.entry] = queue.splice(index, 1);
}

export const PLAYBACK = {
  "playback.waiting"(snapshot, event) {
    makeCurrent(snapshot, event.entry_id);
    freeze(snapshot.playback, event.position_ms);
    snapshot.playback.status = "waiting";
    snapshot.playback.wait_until_ms = event.until_ms;
  },
  "playback.started"(snapshot, event) {
    makeCurrent(snapshot, event.entry_id);
    const { playback } = snapshot;
    playback.status = "playing";
    playback.started_at_ms = event.started_at_ms;
    playback.position_ms = event.position_ms;
    playback.wait_until_ms = null;
    playback.upcoming = playback.upcoming.filter((start) => start.entry_id !== event.entry_id);
  },
  "playback.paused"(snapshot, event) {
    freeze(snapshot.playback, event.position_ms);
    snapshot.playback.status = "paused";
    snapshot.playback.started_at_ms = event.paused_at_ms;
  },
  "playback.seeked"(snapshot, event) {
    snapshot.playback.started_at_ms = event.started_at_ms;
    snapshot.playback.position_ms = event.position_ms;
  },
  "playback.scheduled"(snapshot, event) {
    snapshot.playback.upcoming = event.upcoming;
  },
  "playback.ended"(snapshot) {
    const { upcoming } = snapshot.playback;
    stop(snapshot.playback);
    snapshot.playback.upcoming = upcoming;
  },
};
