"""Rooms: find one, make one, read it, come and go."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from uuid import uuid4

from msgspec import Meta, Struct

from httpapi.access import ListedRoom, RoomRow, found_room, live_state, open_room, visible_room
from httpapi.bodies import Nothing
from httpapi.commands import REFUSALS, SYSTEM, submit
from httpapi.endpoint import Call, Route, route
from httpapi.lists import PageQuery, Query, decode_cursor, encode_cursor
from httpapi.services import Services
from protocol import names
from protocol.codec import encode
from protocol.errors import ErrorCode, Rejected
from protocol.ids import RoomId
from protocol.members import MemberAdd, MemberRemove
from protocol.rooms import (
    Room,
    RoomClose,
    RoomCreate,
    RoomJoin,
    RoomPage,
    RoomPatch,
    RoomSummary,
    RoomUpdate,
)
from protocol.snapshot import RoomDetails, Snapshot, new_room
from protocol.users import Person
from sql import queries

ROOM_NAME_MAX_LENGTH: Final = 80
MEMBERS_SHOWN: Final = 100
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Born(Struct, frozen=True):
    """When a room was made."""

    created_at: datetime


CREATE = queries.one("rooms.create", Born)
PASSWORD_HASH = queries.scalar("rooms.password_hash", str)
LIST_ACTIVE = queries.many("rooms.list_active", ListedRoom)
LIST_NEW = queries.many("rooms.list_new", ListedRoom)
MINE = queries.many("rooms.mine", ListedRoom)
BY_NAME = queries.maybe("rooms.by_name", ListedRoom)

SearchText = Annotated[str, Meta(max_length=80)]


class RoomsQuery(PageQuery, frozen=True, kw_only=True):
    """Which rooms; `query` is looked for anywhere in the name."""

    query: SearchText = ""
    sort: Literal["active", "new"] = "active"


class NameQuery(Query, frozen=True, kw_only=True):
    """A room's whole name."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]


