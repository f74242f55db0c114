"""How messages are spelt on a connection: JSON in text messages, or MessagePack in binary ones.

    JSON                as `protocol.codec` spells it, and as it is stored and sent between nodes
    MESSAGEPACK         the same maps, keys and values, about a fifth shorter

Which one a connection speaks is agreed on in its handshake, by the subprotocol. `repacked` turns
one into the other without knowing what the message says.
"""

import re
from collections.abc import Callable
from math import isfinite
from typing import Any, Final, Literal, NamedTuple

import msgspec

from protocol import codec
from protocol.catalog import RoomEvent
from protocol.errors import ErrorCode, Rejected
from protocol.frames import AnyClientFrame, AnyServerFrame
from protocol.ids import FrameId

EncodingName = Literal["json", "msgpack"]

_client = msgspec.msgpack.Decoder(AnyClientFrame)
_server = msgspec.msgpack.Decoder(AnyServerFrame)
_event = msgspec.msgpack.Decoder(RoomEvent)
_untyped = msgspec.msgpack.Decoder()
_encode = msgspec.msgpack.Encoder().encode
_suspect: Final = re.compile(rb"[\x00\xca\xcb]")
"""Without one of these bytes there is neither a NUL nor a float in a message."""
_json_id: Final = re.compile(rb'"id"\s*:\s*(\d{1,15})(?!\d)')
_packed_id: Final = re.compile(
    rb"\xa2id(?:([\x01-\x7f])|\xcc(.)|\xcd(..)|\xce(.{4})|\xcf(\x00[\x00-\x1f].{6}))", re.DOTALL
)
_SALVAGED_BYTES: Final = 4_096
"""So far into a broken message its id is looked for."""


class Encoding(NamedTuple):
    """One way to spell messages."""

    subprotocol: str
    is_binary: bool
    """Comes in binary messages, else in text messages."""
    encode: Callable[[object], bytes]
    """Any Struct to bytes."""
    decode_client_frame: Callable[[bytes], AnyClientFrame]
    """What a stranger sent. Rejects: bad_request with the reason and the path."""
    decode_server_frame: Callable[[bytes | str], AnyServerFrame]
    """For clients. Raises msgspec.DecodeError, UnicodeDecodeError."""
    decode_event: Callable[[bytes | msgspec.Raw], RoomEvent]
    decode: Callable[..., Any]
    """`decode(data, type=T)`: what has no decoder of its own."""
    salvage_id: Callable[[bytes], FrameId | None]
    """The id that a frame seems to have that could not be decoded."""


def repacked(data: bytes) -> bytes:
    """A message of ours from JSON to MessagePack."""
    return _encode(msgspec.json.decode(data))


def packed_before_snapshot(joined: bytes) -> bytes:
    """MessagePack of a JSON `joined` frame, open at its end: a packed snapshot belongs there."""
    return _encode({**msgspec.json.decode(joined), "snapshot": msgspec.Raw(b"")})


def _decode_packed(data: bytes) -> AnyClientFrame:
    try:
        frame: AnyClientFrame = _client.decode(data)
        if _suspect.search(data):
            _refuse_what_json_refuses(_untyped.decode(data))
    except (ValueError, RecursionError) as problem:
        raise codec.malformed(problem) from None
    return frame


def _refuse_what_json_refuses(value: object) -> None:
    """NUL, which no text may contain, and numbers that JSON cannot write."""
    match value:
        case str() if "\x00" in value:
            raise Rejected(ErrorCode.BAD_REQUEST, codec.NO_NUL)
        case float() if not isfinite(value):
            raise Rejected(ErrorCode.BAD_REQUEST, "A number must be finite.")
        case dict():
            for item in (*value, *value.values()):
                _refuse_what_json_refuses(item)
        case list():
            for item in value:
                _refuse_what_json_refuses(item)


def _salvage_from_json(data: bytes) -> FrameId | None:
    found = _json_id.search(data, 0, _SALVAGED_BYTES)
    return (int(found[1]) or None) if found else None


def _salvage_from_packed(data: bytes) -> FrameId | None:
    found = _packed_id.search(data, 0, _SALVAGED_BYTES)
    return int.from_bytes(found[found.lastindex or 0], "big") or None if found else None


JSON: Final = Encoding(
    subprotocol="unisono.v1.json",
    is_binary=False,
    encode=codec.encode,
    decode_client_frame=codec.decode_client_frame,
    decode_server_frame=codec.decode_server_frame,
    decode_event=codec.decode_event,
    decode=msgspec.json.decode,
    salvage_id=_salvage_from_json,
)
MESSAGEPACK: Final = Encoding(
    subprotocol="unisono.v1.msgpack",
    is_binary=True,
    encode=_encode,
    decode_client_frame=_decode_packed,
    decode_server_frame=_server.decode,  # type: ignore[arg-type]
    decode_event=_event.decode,
    decode=msgspec.msgpack.decode,
    salvage_id=_salvage_from_packed,
)
ENCODINGS: Final[dict[EncodingName, Encoding]] = {"json": JSON, "msgpack": MESSAGEPACK}
"""What a server speaks; a connection that asks for none of them gets JSON."""
