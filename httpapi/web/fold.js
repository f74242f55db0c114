// What every event does to a room's snapshot.
//
// Twin of protocol/fold.py and the fold_* functions beside the messages: the recordings under
// tests/room/recordings are folded by both and must give the same state. Folds are total: an event
// about something that is not in the snapshot is no error. Absent fields have their defaults.

const CHAT_IN_SNAPSHOT = 50;
const SAMPLES_PER_MS = 48;

const place = (queue, entryId) => queue.findIndex((entry) => entry.entry_id === entryId);

function insert(queue, entry, after) {
  const index = after == null ? -1 : place(queue, after);
  queue.splice(after != null && index < 0 ? queue.length : index + 1, 0, entry);
}

function stop(playback) {
  Object.assign(playback, {
    status: "idle", entry: null, started_at_ms: null, position_ms: 0, wait_until_ms: null, upcoming: [],
  });
}

function freeze(playback, positionMs) {
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

export const FOLD = {
  "room.updated"(snapshot, event) {
    snapshot.room = event.room;
  },
  "room.closed"(snapshot) {
    snapshot.room = { ...snapshot.room, closed: true };
    snapshot.queue = [];
    stop(snapshot.playback);
  },
  "room.suspended"(snapshot, event) {
    snapshot.suspended = true;
    freeze(snapshot.playback, event.position_ms);
  },
  "room.resumed"(snapshot) {
    snapshot.suspended = false;
  },
  "member.added"(snapshot, event) {
    snapshot.members[event.member.person.user_id] = event.member;
  },
  "member.removed"(snapshot, event) {
    delete snapshot.members[event.user_id];
  },
  "queue.added"(snapshot, event) {
    insert(snapshot.queue, event.entry, event.after);
  },
  "queue.removed"(snapshot, event) {
    const index = place(snapshot.queue, event.entry_id);
    if (index >= 0) snapshot.queue.splice(index, 1);
  },
  "queue.moved"(snapshot, event) {
    const index = place(snapshot.queue, event.entry_id);
    if (index >= 0) insert(snapshot.queue, snapshot.queue.splice(index, 1)[0], event.after);
  },
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
  "chat.sent"(snapshot, event) {
    snapshot.chat.push(event);
    if (snapshot.chat.length > CHAT_IN_SNAPSHOT) snapshot.chat.shift();
  },
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