def _microseconds(at: datetime) -> int:
    gap = at - _EPOCH
    return (gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds


def _page(rows: Sequence[ListedRoom], limit: int, scope: str) -> RoomPage:
    """One more than asked for was read: it says whether there is another page."""
    shown = rows[:limit]
    cursor = None
    if len(rows) > limit:
        last = shown[-1]
        active = scope.startswith("active")
        place = last.listeners if active else _microseconds(last.created_at)
        cursor = encode_cursor(scope, place, last.room_id)
    return RoomPage(items=[row.summary() for row in shown], next_cursor=cursor)


Place = tuple[Annotated[int, Meta(ge=0, le=2**53)], RoomId]
ActivePlace = tuple[Annotated[int, Meta(ge=0, le=2**31 - 1)], RoomId]


async def list_rooms(call: Call[None, RoomsQuery]) -> RoomPage:
    """Public rooms, those with most listeners or the newest first."""
    query, database = call.query, call.services.database
    scope = f"{query.sort} rooms"
    name_key = names.key(query.query.strip())
    most = query.limit + 1
    if query.sort == "active":
        before = decode_cursor(query.cursor, scope, ActivePlace) if query.cursor else (None, None)
        rows = await LIST_ACTIVE(
            database,
            name_key=name_key,
            before_listeners=before[0],
            before_room_id=before[1],
            most=most,
        )
    else:
        start = decode_cursor(query.cursor, scope, Place) if query.cursor else (None, None)
        rows = await LIST_NEW(
            database, name_key=name_key, before_us=start[0], before_room_id=start[1], most=most
        )
    return _page(rows, query.limit, scope)


async def my_rooms(call: Call[None, PageQuery]) -> RoomPage:
    """The rooms that the caller has a place in, the newest first."""
    query = call.query
    start = decode_cursor(query.cursor, "my rooms", Place) if query.cursor else (None, None)
    rows = await MINE(
        call.services.database,
        user_id=call.person.user_id,
        before_us=start[0],
        before_room_id=start[1],
        most=query.limit + 1,
    )
    return _page(rows, query.limit, "my rooms")


async def room_by_name(call: Call[None, NameQuery]) -> RoomSummary:
    """The public room of a name; of several the oldest."""
    row = await BY_NAME(call.services.database, name_key=names.key(call.query.name.strip()))
    if row is None:
        raise Rejected(ErrorCode.ROOM_NOT_FOUND)
    return row.summary()


def room_name(text: str) -> str:
    """A room's name as it is stored. Rejects: bad_request."""
    return names.clean(text, what="name", max_length=ROOM_NAME_MAX_LENGTH)


async def create_room(call: Call[RoomCreate, Query]) -> RoomDetails:
    """Make a room; the caller owns it."""
    return await make_room(call.services, call.person, call.body)


async def make_room(services: Services, owner: Person, body: RoomCreate) -> RoomDetails:
    """A room with its log at seq 0, in one statement. Rejects: bad_request, unavailable."""
    password_hash = await services.passwords.hash(body.password) if body.password else None
    now_ms = int(services.clock.now_ms())
    room = Room(
        room_id=str(uuid4()),
        name=room_name(body.name),
        description=body.description,
        visibility=body.visibility,
        owner_id=owner.user_id,
        settings=body.settings,
    )
    snapshot = new_room(room, str(uuid4()), owner, now_ms)
    born = await CREATE(
        services.database,
        room_id=room.room_id,
        name=room.name,
        name_key=names.key(room.name),
        description=room.description,
        visibility=room.visibility,
        password_hash=password_hash,
        owner_id=room.owner_id,
        suspended=snapshot.suspended,
        # A room that plays with nobody in it is woken by its home, not by a guest.
        wake_at_ms=now_ms if room.settings.always_on else None,
        lineage=snapshot.lineage,
        now_ms=now_ms,
        public=encode(snapshot).decode(),
    )
    row = RoomRow(
        room_id=room.room_id,
        name=room.name,
        description=room.description,
        visibility=room.visibility,
        owner_id=room.owner_id,
        has_password=password_hash is not None,
        listeners=0,
        now_playing=None,
        created_at=born.created_at,
        is_closed=False,
        lineage=snapshot.lineage,
        last_seq=0,
        my_role="owner",
    )
    return details(owner.user_id, row, snapshot)


def details(user_id: str | None, row: RoomRow, snapshot: Snapshot) -> RoomDetails:
    """The list's row and the live state as one answer; the live state has the last word."""
    room, summary = snapshot.room, row.summary()
    entry = snapshot.playback.entry
    members = list(snapshot.members.values())
    return RoomDetails(
        room_id=room.room_id,
        name=room.name,
        description=room.description,
        visibility=room.visibility,
        owner_id=room.owner_id,
        has_password=row.has_password,
        listeners=row.listeners,
        now_playing=entry.track if entry else None,
        created_at=summary.created_at,
        settings=room.settings,
        suspended=snapshot.suspended,
        lineage=snapshot.lineage,
        seq=snapshot.seq,
        you=snapshot.members.get(user_id) if user_id else None,
        members=members[:MEMBERS_SHOWN],
        member_count=len(members),
        queue_length=len(snapshot.queue),
        playback=snapshot.playback,
    )


async def get_room(call: Call[None, Query]) -> RoomDetails:
    """A room with its members and what plays."""
    row = await open_room(call)
    return details(call.user_id, row, await live_state(call, row))


async def join(call: Call[RoomJoin, Query]) -> RoomDetails:
    """Take a durable place in a room; who has one keeps it."""
    row = await found_room(call)
    if row.my_role is not None:
        return details(call.user_id, row, await live_state(call, row))
    if row.has_password or call.body.password is not None:
        # Verified in any case: neither the answer nor its time tells strangers of private rooms.
        stored = await PASSWORD_HASH(call.services.database, room_id=row.room_id)
        right = await call.services.passwords.verify(stored, call.body.password or "")
    else:
        right = False
    if row.visibility == "private" and not right:
        raise Rejected(ErrorCode.ROOM_NOT_FOUND)
    if row.has_password and not right:
        raise Rejected(ErrorCode.ROOM_PASSWORD)
    ack = await submit(call, row, MemberAdd(person=call.person), actor=SYSTEM)
    return details(call.user_id, row, await live_state(call, row, at_least=ack.seq))


async def leave(call: Call[Nothing, Query]) -> None:
    """Give up the place in a room."""
    row = await visible_room(call)
    await submit(call, row, MemberRemove(user_id=call.person.user_id), actor=SYSTEM)


async def change_room(call: Call[RoomPatch, Query]) -> RoomDetails:
    """Change name, description or settings; the owner's right."""
    row = await visible_room(call)
    body = call.body
    command = RoomUpdate(
        name=None if body.name is None else room_name(body.name),
        description=body.description,
        settings=body.settings,
    )
    ack = await submit(call, row, command)
    return details(call.user_id, row, await live_state(call, row, at_least=ack.seq))


async def close_room(call: Call[Nothing, Query]) -> None:
    """Close a room for good; the owner's right."""
    await submit(call, await visible_room(call), RoomClose())


_ROOM: Final = "/api/rooms/{room_id}"
_SEEN: Final = (ErrorCode.ROOM_NOT_FOUND, ErrorCode.ROOM_CLOSED, ErrorCode.ROOM_PASSWORD)

ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "/api/rooms", list_rooms, query=RoomsQuery, returns=RoomPage, auth="optional",
          limit=30),
    route("POST", "/api/rooms", create_room, body=RoomCreate, returns=RoomDetails, status=201,
          limit=5, refuses=(ErrorCode.UNAVAILABLE,)),
    route("GET", "/api/rooms/by-name", room_by_name, query=NameQuery, returns=RoomSummary,
          auth="optional", limit=10, refuses=(ErrorCode.ROOM_NOT_FOUND,)),
    route("GET", "/api/rooms/mine", my_rooms, query=PageQuery, returns=RoomPage, limit=10),
    route("GET", _ROOM, get_room, returns=RoomDetails, auth="optional", limit=60, refuses=_SEEN),
    route("PATCH", _ROOM, change_room, body=RoomPatch, returns=RoomDetails, limit=10,
          action="room.update", command=True, refuses=REFUSALS),
    route("DELETE", _ROOM, close_room, limit=10, action="room.close", command=True,
          refuses=REFUSALS),
    route("POST", f"{_ROOM}/join", join, body=RoomJoin, returns=RoomDetails, limit=10,
          command=True, refuses=REFUSALS),
    route("POST", f"{_ROOM}/leave", leave, limit=10, command=True,
          refuses=(*REFUSALS, ErrorCode.NOT_MEMBER, ErrorCode.OWNER_STAYS)),
)  # fmt: skip
