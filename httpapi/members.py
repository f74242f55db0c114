"""The members of a room."""

from typing import Annotated, Final

from msgspec import Meta

from httpapi.access import live_state, open_room
from httpapi.endpoint import Call, Route, route
from httpapi.lists import PageQuery, decode_cursor, encode_cursor
from protocol.errors import ErrorCode
from protocol.ids import UserId
from protocol.members import Member, MemberPage

Place = tuple[Annotated[int, Meta(ge=0, le=2**53)], UserId]


def _place(member: Member) -> tuple[int, str]:
    return member.joined_at_ms or 0, member.person.user_id


async def members(call: Call[None, PageQuery]) -> MemberPage:
    """People with a durable place in a room, the longest-serving first."""
    query = call.query
    row = await open_room(call)
    scope = f"members {row.room_id}"
    start = decode_cursor(query.cursor, scope, Place) if query.cursor else (-1, "")
    state = await live_state(call, row)
    rest = sorted((m for m in state.members.values() if _place(m) > start), key=_place)
    shown = rest[: query.limit]
    more = len(rest) > len(shown)
    return MemberPage(
        items=shown, next_cursor=encode_cursor(scope, *_place(shown[-1])) if more else None
    )


ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "/api/rooms/{room_id}/members", members, query=PageQuery, returns=MemberPage,
          limit=30, refuses=(
              ErrorCode.ROOM_NOT_FOUND, ErrorCode.ROOM_CLOSED, ErrorCode.ROOM_PASSWORD)),
)  # fmt: skip
