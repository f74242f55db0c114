"""Rooms: find one, make one, read it, come and go."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import uuid4

from msgspec import UNSET, Meta, Struct
from msgspec.structs import replace

from httpapi.access import (
    SEEN,
    ListedRoom,
    RoomRow,
    found_room,
    live_state,
    open_room,
    visible_room,
)
from httpapi.bodies import Nothing
from httpapi.commands import REFUSALS, SYSTEM, submit
from httpapi.endpoint import Call, Route, route
from httpapi.instants import microseconds
from httpapi.lists import PageQuery, Query, page, start
from httpapi.members import Members, members_of
from httpapi.services import Services
from protocol import names
from protocol.codec import encode
from protocol.errors import ErrorCode, Rejected
from protocol.ids import RoomId
from protocol.limits import KNOCK
from protocol.members import MemberAdd, MemberRemove
from protocol.rooms import (
    Room,
    RoomClose,
    RoomCreate,
    RoomJoin,
    RoomPage,
    RoomPatch,
    RoomRelock,
    RoomSummary,
    RoomUpdate,
)
from protocol.snapshot import RoomDetails, Snapshot, new_room
from protocol.users import Person
from sql import queries

ROOM_NAME_MAX_LENGTH: Final = 80


class Born(Struct, frozen=True):
    """When a room was made."""

    created_at: datetime


CREATE = queries.one("rooms.create", Born)
PASSWORD_HASH = queries.scalar("rooms.password_hash", str)
SET_PASSWORD = queries.scalar("rooms.set_password", str)
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


Place = tuple[Annotated[int, Meta(ge=0, le=2**53)], RoomId]
ActivePlace = tuple[Annotated[int, Meta(ge=0, le=2**31 - 1)], RoomId]


def _place(last: ListedRoom) -> tuple[int, str]:
    return microseconds(last.created_at), last.room_id


async def list_rooms(call: Call[None, RoomsQuery]) -> RoomPage:
    """Public rooms, those with most listeners or the newest first."""
    query, database = call.query, call.services.database
    scope = f"{query.sort} rooms"
    name_key = names.key(query.query.strip())
    most = query.limit + 1
    if query.sort == "active":
        before_listeners, before_room_id = start(query, scope, ActivePlace)
        rows = await LIST_ACTIVE(
            database,
            name_key=name_key,
            before_listeners=before_listeners,
            before_room_id=before_room_id,
            most=most,
        )
        shown, cursor = page(rows, query, scope, lambda last: (last.listeners, last.room_id))
    else:
        before_us, before_room_id = start(query, scope, Place)
        rows = await LIST_NEW(
            database,
            name_key=name_key,
            before_us=before_us,
            before_room_id=before_room_id,
            most=most,
        )
        shown, cursor = page(rows, query, scope, _place)
    return RoomPage(items=[row.summary() for row in shown], next_cursor=cursor)


async def my_rooms(call: Call[None, PageQuery]) -> RoomPage:
    """The rooms that the caller has a place in, the newest first."""
    query = call.query
    before_us, before_room_id = start(query, "my rooms", Place)
    rows = await MINE(
        call.services.database,
        user_id=call.person.user_id,
        before_us=before_us,
        before_room_id=before_room_id,
        most=query.limit + 1,
    )
    shown, cursor = page(rows, query, "my rooms", _place)
    return RoomPage(items=[row.summary() for row in shown], next_cursor=cursor)


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
    [you] = snapshot.members.values()
    return details(row, snapshot, Members([you], 1, you))


def details(row: RoomRow, snapshot: Snapshot, members: Members) -> RoomDetails:
    """The list's row and the live state as one answer; the live state has the last word."""
    room, summary = snapshot.room, row.summary()
    entry = snapshot.playback.entry
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
        you=members.you,
        members=members.first,
        member_count=members.count,
        queue_length=len(snapshot.queue),
        playback=snapshot.playback,
    )


