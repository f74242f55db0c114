"""What each command does to the model, or why it must be refused."""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from protocol.catalog import RoomCommand
from protocol.chat import ChatDelete, ChatEdit, ChatReact, ChatSend
from protocol.errors import ErrorCode as E
from protocol.members import MemberAdd, MemberRemove, MemberSetRole
from protocol.moderation import MemberBan, MemberKick, MemberMute, MemberUnban, MemberUnmute
from protocol.owner import OwnerSucceed, OwnerTransfer
from protocol.playback import (
    LoadingDone,
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
)
from protocol.queue import QueueAdd, QueueClear, QueueMove, QueueRemove, QueueShuffle, QueueUndo
from protocol.reactions import ReactionsCount, ReactionSend
from protocol.rooms import RoomClose, RoomRelock, RoomResume, RoomSuspend, RoomUpdate, Wake
from protocol.slash import SlashRegister
from protocol.snapshot import Snapshot
from protocol.tracks import TrackGone
from protocol.votes import VotesCast, VotesCount, VotesRetract, VotesSkip
from roomserver.room.context import SYSTEM, Context
from tests.room import model_playing as playing
from tests.room import model_queueing as queueing
from tests.room import model_standing as standing
from tests.room.model import Model
from tests.room.model_line import NOT_NAMED_YET


def do(model: Model, command: RoomCommand, told: Context, shown: Snapshot) -> set[E]:
    """Do it, or tell why not. `shown` is what the real room shows after it."""
    model.shown = shown
    if model.closed:
        return {E.ROOM_CLOSED}
    if told.actor.user_id != SYSTEM.user_id:
        whose, target = _whose(model, command), told.target
        forbidden = model.people.forbids(told.actor, command, whose, target, told.now_ms)  # type: ignore[arg-type]
        if forbidden:
            return forbidden
    reasons = DO[type(command)](model, command, told)
    if not reasons:
        playing.follow_votes(model, told)
        model.settle(told.now_ms, told)
    return reasons


def close(model: Model, command: RoomClose, told: Context) -> set[E]:
    """The end."""
    model.close(told.now_ms)
    return set()


def _whose(model: Model, command: RoomCommand) -> str | None:
    match command:
        case QueueRemove() | QueueMove():
            piece = model.line.piece(command.entry_id)
            return piece.owner.user_id if piece else None
        case ChatEdit() | ChatDelete():
            said = model.chat.find(command.message_id)
            return said.author if said else None
    return None


def update(model: Model, command: RoomUpdate, told: Context) -> set[E]:
    """Tune the room."""
    change = command.settings
    if change is None:
        return set()
    if change.always_on is not UNSET:
        model.always_on = change.always_on
    if change.repeat is not UNSET:
        model.repeat = change.repeat
    if change.skip_share is not UNSET:
        model.share = change.skip_share
    if change.permissions is not UNSET:
        model.people.table.update(change.permissions)
    line = model.line
    if change.queue_limit is not UNSET:
        line.limit = change.queue_limit
    if change.entries_per_person is not UNSET:
        line.each = change.entries_per_person
    if change.duplicates is not UNSET:
        line.duplicates = change.duplicates
    if change.queue_mode is not UNSET:
        line.mode = change.queue_mode
        model.people.djs_only = line.mode == "djs"
    return set()


def say(model: Model, command: ChatSend, told: Context) -> set[E]:
    """Say something; the real room names it."""
    name = model.shown.chat[-1].message_id if model.shown.chat else NOT_NAMED_YET
    return model.chat.send(command, told.actor.user_id, name)


def change_said(model: Model, command: ChatEdit | ChatDelete | ChatReact, told: Context) -> set[E]:
    """Edit, delete, react."""
    return model.chat.change(command, told.actor.user_id)


Doing = Callable[[Model, Any, Context], set[E]]
DO: dict[type[RoomCommand], Doing] = {
    RoomUpdate: update,
    RoomClose: close,
    RoomRelock: lambda model, command, told: set(),
    RoomSuspend: playing.suspend,
    RoomResume: playing.resume,
    Wake: playing.wake,
    MemberAdd: standing.give_place,
    MemberRemove: standing.take_place,
    MemberSetRole: standing.set_role,
    MemberKick: standing.kick,
    MemberMute: standing.mute,
    MemberUnmute: standing.unmute,
    MemberBan: standing.ban,
    MemberUnban: standing.unban,
    SlashRegister: standing.offer,
    OwnerTransfer: standing.transfer,
    OwnerSucceed: standing.succeed,
    QueueAdd: queueing.add,
    QueueRemove: queueing.remove,
    QueueMove: queueing.move,
    QueueClear: queueing.clear,
    QueueShuffle: queueing.shuffle,
    QueueUndo: queueing.undo,
    VotesCast: queueing.vote,
    VotesRetract: queueing.retract,
    PlaybackPlay: playing.play,
    PlaybackPause: playing.pause,
    PlaybackSeek: playing.seek,
    PlaybackNext: playing.next,
    VotesSkip: playing.vote_to_skip,
    VotesCount: playing.count_again,
    PlaybackPlayEntry: playing.play_entry,
    LoadingDone: playing.loading_done,
    ReactionSend: playing.react,
    ReactionsCount: playing.react,
    TrackGone: queueing.lose,
    ChatSend: say,
    ChatEdit: change_said,
    ChatDelete: change_said,
    ChatReact: change_said,
}
