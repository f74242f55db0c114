"""Recordings: what a room was told and what came of it, line by line, to be played again.

First line `{"snapshot"}`, last line `{"final"}`, between them one line a command:
`{"context","command","events"}`, or `"refused"` with a code and no events.
"""

import msgspec
from msgspec import Struct

from protocol.catalog import RoomCommand, RoomEvent
from protocol.errors import ErrorCode, Rejected
from protocol.snapshot import Snapshot
from roomserver.room.context import Context
from roomserver.room.room import Room, Step


class Opening(Struct, frozen=True):
    """The state before the first command."""

    snapshot: Snapshot


class Line(Struct, frozen=True, omit_defaults=True):
    """One command and its outcome."""

    context: Context
    command: RoomCommand
    events: list[RoomEvent] = []
    refused: ErrorCode | None = None


class Closing(Struct, frozen=True):
    """The state after the last command."""

    final: Snapshot


_encoder = msgspec.json.Encoder()
_line_encoder = msgspec.json.Encoder(order="deterministic")
"""Who is here is a set, which has no order of its own."""
_opening = msgspec.json.Decoder(Opening)
_line = msgspec.json.Decoder(Line)


class Recorder:
    """Writes down everything that is done to one room through it."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._lines = [_encoder.encode(Opening(room.public))]

    def apply(self, command: RoomCommand, context: Context) -> list[Step]:
        """`Room.apply`, written down. Rejects: what the room rejects."""
        try:
            steps = self.room.apply(command, context)
        except Rejected as refusal:
            self._lines.append(_line_encoder.encode(Line(context, command, refused=refusal.code)))
            raise
        self._lines.append(
            _line_encoder.encode(Line(context, command, [step.event for step in steps]))
        )
        return steps

    def finish(self) -> bytes:
        """The whole recording until now, one JSON value a line."""
        return b"\n".join([*self._lines, _encoder.encode(Closing(self.room.public)), b""])


def replay(recording: bytes) -> bytes:
    """Do the same to the same room again. The same bytes come out, unless the rules changed."""
    first, *lines, _ = recording.splitlines()
    recorder = Recorder(Room(_opening.decode(first).snapshot))
    for data in lines:
        line = _line.decode(data)
        try:
            recorder.apply(line.command, line.context)
        except Rejected:
            continue  # The recorder has written it down.
    return recorder.finish()
