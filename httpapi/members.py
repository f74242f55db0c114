"""The members of a room: everybody with a durable place."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from httpapi.access import SEEN, open_room
from httpapi.commands import REFUSALS, submit
from httpapi.endpoint import Call, Route, route
from httpapi.lists import PageQuery, Query, page, start
from protocol.errors import ErrorCode
from protocol.ids import RoomId, UserId
from protocol.members import (
    Member,
    MemberPage,
    MemberSetRole,
    MemberSetRoleBody,
    Mute,
    Role,
)
from protocol.users import Person, UserKind
from sql import queries
from sql.pool import Database

SHOWN: Final = 100
"""How many members the details of a room tell of."""
Place = tuple[Annotated[int, Meta(ge=0, le=2**53)], UserId]


class MemberRow(Struct, frozen=True):
    """A place as the database gives it."""

    user_id: str
    display_name: str
    kind: UserKind
    role: Role
    joined_at_ms: int
    is_muted: bool
    muted_until_ms: int | None
    mute_reason: str

    def member(self) -> Member:
        """As an answer tells it."""
        mute = Mute(until_ms=self.muted_until_ms, reason=self.mute_reason)
        return Member(
            person=Person(user_id=self.user_id, display_name=self.display_name, kind=self.kind),
            role=self.role,
            joined_at_ms=self.joined_at_ms,
            mute=mute if self.is_muted else None,
        )


MEMBERS = queries.many("members.page", MemberRow)
ONE = queries.maybe("members.one", MemberRow)
COUNT = queries.scalar("members.count", int)


class Members(Struct, frozen=True):
    """What the details of a room tell of its members."""

    first: list[Member]
    count: int
    you: Member | None


async def members_of(database: Database, room_id: RoomId, user_id: UserId | None) -> Members:
    """The first hundred, the number of all, and the caller's own place."""
    rows = await MEMBERS(
        database, room_id=room_id, after_ms=None, after_user_id=None, most=SHOWN + 1
    )
    first = [row.member() for row in rows[:SHOWN]]
    if len(rows) <= SHOWN:
        you = next((member for member in first if member.person.user_id == user_id), None)
        return Members(first, len(first), you)
    mine = await ONE(database, room_id=room_id, user_id=user_id)
    count = await COUNT(database, room_id=room_id)
    return Members(first, count or len(rows), mine.member() if mine else None)


async def members(call: Call[None, PageQuery]) -> MemberPage:
    """People with a durable place in a room, the longest-serving first."""
    query = call.query
    row = await open_room(call)
    scope = f"members {row.room_id}"
    after_ms, after_user_id = start(query, scope, Place)
    rows = await MEMBERS(
        call.services.database,
        room_id=row.room_id,
        after_ms=after_ms,
        after_user_id=after_user_id,
        most=query.limit + 1,
    )
    shown, cursor = page(rows, query, scope, lambda last: (last.joined_at_ms, last.user_id))
    return MemberPage(items=[each.member() for each in shown], next_cursor=cursor)


async def set_role(call: Call[MemberSetRoleBody, Query]) -> None:
    """Give somebody a role below one's own; who had no place here has one then."""
    row = await open_room(call)
    await submit(call, row, MemberSetRole(user_id=call.ids["user_id"], role=call.body.role))


_MEMBERS: Final = "/api/rooms/{room_id}/members"
_E: Final = ErrorCode

ROUTES: Final[tuple[Route, ...]] = (
    route("GET", _MEMBERS, members, query=PageQuery, returns=MemberPage, limit=30, refuses=SEEN),
    route("PUT", f"{_MEMBERS}/{{user_id}}/role", set_role, body=MemberSetRoleBody, limit=5,
          action="member.set_role", command=True,
          refuses=(*REFUSALS, _E.OUTRANKED, _E.UNKNOWN_PERSON)),
)  # fmt: skip
