"""Load or reject: a handler cannot hold what its caller may not see."""

from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from httpapi.endpoint import Call
from httpapi.instants import written
from httpapi.services import Services
from protocol.errors import ErrorCode, Rejected
from protocol.ids import RoomId, UserId
from protocol.members import Role
from protocol.permissions import Action, may
from protocol.rooms import RoomSummary, Visibility
from protocol.snapshot import Snapshot
from protocol.tracks import Track
from sql import queries


class ListedRoom(Struct, frozen=True):
    """What the list of rooms shows of one."""

    room_id: str
    name: str
    description: str
    visibility: Visibility
    owner_id: str
    has_password: bool
    listeners: int
    now_playing: str | None
    created_at: datetime

    def summary(self) -> RoomSummary:
        """As an answer tells it."""
        playing = self.now_playing
        return RoomSummary(
            room_id=self.room_id,
            name=self.name,
            description=self.description,
            visibility=self.visibility,
            owner_id=self.owner_id,
            has_password=self.has_password,
            listeners=self.listeners,
            now_playing=None if playing is None else msgspec.json.decode(playing, type=Track),
            created_at=written(self.created_at),
        )


class RoomRow(ListedRoom, frozen=True):
    """A room, how far its log reaches, and what the caller is in it."""

    is_closed: bool
    lineage: str
    last_seq: int
    my_role: Role | None
    is_banned: bool = False
    banned_until_ms: int | None = None
    ban_reason: str = ""


GET_ROOM = queries.maybe("rooms.get", RoomRow)
SEEN: Final = (
    ErrorCode.ROOM_NOT_FOUND,
    ErrorCode.ROOM_CLOSED,
    ErrorCode.ROOM_PASSWORD,
    ErrorCode.BANNED,
)
"""What looking inside a room may be refused with."""


async def room_row(services: Services, room_id: RoomId, user_id: UserId | None) -> RoomRow | None:
    """A room, and what a user is in it; None if there is no such room."""
    now_ms = int(services.clock.now_ms())
    return await GET_ROOM(services.database, room_id=room_id, user_id=user_id, now_ms=now_ms)


async def found_room(call: Call[Any, Any]) -> RoomRow:
    """The room of the path, without asking who may see it. Rejects: room_not_found, room_closed."""
    row = await room_row(call.services, call.ids["room_id"], call.user_id)
    if row is None:
        raise Rejected(ErrorCode.ROOM_NOT_FOUND)
    # That a private room once existed is nobody's business either.
    if row.is_closed and (row.visibility != "private" or row.my_role is not None):
        raise Rejected(ErrorCode.ROOM_CLOSED)
    return row


async def visible_room(call: Call[Any, Any]) -> RoomRow:
    """The room of the path, if the caller may know of it. Rejects: room_not_found, room_closed."""
    row = await found_room(call)
    if row.visibility == "private" and row.my_role is None:
        raise Rejected(ErrorCode.ROOM_NOT_FOUND)
    return row


async def open_room(call: Call[Any, Any]) -> RoomRow:
    """The room of the path, if the caller may look inside and take part.

    Rejects: room_not_found, room_closed, banned, room_password.
    """
    row = await visible_room(call)
    if row.is_banned:
        raise banned(row)
    if row.has_password and row.my_role is None:
        raise Rejected(ErrorCode.ROOM_PASSWORD)
    return row


def banned(row: RoomRow) -> Rejected:
    """What a banned caller is told."""
    if row.banned_until_ms is None:
        return Rejected(ErrorCode.BANNED, reason=row.ban_reason)
    return Rejected(ErrorCode.BANNED, reason=row.ban_reason, until_ms=row.banned_until_ms)


async def live_state(call: Call[Any, Any], row: RoomRow, *, at_least: int = 0) -> Snapshot:
    """The room's state at its last committed seq, at least `at_least`. Rejects: room_closed."""
    state = await call.services.live.read(
        call.services.database, row.room_id, row.lineage, max(row.last_seq, at_least)
    )
    # It may have been closed since the row was read.
    if state.room.closed:
        raise Rejected(ErrorCode.ROOM_CLOSED)
    return state


async def require_action(call: Call[Any, Any], row: RoomRow, action: Action) -> None:
    """Let who may do it in the room. Rejects: room_closed, not_allowed, unauthenticated."""
    if not may(await live_state(call, row), call.person, action):
        raise Rejected(ErrorCode.NOT_ALLOWED, action=action)
