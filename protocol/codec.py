"""Bytes <-> messages, JSON: how they are stored, sent between nodes and, mostly, to people.

`protocol.encodings` adds the other spelling that a connection may choose.
"""

import json
from typing import Final, TypeVar

import msgspec

from protocol.catalog import RoomCommand, RoomEvent
from protocol.errors import ErrorCode, Rejected
from protocol.frames import AnyClientFrame, AnyServerFrame
from protocol.snapshot import Snapshot

T = TypeVar("T")
NO_NUL: Final = "Text must not contain the NUL character."

_encoder = msgspec.json.Encoder()
_client: msgspec.json.Decoder[AnyClientFrame] = msgspec.json.Decoder(AnyClientFrame)
_server = msgspec.json.Decoder(AnyServerFrame)
_event = msgspec.json.Decoder(RoomEvent)
_events = msgspec.json.Decoder(list[RoomEvent])
_command = msgspec.json.Decoder(RoomCommand)
_snapshot = msgspec.json.Decoder(Snapshot)

encode = _encoder.encode
"""Any Struct to JSON bytes (UTF-8, no spaces)."""
decode_event = _event.decode
decode_events = _events.decode
decode_command = _command.decode
decode_snapshot = _snapshot.decode
decode_server_frame = _server.decode
"""Bytes to a server frame; raises msgspec.ValidationError. For clients."""


def decode_client_frame(data: bytes | str) -> AnyClientFrame:
    """Bytes of one WebSocket text message to a frame. Rejects: bad_request."""
    return decode_strict(_client, data)


def decode_strict(decoder: "msgspec.json.Decoder[T]", data: bytes | str) -> T:
    """Decode what a stranger sent. Rejects: bad_request with the reason and the path.

    Catches what msgspec lets through or raises by another name: NUL, bad UTF-8, deep nesting.
    """
    try:
        value = decoder.decode(data)
        escape = "\\u0000" if isinstance(data, str) else b"\\u0000"
        if escape in data and _has_nul(json.loads(data)):  # type: ignore[operator]
            raise Rejected(ErrorCode.BAD_REQUEST, NO_NUL)
    except (ValueError, RecursionError) as problem:
        raise malformed(problem) from None
    return value


def malformed(problem: ValueError | RecursionError) -> Rejected:
    """The refusal of what could not be decoded; all of msgspec's errors are ValueErrors."""
    return Rejected(ErrorCode.BAD_REQUEST, _reason(problem))


def events_frame(room_id: str, first_seq: int, bodies: list[bytes]) -> bytes:
    """An `events` frame from encoded events, without encoding them again."""
    return b'{"type":"events","room":"%s","first_seq":%d,"events":[%s]}' % (
        room_id.encode(),
        first_seq,
        b",".join(bodies),
    )


def _has_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))


def _reason(problem: Exception) -> str:
    if isinstance(problem, RecursionError):
        return "The message is nested too deeply."
    if isinstance(problem, UnicodeDecodeError):
        return "The message is not UTF-8."
    return str(problem)[:300]
