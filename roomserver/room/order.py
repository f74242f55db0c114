"""Order: where entries stand, by the rule of the room's mode or by people's wish."""

from hashlib import sha256

from protocol.errors import ErrorCode, Rejected
from protocol.playback import SAMPLES_PER_MS
from protocol.queue import Entry, QueueMove, QueueMoved, QueueOrdered, QueueShuffle, place
from protocol.snapshot import Snapshot
from roomserver.room.context import Context
from roomserver.room.queue_memory import RULED
from roomserver.room.schedule import count_starting
from roomserver.room.state import State, Step


def decide_move(state: State, command: QueueMove, ctx: Context) -> list[Step]:
    """Put an entry elsewhere; where it stands already is no event.

    Rejects: fixed_order, unknown_entry, entry_starting.
    """
    public = state.public
    require_free(public)
    index = index_of(public, command.entry_id)
    if command.entry_id in state.private.queue.loop:
        raise Rejected(ErrorCode.FIXED_ORDER, "The copies of what plays come next.")
    target = index_behind(public, command.after)
    if target in (index, index + 1):
        return []
    require_later(min(index, target), public, ctx)
    target = max(target, len(state.private.queue.loop))
    if target in (index, index + 1):
        return []
    after = public.queue[target - 1].entry_id if target else None
    event = QueueMoved(at_ms=ctx.now_ms, entry_id=command.entry_id, after=after, by=ctx.actor)
    return [Step(event)]


def decide_shuffle(state: State, command: QueueShuffle, ctx: Context) -> list[Step]:
    """Put what waits in an order of chance; which one, `ctx.seed` says. Rejects: fixed_order."""
    public = state.public
    require_free(public)
    first = count_fixed(state, ctx)

    def chance(entry: Entry) -> bytes:
        return sha256(f"{ctx.seed}:{entry.entry_id}".encode()).digest()

    order = [*public.queue[:first], *sorted(public.queue[first:], key=chance)]
    if order == public.queue:
        return []
    entry_ids = [entry.entry_id for entry in order]
    return [Step(QueueOrdered(at_ms=ctx.now_ms, entry_ids=entry_ids, by=ctx.actor))]


def follow_order(state: State, ctx: Context, gone: list[Entry]) -> list[Step]:
    """Put the order of the mode right, once that on which it depends has changed.

    `gone` leave the queue before. What starts within the lead keeps its place.
    """
    memory, public = state.private.queue, state.public
    mode = public.room.settings.queue_mode
    if not memory.loose or mode not in RULED:
        return []
    first = count_fixed(state, ctx)
    head, rest = public.queue[:first], public.queue[first:]
    before = [entry for entry in rest if entry not in gone]
    ordered = sorted(before, key=memory.turns.tag if mode == "fair" else memory.rank)
    if ordered == before:
        return []
    head = [entry for entry in head if entry not in gone]
    return [Step(_reordering(head, before, ordered, ctx))]


def place_new(state: State, ctx: Context) -> int:
    """Where the mode puts a new entry of the actor."""
    public = state.public
    if public.room.settings.queue_mode != "fair":
        return len(public.queue)
    turns = state.private.queue.turns
    return turns.place(public.queue, ctx.actor.user_id, count_fixed(state, ctx))


def next_after_skip(state: State, ctx: Context, heard_ms: float) -> Entry | None:
    """What follows if the current entry is left when so much of it was heard.

    A skip leaves a loop. In the mode `fair` it charges only what was heard, so that the same
    person's next entry may come sooner than what was to come.
    """
    memory, public = state.private.queue, state.public
    if public.queue and count_starting(public.playback, ctx):
        return public.queue[0]
    waiting, turns = public.queue[len(memory.loop) :], memory.turns
    current = public.playback.entry
    if not waiting or current is None or current.entry_id not in turns.tags:
        return waiting[0] if waiting else None
    owner = current.added_by.user_id
    mine = next((entry for entry in waiting if entry.added_by.user_id == owner), waiting[0])
    spared = turns.charged - round(heard_ms * SAMPLES_PER_MS)
    is_sooner = mine is not waiting[0] and turns.tag(mine) - spared < turns.tag(waiting[0])
    return mine if is_sooner else waiting[0]


def count_fixed(state: State, ctx: Context) -> int:
    """How many entries at the head nobody can displace: they start within the lead, or are the
    copies of a loop."""
    return max(count_starting(state.public.playback, ctx), len(state.private.queue.loop))


def require_free(public: Snapshot) -> None:
    """Let people choose the places, if the mode does not. Rejects: fixed_order."""
    if public.room.settings.queue_mode in RULED:
        raise Rejected(ErrorCode.FIXED_ORDER)


def require_later(index: int, public: Snapshot, ctx: Context) -> None:
    """Refuse to touch what starts within the lead: clients have it in their sound already.

    Rejects: entry_starting.
    """
    if index < count_starting(public.playback, ctx):
        raise Rejected(ErrorCode.ENTRY_STARTING)


def index_of(public: Snapshot, entry_id: str) -> int:
    """Where an entry stands. Rejects: unknown_entry."""
    index = place(public.queue, entry_id)
    if index is None:
        raise Rejected(ErrorCode.UNKNOWN_ENTRY)
    return index


def index_behind(public: Snapshot, after: str | None) -> int:
    """Where an entry behind `after` stands; behind the current one is first.

    Rejects: unknown_entry.
    """
    current = public.playback.entry
    if after is None or (current is not None and after == current.entry_id):
        return 0
    return index_of(public, after) + 1


def _reordering(
    head: list[Entry], before: list[Entry], after: list[Entry], ctx: Context
) -> QueueMoved | QueueOrdered:
    """One move, where that is all there is to it; else the whole order."""
    first, last = 0, len(before) - 1
    while before[first] is after[first]:
        first += 1
    while before[last] is after[last]:
        last -= 1
    moved, target = None, 0
    if before[first + 1 : last + 1] == after[first:last]:
        moved, target = before[first], last
    elif before[first:last] == after[first + 1 : last + 1]:
        moved, target = before[last], first
    if moved is None:
        entry_ids = [entry.entry_id for entry in (*head, *after)]
        return QueueOrdered(at_ms=ctx.now_ms, entry_ids=entry_ids)
    line = [*head, *after[:target]]
    behind = line[-1].entry_id if line else None
    return QueueMoved(at_ms=ctx.now_ms, entry_id=moved.entry_id, after=behind)
