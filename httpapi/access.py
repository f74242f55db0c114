"""Load or reject: a handler cannot hold what its caller may not see."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from httpapi.endpoint import Call
from httpapi.instants import written
from protocol.errors import ErrorCode, Rejected
from protocol.members import Role
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


GET_ROOM = queries.maybe("rooms.get", RoomRow)


async def found_room(call: Call[Any, Any]) -> RoomRow:
    """The room of the path, without asking who may see it. Rejects: room_not_found, room_closed."""
    row = await GET_ROOM(call.services.database, room_id=call.ids["room_id"], user_id=call.user_id)
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

    Rejects: room_not_found, room_closed, room_password.
    """
    row = await visible_room(call)
    if row.has_password and row.my_role is None:
        raise Rejected(ErrorCode.ROOM_PASSWORD)
    return row


async def live_state(call: Call[Any, Any], row: RoomRow, *, at_least: int = 0) -> Snapshot:
    """The room's state at its last committed seq, at least `at_least`. Rejects: room_closed."""
    state = await call.services.live.read(
        call.services.database, row.room_id, row.lineage, max(row.last_seq, at_least)
    )
    # The list's row learns of it a moment later.
    if state.room.closed:
        raise Rejected(ErrorCode.ROOM_CLOSED)
    return state
