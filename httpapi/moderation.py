"""Moderation over REST: kick, mute, ban, and the bans of a person."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from httpapi.access import live_state, open_room
from httpapi.bodies import Nothing
from httpapi.commands import REFUSALS, submit
from httpapi.endpoint import Call, Route, route
from httpapi.instants import written_ms
from httpapi.lists import PageQuery, Query, page, start
from protocol.errors import ErrorCode, Rejected
from protocol.ids import RoomId, UserId
from protocol.members import Mute
from protocol.moderation import (
    Ban,
    BanPage,
    ListedBan,
    MemberBan,
    MemberBanBody,
    MemberKick,
    MemberKickBody,
    MemberMute,
    MemberMuteBody,
    MemberUnban,
    MemberUnmute,
)
from protocol.users import Person, UserKind
from sql import queries

Place = tuple[Annotated[int, Meta(ge=0, le=2**53)], RoomId, UserId]


class BanRow(Struct, frozen=True):
    """A ban as the database gives it."""

    room_id: str
    room_name: str | None
    user_id: str
    display_name: str
    kind: UserKind
    by_user_id: str
    by_display_name: str
    by_kind: UserKind
    reason: str
    banned_at_ms: int
    until_ms: int | None
    lifted_at_ms: int | None

    def listed(self) -> ListedBan:
        """As an answer tells it."""
        return ListedBan(
            room_id=self.room_id,
            room_name=self.room_name,
            person=Person(user_id=self.user_id, display_name=self.display_name, kind=self.kind),
            by=Person(
                user_id=self.by_user_id, display_name=self.by_display_name, kind=self.by_kind
            ),
            reason=self.reason,
            banned_at=written_ms(self.banned_at_ms),
            until=None if self.until_ms is None else written_ms(self.until_ms),
            lifted_at=None if self.lifted_at_ms is None else written_ms(self.lifted_at_ms),
        )


ISSUED = queries.many("moderation.issued", BanRow)
RECEIVED = queries.many("moderation.received", BanRow)


async def kick(call: Call[MemberKickBody, Query]) -> None:
    """Put somebody out; who finds the door open may come back."""
    row = await open_room(call)
    await submit(call, row, MemberKick(user_id=call.ids["user_id"], reason=call.body.reason))


async def mute(call: Call[MemberMuteBody, Query]) -> Mute:
    """Let somebody listen only; answers the mute that holds then."""
    row, user_id = await open_room(call), call.ids["user_id"]
    command = MemberMute(
        user_id=user_id, duration_ms=call.body.duration_ms, reason=call.body.reason
    )
    ack = await submit(call, row, command)
    member = (await live_state(call, row, at_least=ack.seq)).members.get(user_id)
    if member is None or member.mute is None:
        raise _overtaken()
    return member.mute


async def unmute(call: Call[Nothing, Query]) -> None:
    """Let somebody speak again."""
    await submit(call, await open_room(call), MemberUnmute(user_id=call.ids["user_id"]))


async def ban(call: Call[MemberBanBody, Query]) -> Ban:
    """Put somebody out and keep the person out; answers the ban that holds then."""
    row, body, user_id = await open_room(call), call.body, call.ids["user_id"]
    command = MemberBan(
        user_id=user_id,
        duration_ms=body.duration_ms,
        reason=body.reason,
        by_address=body.by_address,
    )
    ack = await submit(call, row, command)
    held = (await live_state(call, row, at_least=ack.seq)).bans.get(user_id)
    if held is None:
        raise _overtaken()
    return held


async def unban(call: Call[Nothing, Query]) -> None:
    """Let somebody in again."""
    await submit(call, await open_room(call), MemberUnban(user_id=call.ids["user_id"]))


def _overtaken() -> Rejected:
    return Rejected(ErrorCode.CONFLICT, "Somebody has taken it back in the same moment.")


async def bans_issued(call: Call[None, PageQuery]) -> BanPage:
    """The bans that the caller issued, the newest first, those that are over too."""
    return await _page(call, ISSUED)


async def bans_received(call: Call[None, PageQuery]) -> BanPage:
    """The bans that the caller received, the newest first, those that are over too."""
    return await _page(call, RECEIVED)


async def _page(call: Call[None, PageQuery], bans: queries.Many[BanRow]) -> BanPage:
    query, scope = call.query, call.request.path
    before_ms, before_room_id, before_user_id = start(query, scope, Place)
    rows = await bans(
        call.services.database,
        caller_id=call.person.user_id,
        before_ms=before_ms,
        before_room_id=before_room_id,
        before_user_id=before_user_id,
        most=query.limit + 1,
    )
    shown, cursor = page(
        rows, query, scope, lambda last: (last.banned_at_ms, last.room_id, last.user_id)
    )
    return BanPage(items=[row.listed() for row in shown], next_cursor=cursor)


_MEMBER: Final = "/api/rooms/{room_id}/members/{user_id}"
_E: Final = ErrorCode
_PEOPLE: Final = (*REFUSALS, _E.OUTRANKED, _E.UNKNOWN_PERSON)

ROUTES: Final[tuple[Route, ...]] = (
    route("POST", f"{_MEMBER}/kick", kick, body=MemberKickBody, limit=5, action="member.kick",
          command=True, refuses=_PEOPLE),
    route("POST", f"{_MEMBER}/mute", mute, body=MemberMuteBody, returns=Mute, limit=5,
          action="member.mute", command=True, refuses=(*_PEOPLE, _E.CONFLICT)),
    route("DELETE", f"{_MEMBER}/mute", unmute, limit=5, action="member.mute", command=True,
          refuses=_PEOPLE),
    route("POST", f"{_MEMBER}/ban", ban, body=MemberBanBody, returns=Ban, limit=5,
          action="member.ban", command=True, refuses=(*_PEOPLE, _E.CONFLICT)),
    route("DELETE", f"{_MEMBER}/ban", unban, limit=5, action="member.ban", command=True,
          refuses=REFUSALS),
    route("GET", "/api/bans/issued", bans_issued, query=PageQuery, returns=BanPage, limit=15),
    route("GET", "/api/bans/received", bans_received, query=PageQuery, returns=BanPage, limit=15),
)  # fmt: skip
