"""The queue: who may add what, and how entries leave it unheard. Their order is in `order.py`."""

from typing import Final

from msgspec import UNSET

from protocol.errors import ErrorCode, Rejected
from protocol.ids import derive
from protocol.queue import (
    Entry,
    QueueAdd,
    QueueAdded,
    QueueClear,
    QueueCleared,
    QueueRemove,
    QueueRemoved,
)
from protocol.tracks import Track
from roomserver.room.context import Context
from roomserver.room.order import (
    count_fixed,
    index_behind,
    index_of,
    place_new,
    require_free,
    require_later,
)
from roomserver.room.permissions import require_action
from roomserver.room.state import State, Step

SHORTEST_SAMPLES: Final = 4_800
"""0.1 s: bounds how many starts a plan holds, and how many a second a repeating room makes."""


def decide_add(state: State, command: QueueAdd, ctx: Context) -> list[Step]:
    """Queue a track.

    Rejects: unknown_track, queue_full, entry_limit, duplicate_entry, fixed_order, not_allowed,
    unknown_entry, entry_starting.
    """
    public = state.public
    track = ctx.track
    if track is None:
        raise Rejected(ErrorCode.UNKNOWN_TRACK)
    if track.duration_samples < SHORTEST_SAMPLES:
        raise Rejected(ErrorCode.UNKNOWN_TRACK, "This track is too short to be queued.")
    _require_room_for(state, track, ctx)
    if command.after is UNSET:
        index = place_new(state, ctx)
    else:
        require_free(public)
        require_action(public, ctx.actor, "place")
        index = index_behind(public, command.after)
        require_later(index, public, ctx)
        # What plays in a loop is followed by its copies: next is behind them.
        index = max(index, len(state.private.queue.loop))
    entry = Entry(
        entry_id=derive(public.room.room_id, public.lineage, public.seq + 1),
        track=track,
        added_by=ctx.actor,
        added_at_ms=ctx.now_ms,
    )
    after = public.queue[index - 1].entry_id if index else None
    return [Step(QueueAdded(at_ms=ctx.now_ms, entry=entry, after=after))]


def decide_remove(state: State, command: QueueRemove, ctx: Context) -> list[Step]:
    """Take an entry out. Rejects: unknown_entry, entry_starting."""
    public = state.public
    require_later(index_of(public, command.entry_id), public, ctx)
    return [Step(QueueRemoved(at_ms=ctx.now_ms, entry_id=command.entry_id, by=ctx.actor))]


def decide_clear(state: State, command: QueueClear, ctx: Context) -> list[Step]:
    """Take out all that can be; of nothing there is no event.

    What starts within the lead stays, and so do the copies of a loop.
    """
    queue, first = state.public.queue, count_fixed(state, ctx)
    if first >= len(queue):
        return []
    kept = [entry.entry_id for entry in queue[:first]]
    return [Step(QueueCleared(at_ms=ctx.now_ms, by=ctx.actor, kept=kept))]


def _require_room_for(state: State, track: Track, ctx: Context) -> None:
    """Rejects: queue_full, entry_limit, duplicate_entry."""
    public = state.public
    settings, queue = public.room.settings, public.queue
    if len(queue) >= settings.queue_limit:
        raise Rejected(ErrorCode.QUEUE_FULL, limit=settings.queue_limit)
    limit = settings.entries_per_person
    if limit is not None:
        mine = (e for e in queue if e.added_by.user_id == ctx.actor.user_id and not e.again)
        if sum(1 for _ in mine) >= limit:
            raise Rejected(ErrorCode.ENTRY_LIMIT, limit=limit)
    if settings.duplicates == "refuse":
        current = public.playback.entry
        heard = [*queue, current] if current is not None else queue
        if any(entry.track.track_id == track.track_id for entry in heard):
            raise Rejected(ErrorCode.DUPLICATE_ENTRY)
