"""Names of things: UUIDs as lower-case text, and how a room derives new ones."""

from hashlib import sha1
from typing import Annotated

from msgspec import Meta

_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_Uuid = Meta(pattern=_UUID, max_length=36)

UserId = Annotated[str, _Uuid]
LoginId = Annotated[str, _Uuid]
RoomId = Annotated[str, _Uuid]
TrackId = Annotated[str, _Uuid]
EntryId = Annotated[str, _Uuid]
MessageId = Annotated[str, _Uuid]
Lineage = Annotated[str, _Uuid]
NodeId = Annotated[str, _Uuid]
ConnectionId = Annotated[str, Meta(min_length=1, max_length=64)]
ClientId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
"""A client's own random name, kept over reconnects."""
FrameId = Annotated[int, Meta(ge=1, le=2**53)]
"""Counts up in one client_id; (user, client_id, id) names a command for ever."""


def derive(room_id: RoomId, lineage: Lineage, seq: int, index: int = 0) -> str:
    """Name the thing that event `seq` of a room makes: uuid5(room_id, "lineage:seq:index").

    The same log gives the same names, so a replay needs no chance (RFC 9562, section 5.5).
    """
    digest = bytearray(
        sha1(
            bytes.fromhex(room_id.replace("-", "")) + f"{lineage}:{seq}:{index}".encode(),
            usedforsecurity=False,
        ).digest()[:16]
    )
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def cmd_id(client_id: str, frame_id: int) -> str:
    """The idempotency key of a command, unique for its user."""
    return f"{client_id}:{frame_id}"
