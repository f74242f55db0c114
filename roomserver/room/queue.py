"""The queue in open mode: everybody adds, each entry waits its turn."""

from typing import Final

from msgspec import UNSET

from protocol.errors import ErrorCode, Rejected
from protocol.ids import derive
from protocol.queue import (
    Entry,
    QueueAdd,
    QueueAdded,
    QueueMove,
    QueueMoved,
    QueueRemove,
    QueueRemoved,
    place,
)
from protocol.snapshot import Snapshot
from roomserver.room.context import Context
from roomserver.room.schedule import count_starting
from roomserver.room.state import State, Step

SHORTEST_SAMPLES: Final = 4_800
"""0.1 s: bounds how many starts a plan holds, and how many a second a repeating room makes."""


def decide_add(state: State, command: QueueAdd, ctx: Context) -> list[Step]:
    """Queue a track. Rejects: unknown_track, queue_full, unknown_entry, entry_starting."""
    public = state.public
    queue = public.queue
    track = ctx.track
    if track is None:
        raise Rejected(ErrorCode.UNKNOWN_TRACK)
    if track.duration_samples < SHORTEST_SAMPLES:
        raise Rejected(ErrorCode.UNKNOWN_TRACK, "This track is too short to be queued.")
    limit = public.room.settings.queue_limit
    if len(queue) >= limit:
        raise Rejected(ErrorCode.QUEUE_FULL, limit=limit)
    if command.after is UNSET:
        index = len(queue)
    else:
        index = _index_behind(public, command.after)
        _require_later(index, public, ctx)
    entry = Entry(
        entry_id=derive(public.room.room_id, public.lineage, public.seq + 1),
        track=track,
        added_by=ctx.actor,
        added_at_ms=ctx.now_ms,
    )
    after = queue[index - 1].entry_id if index else None
    return [Step(QueueAdded(at_ms=ctx.now_ms, entry=entry, after=after))]


def decide_remove(state: State, command: QueueRemove, ctx: Context) -> list[Step]:
    """Take an entry out. Rejects: unknown_entry, entry_starting."""
    public = state.public
    _require_later(_index_of(public, command.entry_id), public, ctx)
    return [Step(QueueRemoved(at_ms=ctx.now_ms, entry_id=command.entry_id, by=ctx.actor))]


def decide_move(state: State, command: QueueMove, ctx: Context) -> list[Step]:
    """Put an entry elsewhere; where it stands already is no event.

    Rejects: unknown_entry, entry_starting.
    """
    public = state.public
    index = _index_of(public, command.entry_id)
    target = _index_behind(public, command.after)
    if target in (index, index + 1):
        return []
    _require_later(min(index, target), public, ctx)
    after = public.queue[target - 1].entry_id if target else None
    event = QueueMoved(at_ms=ctx.now_ms, entry_id=command.entry_id, after=after, by=ctx.actor)
    return [Step(event)]


def requeue(public: Snapshot, seq: int, starting: str | None, ctx: Context) -> Step:
    """The current entry again, under a new name, at the end of the queue.

    `seq` is the one that the event will get; `starting` leaves the queue before it.
    """
    entry = public.playback.entry
    assert entry is not None
    last = next((e.entry_id for e in reversed(public.queue) if e.entry_id != starting), None)
    again = Entry(
        entry_id=derive(public.room.room_id, public.lineage, seq),
        track=entry.track,
        added_by=entry.added_by,
        added_at_ms=ctx.now_ms,
    )
    return Step(QueueAdded(at_ms=ctx.now_ms, entry=again, after=last))


def _index_of(public: Snapshot, entry_id: str) -> int:
    index = place(public.queue, entry_id)
    if index is None:
        raise Rejected(ErrorCode.UNKNOWN_ENTRY)
    return index


def _index_behind(public: Snapshot, after: str | None) -> int:
    """Where an entry behind `after` stands. Behind the current entry is first."""
    current = public.playback.entry
    if after is None or (current is not None and after == current.entry_id):
        return 0
    return _index_of(public, after) + 1


def _require_later(index: int, public: Snapshot, ctx: Context) -> None:
    """Refuse to touch what starts within the lead: clients have it in their sound already."""
    if index < count_starting(public.playback, ctx):
        raise Rejected(ErrorCode.ENTRY_STARTING)