async def _details(call: Call[Any, Any], row: RoomRow, *, at_least: int = 0) -> RoomDetails:
    members = await members_of(call.services.database, row.room_id, call.user_id)
    # The live state is shared and goes on changing: it is read last.
    return details(row, await live_state(call, row, at_least=at_least), members)


async def get_room(call: Call[None, Query]) -> RoomDetails:
    """A room with its members and what plays."""
    row = await open_room(call)
    return await _details(call, row)


async def join(call: Call[RoomJoin, Query]) -> RoomDetails:
    """Take a durable place in a room; who has one keeps it."""
    row = await found_room(call)
    if row.my_role is not None:
        return await _details(call, row)
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
    return await _details(call, row, at_least=ack.seq)


async def leave(call: Call[Nothing, Query]) -> None:
    """Give up the place in a room."""
    row = await visible_room(call)
    await submit(call, row, MemberRemove(user_id=call.person.user_id), actor=SYSTEM)


async def change_room(call: Call[RoomPatch, Query]) -> RoomDetails:
    """Change name, description, settings; the owner also visibility, permissions and password."""
    row = await visible_room(call)
    body = call.body
    password_hash = None
    if body.password is not UNSET:
        if row.my_role != "owner":
            raise Rejected(ErrorCode.NOT_ALLOWED)
        if body.password is not None:
            password_hash = await call.services.passwords.hash(body.password)
    command = RoomUpdate(
        name=None if body.name is None else room_name(body.name),
        description=body.description,
        visibility=body.visibility,
        settings=body.settings,
    )
    ack = await submit(call, row, command)
    if body.password is not UNSET:
        row = await _relock(call, row, password_hash)
    return await _details(call, row, at_least=ack.seq)


async def _relock(call: Call[Any, Any], row: RoomRow, password_hash: str | None) -> RoomRow:
    """Set, change or remove (None) the password. Rejects: not_allowed (the owner no more)."""
    services = call.services
    is_set = await SET_PASSWORD(
        services.database,
        room_id=row.room_id,
        user_id=call.person.user_id,
        password_hash=password_hash,
    )
    if is_set is None:
        raise Rejected(ErrorCode.NOT_ALLOWED)
    # The home reads it anew; not under the request's own key, which names the other command.
    await services.calls.submit(row.room_id, SYSTEM, RoomRelock())
    return replace(row, has_password=password_hash is not None)


async def close_room(call: Call[Nothing, Query]) -> None:
    """Close a room for good; the owner's right."""
    await submit(call, await visible_room(call), RoomClose())


_ROOM: Final = "/api/rooms/{room_id}"

ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "/api/rooms", list_rooms, query=RoomsQuery, returns=RoomPage, auth="optional",
          limit=30),
    route("POST", "/api/rooms", create_room, body=RoomCreate, returns=RoomDetails, status=201,
          limit=5, refuses=(ErrorCode.UNAVAILABLE,)),
    route("GET", "/api/rooms/by-name", room_by_name, query=NameQuery, returns=RoomSummary,
          auth="optional", limit=10, refuses=(ErrorCode.ROOM_NOT_FOUND,)),
    route("GET", "/api/rooms/mine", my_rooms, query=PageQuery, returns=RoomPage, limit=10),
    route("GET", _ROOM, get_room, returns=RoomDetails, auth="optional", limit=60, refuses=SEEN),
    route("PATCH", _ROOM, change_room, body=RoomPatch, returns=RoomDetails, limit=10,
          action="room.update", command=True, refuses=REFUSALS),
    route("DELETE", _ROOM, close_room, limit=10, action="room.close", command=True,
          refuses=REFUSALS),
    route("POST", f"{_ROOM}/join", join, body=RoomJoin, returns=RoomDetails, limit=KNOCK.amount,
          action=KNOCK.action, command=True, refuses=REFUSALS),
    route("POST", f"{_ROOM}/leave", leave, limit=10, command=True,
          refuses=(*REFUSALS, ErrorCode.NOT_MEMBER, ErrorCode.OWNER_STAYS)),
)  # fmt: skip
