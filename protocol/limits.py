"""How often a person may do what: one table for both doors, the WebSocket and REST."""

from typing import NamedTuple

from protocol.catalog import ClientCommand
from protocol.chat import ChatDelete, ChatEdit, ChatReact, ChatSend
from protocol.members import MemberSetRole
from protocol.moderation import MemberBan, MemberKick, MemberMute, MemberUnban, MemberUnmute
from protocol.owner import OwnerTransfer
from protocol.playback import (
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
)
from protocol.queue import QueueAdd, QueueClear, QueueMove, QueueRemove, QueueShuffle, QueueUndo
from protocol.reactions import ReactionSend
from protocol.rooms import RoomClose, RoomUpdate
from protocol.slash import SlashRegister
from protocol.votes import VotesCast, VotesRetract, VotesSkip


class CommandLimit(NamedTuple):
    """`amount` in any `window_ms`, counted under `action`."""

    action: str
    amount: int = 10
    window_ms: int = 60_000


PLAYBACK = CommandLimit("playback")
"""All that steers the music counts together."""
VOTES = CommandLimit("votes", 30)
MUTE = CommandLimit("member.mute", 5)
BAN = CommandLimit("member.ban", 5)
KNOCK = CommandLimit("room.join")
"""Joining over REST, and a join frame with a password: guesses count together."""

COMMAND_LIMITS: dict[type[ClientCommand], CommandLimit] = {
    RoomUpdate: CommandLimit("room.update"),
    RoomClose: CommandLimit("room.close"),
    MemberSetRole: CommandLimit("member.set_role", 5),
    OwnerTransfer: CommandLimit("owner.transfer", 5),
    MemberKick: CommandLimit("member.kick", 5),
    MemberMute: MUTE,
    MemberUnmute: MUTE,
    MemberBan: BAN,
    MemberUnban: BAN,
    QueueAdd: CommandLimit("queue.add"),
    QueueRemove: CommandLimit("queue.remove"),
    QueueMove: CommandLimit("queue.move"),
    QueueClear: CommandLimit("queue.clear"),
    QueueShuffle: CommandLimit("queue.shuffle"),
    QueueUndo: CommandLimit("queue.undo"),
    VotesCast: VOTES,
    VotesRetract: VOTES,
    VotesSkip: CommandLimit("votes.skip"),
    PlaybackPlay: PLAYBACK,
    PlaybackPause: PLAYBACK,
    PlaybackSeek: PLAYBACK,
    PlaybackNext: PLAYBACK,
    PlaybackPlayEntry: PLAYBACK,
    ChatSend: CommandLimit("chat.send", 5, 5_000),
    ChatEdit: CommandLimit("chat.edit"),
    ChatDelete: CommandLimit("chat.delete"),
    ChatReact: CommandLimit("chat.react", 30),
    ReactionSend: CommandLimit("reaction.send", 30, 10_000),
    SlashRegister: CommandLimit("slash.register"),
}
