"""Who may do what: one table, and the only place that compares roles."""

from typing import Final, Literal, get_args

from protocol.catalog import RoomCommand
from protocol.chat import ChatSend
from protocol.errors import ErrorCode, Rejected
from protocol.playback import (
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
)
from protocol.queue import QueueAdd, QueueMove, QueueRemove, place
from protocol.rooms import RoomClose, RoomUpdate
from protocol.snapshot import Snapshot
from protocol.users import Person
from roomserver.room.context import SYSTEM

Reach = Literal["any", "own"]
"""`own`: only entries that the actor added."""
Standing = Literal["system", "owner", "listener"]

_EVERYBODY: Final[dict[type[RoomCommand], Reach]] = {
    ChatSend: "any",
    QueueAdd: "any",
    PlaybackPlay: "any",
    PlaybackPause: "any",
    PlaybackSeek: "any",
    PlaybackNext: "any",
    PlaybackPlayEntry: "any",
}
MAY: Final[dict[Standing, dict[type[RoomCommand], Reach]]] = {
    "listener": {
        **_EVERYBODY,
        QueueMove: "own",
        QueueRemove: "own",
    },
    "owner": {
        **_EVERYBODY,
        QueueMove: "any",
        QueueRemove: "any",
        RoomUpdate: "any",
        RoomClose: "any",
    },
    # The home's own commands are nobody else's.
    "system": dict.fromkeys(get_args(RoomCommand), "any"),
}


def standing(public: Snapshot, actor: Person) -> Standing:
    """The column of the table that holds for a person; without a member row: listener."""
    member = public.members.get(actor.user_id)
    if member is not None:
        return member.role
    return "system" if actor.user_id == SYSTEM.user_id else "listener"


def require(public: Snapshot, actor: Person, command: RoomCommand) -> None:
    """Let the command pass. Rejects: not_allowed."""
    reach = MAY[standing(public, actor)].get(type(command))
    if reach == "any":
        return
    if reach is None or not _is_own(public, actor, command):
        raise Rejected(ErrorCode.NOT_ALLOWED)


def _is_own(public: Snapshot, actor: Person, command: RoomCommand) -> bool:
    if not isinstance(command, QueueMove | QueueRemove):
        return False
    index = place(public.queue, command.entry_id)
    # That there is no such entry is for the rule to say.
    return index is None or public.queue[index].added_by.user_id == actor.user_id
