"""How often a person may do what: one table for both doors, the WebSocket and REST."""

from typing import NamedTuple

from protocol.catalog import ClientCommand
from protocol.chat import ChatSend
from protocol.playback import (
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
)
from protocol.queue import QueueAdd, QueueMove, QueueRemove
from protocol.rooms import RoomClose, RoomUpdate


class CommandLimit(NamedTuple):
    """`amount` in any `window_ms`, counted under `action`."""

    action: str
    amount: int = 10
    window_ms: int = 60_000


PLAYBACK = CommandLimit("playback")
"""All that steers the music counts together."""

COMMAND_LIMITS: dict[type[ClientCommand], CommandLimit] = {
    RoomUpdate: CommandLimit("room.update"),
    RoomClose: CommandLimit("room.close"),
    QueueAdd: CommandLimit("queue.add"),
    QueueRemove: CommandLimit("queue.remove"),
    QueueMove: CommandLimit("queue.move"),
    PlaybackPlay: PLAYBACK,
    PlaybackPause: PLAYBACK,
    PlaybackSeek: PLAYBACK,
    PlaybackNext: PLAYBACK,
    PlaybackPlayEntry: PLAYBACK,
    ChatSend: CommandLimit("chat.send", 5, 5_000),
}
