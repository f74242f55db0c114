// What events about a room as a whole do to its snapshot; twin of the folds in protocol/rooms.py.

import { freeze, stop } from "./playback.js";

export const ROOMS = {
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
};
