"""Playback: starting, resting, seeking and moving on, each at an agreed instant.

An entry is current from the event that makes it so until exactly one `playback.ended`.
"""

from typing import Final

from protocol.errors import ErrorCode, Rejected
from protocol.playback import (
    EndReason,
    LoadingDone,
    Playback,
    PlaybackEnded,
    PlaybackNext,
    PlaybackPause,
    PlaybackPaused,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
    PlaybackSeeked,
    PlaybackStarted,
    PlaybackWaiting,
)
from protocol.queue import Entry, place
from protocol.rooms import Wake
from roomserver.room.context import Context
from roomserver.room.order import next_after_skip
from roomserver.room.private import Heard, Missed
from roomserver.room.repeat import requeue
from roomserver.room.schedule import act_at_ms, on_grid, require_before_end
from roomserver.room.state import State, Step

LOADING_MS: Final = 3_000
"""How long a start waits for people to load."""


def decide_play(state: State, command: PlaybackPlay, ctx: Context) -> list[Step]:
    """Go on. Rejects: nothing_playing, conflict."""
    public = state.public
    playback = public.playback
    if playback.entry is None and command.entry_id is None and public.queue:
        return [begin(state, public.queue[0], ctx)]
    entry = current(playback, command.entry_id)
    if playback.status != "paused":
        return []
    if public.suspended:
        return [begin(state, entry, ctx, playback.position_ms)]
    return [_start(entry, act_at_ms(playback, ctx), playback.position_ms, ctx)]


def decide_pause(state: State, command: PlaybackPause, ctx: Context) -> list[Step]:
    """Rest. Rejects: nothing_playing, conflict, entry_starting."""
    playback = state.public.playback
    entry = current(playback, command.entry_id)
    if playback.status == "paused":
        return []
    at_ms = act_at_ms(playback, ctx)
    require_before_end(playback, at_ms)
    event = PlaybackPaused(
        at_ms=ctx.now_ms,
        entry_id=entry.entry_id,
        paused_at_ms=at_ms,
        position_ms=on_grid(playback.position_at(at_ms)),
        by=ctx.actor,
    )
    return [Step(event, heard(state, at_ms))]


def decide_seek(state: State, command: PlaybackSeek, ctx: Context) -> list[Step]:
    """Jump; a start that is still to come waits at the new place.

    Rejects: nothing_playing, conflict, entry_starting.
    """
    playback = state.public.playback
    entry = current(playback, command.entry_id)
    position_ms = on_grid(min(command.position_ms, playback.duration_ms()))
    is_resting = playback.started_at_ms is None and playback.status != "paused"
    if is_resting:
        return [begin(state, entry, ctx, position_ms)]
    at_ms = act_at_ms(playback, ctx)
    require_before_end(playback, at_ms)
    event = PlaybackSeeked(
        at_ms=ctx.now_ms,
        entry_id=entry.entry_id,
        started_at_ms=at_ms,
        position_ms=position_ms,
        by=ctx.actor,
    )
    return [Step(event, heard(state, at_ms))]


def decide_next(state: State, command: PlaybackNext, ctx: Context) -> list[Step]:
    """Leave the current entry for the next; without a gap, if people have loaded it already.

    Rejects: nothing_playing, conflict.
    """
    current(state.public.playback, command.entry_id)
    return skip(state, "skipped", ctx)


def skip(state: State, reason: EndReason, ctx: Context) -> list[Step]:
    """Leave the current entry, and its loop, for what follows."""
    public = state.public
    playback, queue = public.playback, public.queue
    at_ms = act_at_ms(playback, ctx)
    ends_at_ms = playback.ends_at_ms()
    if ends_at_ms is not None and ends_at_ms < at_ms:
        at_ms = ends_at_ms  # The next start is agreed and comes sooner than the act could.
    following = next_after_skip(state, ctx, heard_ms(state, at_ms))
    is_loaded = (
        playback.status != "waiting"
        and not public.suspended
        and bool(queue)
        and following is queue[0]
    )
    return _move_on(state, reason, at_ms, following, is_loaded, ctx)


def decide_play_entry(state: State, command: PlaybackPlayEntry, ctx: Context) -> list[Step]:
    """Leave the current entry for one of the queue. Rejects: unknown_entry, entry_starting."""
    public = state.public
    index = place(public.queue, command.entry_id)
    if index is None:
        raise Rejected(ErrorCode.UNKNOWN_ENTRY)
    at_ms = act_at_ms(public.playback, ctx)
    require_before_end(public.playback, at_ms)
    return _move_on(state, "skipped", at_ms, public.queue[index], False, ctx)


