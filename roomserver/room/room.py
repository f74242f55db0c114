"""The room: a pure value machine. Commands in, events out; no clock, chance or I/O."""

from collections.abc import Callable
from typing import Any, Final

from protocol import chat as chat_messages
from protocol import members as member_messages
from protocol import playback as playback_messages
from protocol import queue as queue_messages
from protocol import rooms as room_messages
from protocol.catalog import RoomCommand
from protocol.errors import ErrorCode, Rejected
from protocol.fold import fold
from protocol.snapshot import Snapshot
from roomserver.room import chat, members, permissions, playback, queue, settings, suspension
from roomserver.room.context import Context
from roomserver.room.private import Private, remember
from roomserver.room.schedule import follow_schedule
from roomserver.room.state import State, Step

__all__ = ["DECIDE", "QUIET", "SETTLE_ROUNDS", "Room", "Step", "settle"]

DECIDE: Final[dict[type[RoomCommand], Callable[[State, Any, Context], list[Step]]]] = {
    room_messages.RoomUpdate: settings.decide_update,
    room_messages.RoomClose: settings.decide_close,
    room_messages.RoomSuspend: suspension.decide_suspend,
    room_messages.RoomResume: suspension.decide_resume,
    room_messages.Wake: playback.decide_wake,
    member_messages.MemberAdd: members.decide_add,
    member_messages.MemberRemove: members.decide_remove,
    queue_messages.QueueAdd: queue.decide_add,
    queue_messages.QueueRemove: queue.decide_remove,
    queue_messages.QueueMove: queue.decide_move,
    playback_messages.PlaybackPlay: playback.decide_play,
    playback_messages.PlaybackPause: playback.decide_pause,
    playback_messages.PlaybackSeek: playback.decide_seek,
    playback_messages.PlaybackNext: playback.decide_next,
    playback_messages.PlaybackPlayEntry: playback.decide_play_entry,
    playback_messages.LoadingDone: playback.decide_loading_done,
    chat_messages.ChatSend: chat.decide_send,
}
"""What answers each command: reads, refuses or returns events; never changes anything."""

QUIET: Final[frozenset[type[RoomCommand]]] = frozenset(
    {chat_messages.ChatSend, member_messages.MemberAdd, member_messages.MemberRemove}
)
"""Commands that change nothing which `settle` looks at; most commands are among them."""

SETTLE_ROUNDS: Final = 3
"""A room needs at most this many rounds to settle: see `settle`."""


def settle(state: State, ctx: Context) -> list[Step]:
    """What follows by itself from the state as it is; nothing if the room has settled.

    The four cases exclude each other and each leads only to a later one: a room that must not
    sleep wakes; an idle one with a queue begins an entry; one that plays agrees on what follows;
    the rest has settled. So three rounds are enough.
    """
    public = state.public
    if public.room.closed:
        return []
    if public.suspended:
        return suspension.resume(state, ctx) if public.room.settings.always_on else []
    if public.playback.status == "idle":
        return [playback.begin(state, public.queue[0], ctx)] if public.queue else []
    return follow_schedule(state, ctx)


class Room:
    """One room's state and the one way to change it."""

    __slots__ = ("state",)

    def __init__(self, public: Snapshot, private: Private | None = None) -> None:
        """Take over both halves; they are changed in place from now on."""
        self.state = State(public, Private() if private is None else private)

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
        if state.public.room.closed:
            raise Rejected(ErrorCode.ROOM_CLOSED)
        permissions.require(state.public, ctx.actor, command)
        steps = self._take(DECIDE[type(command)](state, command, ctx))
        if type(command) in QUIET:
            return steps
        for _ in range(SETTLE_ROUNDS):
            follow = settle(state, ctx)
            if not follow:
                break
            steps += self._take(follow)
        return steps

    def replay(self, step: Step) -> None:
        """Fold a row of the log, as it was stored."""
        fold(self.state.public, step.event)
        if step.private is not None:
            remember(self.state.private, step.private)

    def next_wake(self) -> float | None:
        """The instant of the next Wake, cluster ms: an exact boundary, or the end of a wait."""
        return playback.next_wake(self.state)

    def _take(self, steps: list[Step]) -> list[Step]:
        for step in steps:
            self.replay(step)
        return steps
