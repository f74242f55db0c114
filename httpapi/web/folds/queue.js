// What events of the queue do to a snapshot; twin of the folds in protocol/queue.py.

/** The index of an entry, or -1. */
export const place = (queue, entryId) => queue.findIndex((entry) => entry.entry_id === entryId);

function insert(queue, entry, after) {
  const index = after == null ? -1 : place(queue, after);
  queue.splice(after != null && index < 0 ? queue.length : index + 1, 0, entry);
}

export const QUEUE = {
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
  "queue.cleared"(snapshot, event) {
    const kept = new Set(event.kept);
    snapshot.queue = snapshot.queue.filter((entry) => kept.has(entry.entry_id));
  },
  "queue.ordered"(snapshot, event) {
    const rank = new Map(event.entry_ids.map((entryId, index) => [entryId, index]));
    const of = (entry) => rank.get(entry.entry_id) ?? rank.size;
    snapshot.queue.sort((one, other) => of(one) - of(other));
  },
  "queue.restored"(snapshot, event) {
    let { after } = event;
    for (const entry of event.entries) {
      insert(snapshot.queue, entry, after);
      after = entry.entry_id;
    }
  },
};
