"""Undo: takes back the last change that a person made to the queue. One step, and no redo.

What the room does by itself, to start, to repeat or to order entries, is no such change and stays.
"""

from protocol.errors import ErrorCode, Rejected
from protocol.queue import (
    QueueMoved,
    QueueOrdered,
    QueueRemoved,
    QueueRestored,
    QueueUndo,
    place,
)
from roomserver.room.context import Context
from roomserver.room.order import count_fixed, require_later
from roomserver.room.queue_memory import RULED, Change, Undone
from roomserver.room.state import State, Step


def decide_undo(state: State, command: QueueUndo, ctx: Context) -> list[Step]:
    """Take the last change back. Rejects: nothing_to_undo, entry_starting, queue_full."""
    change = state.private.queue.change
    if change is None:
        raise Rejected(ErrorCode.NOTHING_TO_UNDO)
    return [UNDO[change.kind](state, change, ctx)]


def undo_add(state: State, change: Change, ctx: Context) -> Step:
    """Take it out again. Rejects: nothing_to_undo, entry_starting."""
    require_later(_index_of(state, change), state.public, ctx)
    event = QueueRemoved(at_ms=ctx.now_ms, entry_id=change.entry_id, by=ctx.actor)
    return Step(event, Undone())


def undo_remove(state: State, change: Change, ctx: Context) -> Step:
    """Put them back, as a block: behind what they stood behind, or first. Rejects: queue_full.

    Where the mode orders, the room moves them on from there.
    """
    public = state.public
    limit = public.room.settings.queue_limit
    if len(public.queue) + len(change.entries) > limit:
        raise Rejected(ErrorCode.QUEUE_FULL, limit=limit)
    index = max(_index_behind(state, change.after), count_fixed(state, ctx))
    after = public.queue[index - 1].entry_id if index else None
    event = QueueRestored(at_ms=ctx.now_ms, entries=change.entries, after=after, by=ctx.actor)
    return Step(event, Undone())


def undo_move(state: State, change: Change, ctx: Context) -> Step:
    """Put it back. Rejects: nothing_to_undo, entry_starting."""
    public = state.public
    _require_free(state)
    index = _index_of(state, change)
    require_later(index, public, ctx)
    target = max(_index_behind(state, change.after), count_fixed(state, ctx))
    if target in (index, index + 1):
        raise Rejected(ErrorCode.NOTHING_TO_UNDO)
    after = public.queue[target - 1].entry_id if target else None
    event = QueueMoved(at_ms=ctx.now_ms, entry_id=change.entry_id, after=after, by=ctx.actor)
    return Step(event, Undone())


def undo_shuffle(state: State, change: Change, ctx: Context) -> Step:
    """Order what is left as it was; what has come since stays behind. Rejects: nothing_to_undo."""
    _require_free(state)
    queue, first = state.public.queue, count_fixed(state, ctx)
    rank = {entry_id: number for number, entry_id in enumerate(change.order)}
    rest = sorted(queue[first:], key=lambda entry: rank.get(entry.entry_id, len(rank)))
    order = [*queue[:first], *rest]
    if order == queue:
        raise Rejected(ErrorCode.NOTHING_TO_UNDO)
    entry_ids = [entry.entry_id for entry in order]
    return Step(QueueOrdered(at_ms=ctx.now_ms, entry_ids=entry_ids, by=ctx.actor), Undone())


UNDO = {"add": undo_add, "remove": undo_remove, "move": undo_move, "shuffle": undo_shuffle}


def _require_free(state: State) -> None:
    """In a mode that orders there is no wish to go back to. Rejects: nothing_to_undo."""
    if state.public.room.settings.queue_mode in RULED:
        raise Rejected(ErrorCode.NOTHING_TO_UNDO)


def _index_of(state: State, change: Change) -> int:
    """Where the entry waits. Rejects: nothing_to_undo, if it has started or is gone."""
    index = place(state.public.queue, change.entry_id)
    if index is None:
        raise Rejected(ErrorCode.NOTHING_TO_UNDO)
    return index


def _index_behind(state: State, after: str | None) -> int:
    """Behind an entry; what stood behind one that has started since comes first."""
    index = None if after is None else place(state.public.queue, after)
    return 0 if index is None else index + 1
