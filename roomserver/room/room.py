"""The room: a pure value machine. Commands in, events out; no clock, chance or I/O."""

from collections.abc import Callable
from typing import Any, Final

from protocol import chat as chat_messages
from protocol import members as member_messages
from protocol import moderation as moderation_messages
from protocol import owner as owner_messages
from protocol import playback as playback_messages
from protocol import queue as queue_messages
from protocol import reactions as reaction_messages
from protocol import rooms as room_messages
from protocol import slash as slash_messages
from protocol import tracks as track_messages
from protocol import votes as vote_messages
from protocol.catalog import RoomCommand
from protocol.errors import ErrorCode, Rejected
from protocol.fold import fold
from protocol.snapshot import Snapshot
from roomserver.room import (
    chat,
    members,
    moderation,
    order,
    owner,
    permissions,
    playback,
    queue,
    reactions,
    repeat,
    settings,
    slash,
    suspension,
    tracks,
    undo,
    votes,
)
from roomserver.room.context import Context
from roomserver.room.private import Private, remember
from roomserver.room.schedule import follow_schedule
from roomserver.room.state import State, Step

__all__ = ["DECIDE", "QUIET", "SETTLE_ROUNDS", "Room", "Step", "settle"]

DECIDE: Final[dict[type[RoomCommand], Callable[[State, Any, Context], list[Step]]]] = {
    room_messages.RoomUpdate: settings.decide_update,
    room_messages.RoomClose: settings.decide_close,
    room_messages.RoomRelock: settings.decide_relock,
    room_messages.RoomSuspend: suspension.decide_suspend,
    room_messages.RoomResume: suspension.decide_resume,
    room_messages.Wake: playback.decide_wake,
    member_messages.MemberAdd: members.decide_add,
    member_messages.MemberRemove: members.decide_remove,
    member_messages.MemberSetRole: members.decide_set_role,
    owner_messages.OwnerTransfer: owner.decide_transfer,
    owner_messages.OwnerSucceed: owner.decide_succeed,
    moderation_messages.MemberKick: moderation.decide_kick,
    moderation_messages.MemberMute: moderation.decide_mute,
    moderation_messages.MemberUnmute: moderation.decide_unmute,
    moderation_messages.MemberBan: moderation.decide_ban,
    moderation_messages.MemberUnban: moderation.decide_unban,
    queue_messages.QueueAdd: queue.decide_add,
    queue_messages.QueueRemove: queue.decide_remove,
    queue_messages.QueueMove: order.decide_move,
    queue_messages.QueueClear: queue.decide_clear,
    queue_messages.QueueShuffle: order.decide_shuffle,
    queue_messages.QueueUndo: undo.decide_undo,
    vote_messages.VotesCast: votes.decide_cast,
    vote_messages.VotesRetract: votes.decide_retract,
    vote_messages.VotesSkip: votes.decide_skip,
    vote_messages.VotesCount: votes.decide_count,
    playback_messages.PlaybackPlay: playback.decide_play,
    playback_messages.PlaybackPause: playback.decide_pause,
    playback_messages.PlaybackSeek: playback.decide_seek,
    playback_messages.PlaybackNext: playback.decide_next,
    playback_messages.PlaybackPlayEntry: playback.decide_play_entry,
    playback_messages.LoadingDone: playback.decide_loading_done,
    chat_messages.ChatSend: chat.decide_send,
    chat_messages.ChatEdit: chat.decide_edit,
    chat_messages.ChatDelete: chat.decide_delete,
    chat_messages.ChatReact: chat.decide_react,
    reaction_messages.ReactionSend: reactions.decide_send,
    reaction_messages.ReactionsCount: reactions.decide_count,
    slash_messages.SlashRegister: slash.decide_register,
    track_messages.TrackGone: tracks.decide_gone,
}
"""What answers each command: reads, refuses or returns events; never changes anything."""

QUIET: Final[frozenset[type[RoomCommand]]] = frozenset(
    {
        chat_messages.ChatSend,
        chat_messages.ChatEdit,
        chat_messages.ChatDelete,
        chat_messages.ChatReact,
        reaction_messages.ReactionSend,
        reaction_messages.ReactionsCount,
        slash_messages.SlashRegister,
        room_messages.RoomRelock,
        member_messages.MemberAdd,
        member_messages.MemberRemove,
    }
)
"""Commands that change nothing which `settle` looks at; most commands are among them."""

SETTLE_ROUNDS: Final = 6
"""A room needs at most this many rounds to settle: see `settle`."""


def settle(state: State, ctx: Context) -> list[Step]:
    """What follows by itself from the state as it is; nothing if the room has settled.

    Each case leads only to later ones: an open vote is counted and may pass; copies that nothing
    repeats any more leave, and the order of the mode is put right; a room that must not sleep
    wakes; an idle one with a queue begins an entry; one that repeats an entry gets the copies of
    it; one that plays agrees on what follows; the rest has settled. So six rounds are enough.
    """
    public = state.public
    if public.room.closed:
        return []
    steps = votes.follow_votes(state, ctx) or _tidy(state, ctx)
    if steps:
        return steps
    if public.suspended:
        return suspension.resume(state, ctx) if public.room.settings.always_on else []
    if public.playback.status == "idle" and public.queue:
        return [playback.begin(state, public.queue[0], ctx)]
    return repeat.enter_loop(state, ctx) or follow_schedule(state, ctx)


def _tidy(state: State, ctx: Context) -> list[Step]:
    stale = repeat.stale_copies(state, ctx)
    return repeat.leave_loop(stale, ctx) + order.follow_order(state, ctx, stale)


class Room:
    """One room's state and the one way to change it."""

    __slots__ = ("state",)

    def __init__(self, public: Snapshot, private: Private | None = None) -> None:
        """Take over both halves; they are changed in place from now on.

        A room that was just made has no private half yet: its owner has a place.
        """
        if private is None:
            founders = public.members.items()
            private = Private(members={key: row.joined_at_ms or 0 for key, row in founders})
        self.state = State(public, private)

    @property
    def public(self) -> Snapshot:
        """The public half: the snapshot at the last event."""
        return self.state.public

    @property
    def private(self) -> Private:
        """The private half."""
        return self.state.private

    def apply(self, command: RoomCommand, ctx: Context) -> list[Step]:
        """Run one command; raise Rejected and leave the state as it was if it is refused."""
        state = self.state
        steps = self._take(self.weigh(command, ctx))
        if type(command) in QUIET:
            return steps
        for _ in range(SETTLE_ROUNDS):
            follow = settle(state, ctx)
            if not follow:
                break
            steps += self._take(follow)
        return steps

    def weigh(self, command: RoomCommand, ctx: Context) -> list[Step]:
        """What a command would do first, without doing it. Rejects as `apply` does."""
        state = self.state
        if state.public.room.closed:
            raise Rejected(ErrorCode.ROOM_CLOSED)
        permissions.require(state, command, ctx)
        return DECIDE[type(command)](state, command, ctx)

    def replay(self, step: Step) -> None:
        """Fold a row of the log, as it was stored."""
        public = self.state.public
        remember(self.state.private, public, step.event, step.private)
        fold(public, step.event)

    def next_wake(self) -> float | None:
        """The instant of the next Wake, cluster ms: an exact boundary, or the end of a wait."""
        return playback.next_wake(self.state)

    def _take(self, steps: list[Step]) -> list[Step]:
        for step in steps:
            self.replay(step)
        return steps
