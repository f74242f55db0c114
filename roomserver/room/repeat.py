"""Repeat: entries that the room queues again by itself.

`all`: what has ended goes to the end of the queue. `one`: copies of what plays stand at the head of
the queue, enough of them for the plan to reach as far ahead as it must: so a loop is agreed upon
and loaded like everything that follows, and has no gap. To leave what plays is to leave its loop.
"""

from protocol.ids import derive
from protocol.queue import Entry, QueueAdded, QueueRemoved
from protocol.snapshot import Snapshot
from roomserver.room.context import SYSTEM, Context
from roomserver.room.schedule import AHEAD_SAMPLES, count_starting
from roomserver.room.state import State, Step


def requeue(public: Snapshot, seq: int, starting: str | None, ctx: Context) -> Step:
    """The current entry again, under a new name, at the end of the queue.

    `seq` is the one that the event will get; `starting` leaves the queue before it.
    """
    entry = public.playback.entry
    assert entry is not None
    last = next((e.entry_id for e in reversed(public.queue) if e.entry_id != starting), None)
    return Step(QueueAdded(at_ms=ctx.now_ms, entry=_copy(public, entry, seq, ctx), after=last))


def stale_copies(state: State, ctx: Context) -> list[Entry]:
    """Copies of what no longer plays, or should no longer repeat; none that starts already."""
    public, loop = state.public, state.private.queue.loop
    if not loop:
        return []
    starting = count_starting(public.playback, ctx)
    return [e for e in public.queue[starting : len(loop)] if not _is_repeated(public, e)]


def leave_loop(copies: list[Entry], ctx: Context) -> list[Step]:
    """Take copies out."""
    return [
        Step(QueueRemoved(at_ms=ctx.now_ms, entry_id=entry.entry_id, by=SYSTEM)) for entry in copies
    ]


def enter_loop(state: State, ctx: Context) -> list[Step]:
    """Add the copies that are missing while something plays that should repeat."""
    public, loop = state.public, state.private.queue.loop
    entry = public.playback.entry
    if public.room.settings.repeat != "one" or entry is None:
        return []
    if count_starting(public.playback, ctx) > len(loop):
        return []  # Something else starts within the lead.
    wanted = -(-AHEAD_SAMPLES // entry.track.duration_samples)
    after = public.queue[len(loop) - 1].entry_id if loop else None
    steps = []
    for seq in range(public.seq + 1, public.seq + 1 + wanted - len(loop)):
        copy = _copy(public, entry, seq, ctx)
        steps.append(Step(QueueAdded(at_ms=ctx.now_ms, entry=copy, after=after)))
        after = copy.entry_id
    return steps


def _is_repeated(public: Snapshot, entry: Entry) -> bool:
    current = public.playback.entry
    return (
        public.room.settings.repeat == "one"
        and current is not None
        and current.track == entry.track
        and current.added_by.user_id == entry.added_by.user_id
    )


def _copy(public: Snapshot, entry: Entry, seq: int, ctx: Context) -> Entry:
    return Entry(
        entry_id=derive(public.room.room_id, public.lineage, seq),
        track=entry.track,
        added_by=entry.added_by,
        added_at_ms=ctx.now_ms,
        again=True,
    )
