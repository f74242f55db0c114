"""Names of things: UUIDs as lower-case text, and how a room derives new ones."""

from functools import lru_cache
from hashlib import sha1
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

if TYPE_CHECKING:
    from hashlib import _Hash

_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_Uuid = Meta(pattern=_UUID, max_length=36)

UserId = Annotated[str, _Uuid]
LoginId = Annotated[str, _Uuid]
RoomId = Annotated[str, _Uuid]
TrackId = Annotated[str, _Uuid]
EntryId = Annotated[str, _Uuid]
MessageId = Annotated[str, _Uuid]
JobId = Annotated[str, _Uuid]
Lineage = Annotated[str, _Uuid]
NodeId = Annotated[str, _Uuid]
ConnectionId = Annotated[str, Meta(min_length=1, max_length=64)]
ClientId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
"""A client's own random name, kept over reconnects."""
FrameId = Annotated[int, Meta(ge=1, le=2**53)]
"""Counts up in one client_id; (user, client_id, id) names a command for ever."""


_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


@lru_cache(maxsize=1_024)
def _history(room_id: RoomId, lineage: Lineage) -> "_Hash":
    """What all names of one history begin with, hashed; to be copied, not changed."""
    room = bytes.fromhex(room_id.replace("-", ""))
    return sha1(room + f"{lineage}:".encode(), usedforsecurity=False)


def derive(room_id: RoomId, lineage: Lineage, seq: int, index: int = 0) -> str:
    """Name the thing that event `seq` of a room makes: uuid5(room_id, "lineage:seq:index").

    The same log gives the same names, so a replay needs no chance (RFC 9562, section 5.5).
    """
    hashed = _history(room_id, lineage).copy()
    hashed.update(f"{seq}:{index}".encode())
    text = hashed.hexdigest()
    variant = _VARIANT[text[16]]
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


def cmd_id(client_id: str, frame_id: int) -> str:
    """The idempotency key of a command, unique for its user."""
    return f"{client_id}:{frame_id}"
