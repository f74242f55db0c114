"""The queue: entries that wait for their turn. The current entry is not in it."""

from typing import TYPE_CHECKING, Literal

from msgspec import UNSET, UnsetType

from protocol.base import Body, Command, Count, Entity, Event, WholeAtMs
from protocol.ids import EntryId, TrackId
from protocol.tracks import Track
from protocol.users import Person

if TYPE_CHECKING:
    from protocol.snapshot import Snapshot


class Entry(Entity, frozen=True, kw_only=True):
    """A track's place in the queue; entry id and track id are different things."""

    entry_id: EntryId
    track: Track
    added_by: Person
    added_at_ms: WholeAtMs
    votes: Count = 0
    """How many people vote for it (mode `votes`)."""
    again: bool = False
    """The room queued it itself, because `repeat` is set."""


class QueueAdd(Command, frozen=True, kw_only=True, tag="queue.add"):
    """Queue a track: at the end, or behind `after`, or first of all with `after: null`.

    In the modes `votes` and `fair` the room finds the place and `after` must be absent.
    Rejects: unknown_track, unknown_entry, queue_full, entry_limit, duplicate_entry, fixed_order,
    entry_starting, not_allowed, banned, room_closed.
    """

    track_id: TrackId
    after: EntryId | UnsetType | None = UNSET


class QueueRemove(Command, frozen=True, kw_only=True, tag="queue.remove"):
    """Take an entry out; one's own, or any with the right to.

    Rejects: unknown_entry, entry_starting, not_allowed, banned, room_closed.
    """

    entry_id: EntryId


class QueueMove(Command, frozen=True, kw_only=True, tag="queue.move"):
    """Put an entry behind `after`, or first with `after: null`.

    Rejects: unknown_entry, entry_starting, fixed_order, not_allowed, banned, room_closed.
    """

    entry_id: EntryId
    after: EntryId | None


class QueueClear(Command, frozen=True, kw_only=True, tag="queue.clear"):
    """Take out all entries but those that are just about to start.

    Rejects: not_allowed, banned, room_closed.
    """


class QueueShuffle(Command, frozen=True, kw_only=True, tag="queue.shuffle"):
    """Put the entries in an order of chance, but those that are just about to start.

    Rejects: fixed_order, not_allowed, banned, room_closed.
    """


class QueueUndo(Command, frozen=True, kw_only=True, tag="queue.undo"):
    """Take back the last change that a person made to the queue (add, remove, move, clear,
    shuffle): one's own, or anybody's with the right to arrange. What has started since stays.

    Rejects: nothing_to_undo, entry_starting, queue_full, not_allowed, banned, room_closed.
    """


class QueueAdded(Event, frozen=True, kw_only=True, tag="queue.added"):
    """An entry stands in the queue, behind `after` (null: first)."""

    entry: Entry
    after: EntryId | None


class QueueRemoved(Event, frozen=True, kw_only=True, tag="queue.removed"):
    """An entry is gone from the queue without having been played."""

    entry_id: EntryId
    by: Person
    reason: Literal["track_gone"] | None = None
    """Null: a person wished it, or a loop has ended. `track_gone`: its track was deleted."""


class QueueMoved(Event, frozen=True, kw_only=True, tag="queue.moved"):
    """An entry stands behind `after` now (null: first)."""

    entry_id: EntryId
    after: EntryId | None
    by: Person | None = None
    """Absent: the room moved it by the rule of its mode."""


class QueueCleared(Event, frozen=True, kw_only=True, tag="queue.cleared"):
    """Entries are gone from the queue; `kept` were about to start and stay, in their order."""

    by: Person
    kept: list[EntryId] = []


class QueueOrdered(Event, frozen=True, kw_only=True, tag="queue.ordered"):
    """The whole queue stands in this order now."""

    entry_ids: list[EntryId]
    by: Person | None = None
    """Absent: the room ordered it by the rule of its mode."""


class QueueRestored(Event, frozen=True, kw_only=True, tag="queue.restored"):
    """Entries that had been taken out are back, one behind the other, behind `after`."""

    entries: list[Entry]
    after: EntryId | None
    by: Person


def place(queue: list[Entry], entry_id: str) -> int | None:
    """The index of an entry, or None."""
    # From the end: what is looked up was mostly added last.
    index = len(queue)
    for entry in reversed(queue):
        index -= 1
        if entry.entry_id == entry_id:
            return index
    return None


def _insert(queue: list[Entry], entry: Entry, after: str | None) -> None:
    index = -1 if after is None else place(queue, after)
    # An `after` outside the snapshot is no error: the entry goes to the end.
    queue.insert(len(queue) if index is None else index + 1, entry)


def fold_queue_added(snapshot: "Snapshot", event: QueueAdded) -> None:
    """Insert behind `after`."""
    _insert(snapshot.queue, event.entry, event.after)


def fold_queue_removed(snapshot: "Snapshot", event: QueueRemoved) -> None:
    """Drop the entry."""
    index = place(snapshot.queue, event.entry_id)
    if index is not None:
        del snapshot.queue[index]


def fold_queue_moved(snapshot: "Snapshot", event: QueueMoved) -> None:
    """Take out, then insert behind `after`."""
    index = place(snapshot.queue, event.entry_id)
    if index is not None:
        _insert(snapshot.queue, snapshot.queue.pop(index), event.after)


def fold_queue_cleared(snapshot: "Snapshot", event: QueueCleared) -> None:
    """Keep what is named."""
    kept = set(event.kept)
    snapshot.queue = [entry for entry in snapshot.queue if entry.entry_id in kept]


def fold_queue_ordered(snapshot: "Snapshot", event: QueueOrdered) -> None:
    """Follow the order; an entry that it does not name keeps its place behind the others."""
    rank = {entry_id: index for index, entry_id in enumerate(event.entry_ids)}
    snapshot.queue.sort(key=lambda entry: rank.get(entry.entry_id, len(rank)))


def fold_queue_restored(snapshot: "Snapshot", event: QueueRestored) -> None:
    """Insert them as a block."""
    after = event.after
    for entry in event.entries:
        _insert(snapshot.queue, entry, after)
        after = entry.entry_id


class QueueAddBody(Body, frozen=True, kw_only=True):
    """As in `queue.add`."""

    track_id: TrackId
    after: EntryId | UnsetType | None = UNSET


class QueueMoveBody(Body, frozen=True, kw_only=True):
    """As in `queue.move`."""

    after: EntryId | None


class QueuePage(Entity, frozen=True, kw_only=True):
    """A page of the queue in its order, and the entry that is current now."""

    items: list[Entry]
    next_cursor: str | None
    current: Entry | None
