"""Tracks: what the room does when one of its tracks is no more."""

from protocol.playback import PlaybackScheduled
from protocol.queue import QueueRemoved
from protocol.tracks import TrackGone
from roomserver.room.context import Context
from roomserver.room.playback import leave
from roomserver.room.schedule import act_at_ms, plan
from roomserver.room.state import State, Step


def decide_gone(state: State, command: TrackGone, ctx: Context) -> list[Step]:
    """Take out its entries, also those that start within the lead: there is nothing to load.

    What plays is left at the next instant that all can share. What follows is begun as in a room
    where nothing played, once the order is right; it is not queued again, whatever repeats.
    """
    public = state.public
    playback, track_id = public.playback, command.track_id
    left = [entry for entry in public.queue if entry.track.track_id != track_id]
    steps = [
        Step(
            QueueRemoved(
                at_ms=ctx.now_ms, entry_id=entry.entry_id, by=ctx.actor, reason="track_gone"
            )
        )
        for entry in public.queue
        if entry.track.track_id == track_id
    ]
    ends_at_ms = playback.ends_at_ms()
    if playback.entry is not None and playback.entry.track.track_id == track_id:
        at_ms = act_at_ms(playback, ctx)
        at_ms = at_ms if ends_at_ms is None else min(at_ms, ends_at_ms)
        steps.append(leave(state, "skipped", at_ms, ctx))
        ends_at_ms = None
    # At once: until then, starts are agreed that will not come.
    upcoming = [] if ends_at_ms is None else plan(left, ends_at_ms)
    if steps and upcoming != playback.upcoming:
        steps.append(Step(PlaybackScheduled(at_ms=ctx.now_ms, upcoming=upcoming)))
    return steps
