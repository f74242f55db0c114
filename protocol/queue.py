"""The queue: entries that wait for their turn. The current entry is not in it."""

from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from protocol.base import Body, Command, Entity, Event, WholeAtMs
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


class QueueAdd(Command, frozen=True, kw_only=True, tag="queue.add"):
    """Queue a track: at the end, or behind `after`, or first of all with `after: null`.

    Rejects: unknown_track, unknown_entry, queue_full, entry_starting, room_closed, not_allowed.
    """

    track_id: TrackId
    after: EntryId | UnsetType | None = UNSET


class QueueRemove(Command, frozen=True, kw_only=True, tag="queue.remove"):
    """Take an entry out; one's own, or any with the right to.

    Rejects: unknown_entry, entry_starting, not_allowed, room_closed.
    """

    entry_id: EntryId


class QueueMove(Command, frozen=True, kw_only=True, tag="queue.move"):
    """Put an entry behind `after`, or first with `after: null`.

    Rejects: unknown_entry, entry_starting, not_allowed, room_closed.
    """

    entry_id: EntryId
    after: EntryId | None


class QueueAdded(Event, frozen=True, kw_only=True, tag="queue.added"):
    """An entry stands in the queue, behind `after` (null: first)."""

    entry: Entry
    after: EntryId | None


class QueueRemoved(Event, frozen=True, kw_only=True, tag="queue.removed"):
    """An entry is gone from the queue without having been played."""

    entry_id: EntryId
    by: Person


class QueueMoved(Event, frozen=True, kw_only=True, tag="queue.moved"):
    """An entry stands behind `after` now (null: first)."""

    entry_id: EntryId
    after: EntryId | None
    by: Person


def place(queue: list[Entry], entry_id: str) -> int | None:
    """The index of an entry, or None."""
    # From the end: what is looked up was mostly added last.
    for index in range(len(queue) - 1, -1, -1):
        if queue[index].entry_id == entry_id:
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
