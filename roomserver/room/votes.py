"""Votes: for entries that wait, in the mode `votes`; and for skipping what plays.

A vote for an entry stays, even when whoever gave it leaves or is put out. For skipping, only those
count who are here and not muted, at every moment: who leaves takes the vote along, and may make
fewer votes enough.
"""

from math import ceil

from protocol.errors import ErrorCode, Rejected
from protocol.ids import EntryId
from protocol.permissions import may
from protocol.playback import SkipVotes
from protocol.votes import VotesCast, VotesChanged, VotesCount, VotesRetract, VotesSkip
from roomserver.room.context import Context
from roomserver.room.order import index_of
from roomserver.room.playback import current, skip
from roomserver.room.queue_memory import Voted
from roomserver.room.state import State, Step

ROUNDING = 1e-9
"""A share of the people that is a whole number but for the arithmetic is that number."""


def decide_cast(state: State, command: VotesCast, ctx: Context) -> list[Step]:
    """Vote for an entry; again is no event. Rejects: no_voting, not_allowed, unknown_entry."""
    if state.public.room.settings.queue_mode != "votes":
        raise Rejected(ErrorCode.NO_VOTING)
    _require_no_bot(ctx)
    entry = state.public.queue[index_of(state.public, command.entry_id)]
    if ctx.actor.user_id in state.private.queue.voters.get(entry.entry_id, ()):
        return []
    return [_changed(entry.entry_id, entry.votes + 1, True, ctx)]


def decide_retract(state: State, command: VotesRetract, ctx: Context) -> list[Step]:
    """Take a vote back; without one it is no event. Rejects: unknown_entry."""
    public, memory, user_id = state.public, state.private.queue, ctx.actor.user_id
    playing = public.playback.entry
    if playing is not None and playing.entry_id == command.entry_id:
        if user_id not in memory.skippers:
            return []
        return [_skip_changed(state, command.entry_id, False, ctx)]
    entry = public.queue[index_of(public, command.entry_id)]
    if user_id not in memory.voters.get(entry.entry_id, ()):
        return []
    return [_changed(entry.entry_id, entry.votes - 1, False, ctx)]


def decide_skip(state: State, command: VotesSkip, ctx: Context) -> list[Step]:
    """Skip, if the actor may; else vote for it. Rejects: nothing_playing, conflict, not_allowed."""
    entry = current(state.public.playback, command.entry_id)
    if may(state.public, ctx.actor, "skip"):
        return skip(state, "skipped", ctx)
    _require_no_bot(ctx)
    if ctx.actor.user_id in state.private.queue.skippers:
        return []
    return [_skip_changed(state, entry.entry_id, True, ctx)]


def decide_count(state: State, command: VotesCount, ctx: Context) -> list[Step]:
    """Nothing by itself: whenever it is known who is here, `follow_votes` counts."""
    return []


def follow_votes(state: State, ctx: Context) -> list[Step]:
    """Count an open vote for skipping, where the command told who is here."""
    public = state.public
    playback = public.playback
    if playback.skip is None or playback.entry is None or not ctx.here:
        return []
    count = _count(state, state.private.queue.skippers, ctx)
    if count.votes >= count.needed:
        return skip(state, "voted", ctx)
    if count == playback.skip:
        return []
    event = VotesChanged(
        at_ms=ctx.now_ms,
        entry_id=playback.entry.entry_id,
        votes=count.votes,
        needed=count.needed,
    )
    return [Step(event)]


def _require_no_bot(ctx: Context) -> None:
    """A vote is a person's: who runs ten bots has one. Rejects: not_allowed."""
    if ctx.actor.kind == "bot":
        raise Rejected(ErrorCode.NOT_ALLOWED, "A bot has no vote.")


def _count(state: State, voters: list[str], ctx: Context) -> SkipVotes:
    public, now_ms = state.public, ctx.now_ms
    muted = [
        key
        for key, member in public.members.items()
        if member.mute is not None and member.is_muted(now_ms)
    ]
    banned = [key for key, ban in public.bans.items() if ban.is_in_force(now_ms)]
    silent = ctx.here.intersection([*muted, *banned])
    votes = ctx.here.intersection(voters) - silent
    share = public.room.settings.skip_share * (len(ctx.here) - len(silent))
    return SkipVotes(votes=len(votes), needed=max(1, ceil(share - ROUNDING)))


def _changed(entry_id: EntryId, votes: int, on: bool, ctx: Context) -> Step:
    event = VotesChanged(at_ms=ctx.now_ms, entry_id=entry_id, votes=votes)
    return Step(event, Voted(user_id=ctx.actor.user_id, on=on))


def _skip_changed(state: State, entry_id: EntryId, on: bool, ctx: Context) -> Step:
    user_id = ctx.actor.user_id
    before = state.private.queue.skippers
    voters = [*before, user_id] if on else [voter for voter in before if voter != user_id]
    count = _count(state, voters, ctx)
    event = VotesChanged(
        at_ms=ctx.now_ms, entry_id=entry_id, votes=count.votes, needed=count.needed
    )
    return Step(event, Voted(user_id=user_id, on=on))
