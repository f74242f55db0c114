"""Reactions to the music: counted for the second of the track that they are about."""

from protocol.errors import ErrorCode, Rejected
from protocol.queue import Entry
from protocol.reactions import ReactionsCount, ReactionsCounted, ReactionSend, Tally
from protocol.snapshot import Snapshot
from roomserver.room.context import Context
from roomserver.room.state import State, Step


def decide_send(state: State, command: ReactionSend, ctx: Context) -> list[Step]:
    """Count one. Rejects: nothing_playing."""
    return _count(state, {command.emoji: 1}, ctx)


def decide_count(state: State, command: ReactionsCount, ctx: Context) -> list[Step]:
    """Count what came in together. Rejects: nothing_playing."""
    return _count(state, command.counts, ctx)


def require_playing(public: Snapshot) -> Entry:
    """The entry that sounds now. Rejects: nothing_playing.

    A reaction is about what is heard: a pause, a wait for loading and a sleeping room have none.
    """
    playback = public.playback
    if playback.entry is None or playback.status != "playing" or public.suspended:
        raise Rejected(ErrorCode.NOTHING_PLAYING)
    return playback.entry


def _count(state: State, counts: Tally, ctx: Context) -> list[Step]:
    entry = require_playing(state.public)
    event = ReactionsCounted(
        at_ms=ctx.now_ms,
        entry_id=entry.entry_id,
        second=int(state.public.playback.position_at(ctx.now_ms) // 1_000),
        counts=counts,
    )
    return [Step(event)]
