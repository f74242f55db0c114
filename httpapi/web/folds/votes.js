// What votes do to a snapshot; twin of the fold in protocol/votes.py.

import { place } from "./queue.js";

export const VOTES = {
  "votes.changed"({ playback, queue }, { entry_id, votes, needed = null }) {
    if (playback.entry?.entry_id === entry_id) {
      if (needed !== null) playback.skip = { votes, needed };
      return;
    }
    const index = place(queue, entry_id);
    if (index >= 0) queue[index] = { ...queue[index], votes };
  },
};