def decide_loading_done(state: State, command: LoadingDone, ctx: Context) -> list[Step]:
    """Start what was waited for. Stale news, about another start, is none."""
    playback = state.public.playback
    entry = playback.entry
    if entry is None or entry.entry_id != command.entry_id:
        return []
    if playback.status != "waiting" or state.public.suspended:
        return []
    event = PlaybackStarted(
        at_ms=ctx.now_ms,
        entry_id=entry.entry_id,
        started_at_ms=act_at_ms(playback, ctx),
        position_ms=playback.position_ms,
        missing=command.missing,
    )
    return [Step(event, Missed(user_ids=command.missing))]


def decide_wake(state: State, command: Wake, ctx: Context) -> list[Step]:
    """What `next_wake()` named is due: the end of a wait, or of the current entry."""
    due_ms = next_wake(state)
    entry = state.public.playback.entry
    if due_ms is None or due_ms > ctx.now_ms or entry is None:
        return []
    playback = state.public.playback
    if playback.status == "waiting":
        return [_start(entry, act_at_ms(playback, ctx), playback.position_ms, ctx)]
    following = state.public.queue[0] if state.public.queue else None
    return _move_on(state, "finished", due_ms, following, True, ctx)


def next_wake(state: State) -> float | None:
    """The instant at which the room must be woken; None while it rests."""
    public = state.public
    if public.suspended:
        return None
    if public.playback.status == "waiting":
        return public.playback.wait_until_ms
    return public.playback.ends_at_ms()


def begin(state: State, entry: Entry, ctx: Context, position_ms: float = 0.0) -> Step:
    """Start an entry that people have still to load: wait for them, if there are any.

    In a suspended room it waits until the room is resumed.
    """
    if ctx.present == 0 and not state.public.suspended:
        return _start(entry, act_at_ms(state.public.playback, ctx), position_ms, ctx)
    event = PlaybackWaiting(
        at_ms=ctx.now_ms,
        entry_id=entry.entry_id,
        position_ms=position_ms,
        until_ms=float(ctx.now_ms + LOADING_MS),
    )
    return Step(event)


def leave(state: State, reason: EndReason, at_ms: float, ctx: Context) -> Step:
    """End the current entry."""
    entry = state.public.playback.entry
    assert entry is not None
    event = PlaybackEnded(
        at_ms=ctx.now_ms,
        entry_id=entry.entry_id,
        ended_at_ms=at_ms,
        reason=reason,
        heard_ms=heard_ms(state, at_ms),
    )
    return Step(event, Heard(heard_ms=0.0) if state.private.heard_ms else None)


def heard_ms(state: State, at_ms: float) -> float:
    """How much of the current entry has been heard until `at_ms`, over all its anchors."""
    playback = state.public.playback
    if playback.status != "playing" or playback.started_at_ms is None:
        return state.private.heard_ms
    left_ms = playback.duration_ms() - playback.position_ms
    moved_ms = (at_ms - playback.started_at_ms) * playback.rate
    return state.private.heard_ms + on_grid(max(0.0, min(moved_ms, left_ms)))


def heard(state: State, at_ms: float) -> Heard | None:
    """What to remember when the anchor changes at `at_ms`; None if nothing was added."""
    sum_ms = heard_ms(state, at_ms)
    return None if sum_ms == state.private.heard_ms else Heard(heard_ms=sum_ms)


def current(playback: Playback, entry_id: str | None) -> Entry:
    """The current entry, if it is the one that is meant. Rejects: nothing_playing, conflict."""
    entry = playback.entry
    if entry is None:
        raise Rejected(ErrorCode.NOTHING_PLAYING)
    if entry_id is not None and entry_id != entry.entry_id:
        raise Rejected(ErrorCode.CONFLICT, entry_id=entry.entry_id)
    return entry


def _start(entry: Entry, at_ms: float, position_ms: float, ctx: Context) -> Step:
    event = PlaybackStarted(
        at_ms=ctx.now_ms, entry_id=entry.entry_id, started_at_ms=at_ms, position_ms=position_ms
    )
    return Step(event)


def _move_on(
    state: State,
    reason: EndReason,
    at_ms: float,
    following: Entry | None,
    is_loaded: bool,
    ctx: Context,
) -> list[Step]:
    """End what is current, start what follows, queue the ended entry again if that is set."""
    public = state.public
    has_ended = public.playback.entry is not None
    steps = [leave(state, reason, at_ms, ctx)] if has_ended else []
    if following is not None:
        steps.append(
            _start(following, at_ms, 0.0, ctx) if is_loaded else begin(state, following, ctx)
        )
    if has_ended and public.room.settings.repeat == "all":
        starting = following.entry_id if following else None
        steps.append(requeue(public, public.seq + 1 + len(steps), starting, ctx))
    return steps
