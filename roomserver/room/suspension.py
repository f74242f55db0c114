"""Sleep: a room that nobody is in rests at its position, and invents no plays."""

from protocol.playback import PlaybackStarted
from protocol.rooms import RoomResume, RoomResumed, RoomSuspend, RoomSuspended
from roomserver.room.context import Context
from roomserver.room.playback import begin, heard
from roomserver.room.schedule import on_grid
from roomserver.room.state import State, Step


def decide_suspend(state: State, command: RoomSuspend, ctx: Context) -> list[Step]:
    """Rest where the last person left. A room that is always on, or rests already, does nothing."""
    public = state.public
    if public.suspended or public.room.settings.always_on:
        return []
    vacant_since_ms = on_grid(command.vacant_since_ms)
    event = RoomSuspended(
        at_ms=ctx.now_ms, position_ms=on_grid(public.playback.position_at(vacant_since_ms))
    )
    return [Step(event, heard(state, vacant_since_ms))]


def decide_resume(state: State, command: RoomResume, ctx: Context) -> list[Step]:
    """Wake up, if asleep."""
    return resume(state, ctx) if state.public.suspended else []


def resume(state: State, ctx: Context) -> list[Step]:
    """Go on where it rested: what played plays, what waited waits, what was paused stays so."""
    playback = state.public.playback
    steps = [Step(RoomResumed(at_ms=ctx.now_ms))]
    if playback.entry is None:
        return steps
    if playback.status == "playing" or (playback.status == "waiting" and ctx.present == 0):
        event = PlaybackStarted(
            at_ms=ctx.now_ms,
            entry_id=playback.entry.entry_id,
            started_at_ms=float(ctx.now_ms + ctx.lead_ms),
            position_ms=playback.position_ms,
        )
        steps.append(Step(event))
    elif playback.status == "waiting":
        steps.append(begin(state, playback.entry, ctx, playback.position_ms))
    return steps
