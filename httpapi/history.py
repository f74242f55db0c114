"""What was played in a room, and what somebody heard."""

from typing import Annotated, Final

from msgspec import Meta

from httpapi.access import SEEN, open_room
from httpapi.auth.people import SETTINGS
from httpapi.endpoint import Call, Route, route
from httpapi.instants import written_ms
from httpapi.lists import PageQuery, page, start
from httpapi.track_rows import TrackRow
from protocol.errors import ErrorCode, Rejected
from protocol.history import Listen, ListenPage, RoomPlay, RoomPlayPage
from protocol.ids import EntryId, UserId
from protocol.users import Person, UserKind
from sql import queries

Place = tuple[Annotated[int, Meta(ge=0, le=2**53)], EntryId]


class RoomPlayRow(TrackRow, frozen=True):
    """A play of a room."""

    play_id: str
    added_by: str
    display_name: str | None
    kind: UserKind | None
    started_at_ms: int
    ended_at_ms: int | None
    heard_ms: int | None

    def play(self) -> RoomPlay:
        """As an answer tells it."""
        by = None
        if self.display_name is not None and self.kind is not None:
            by = Person(user_id=self.added_by, display_name=self.display_name, kind=self.kind)
        return RoomPlay(
            play_id=self.play_id,
            track=self.track(),
            added_by=by,
            started_at=written_ms(self.started_at_ms),
            ended_at=None if self.ended_at_ms is None else written_ms(self.ended_at_ms),
            heard_ms=self.heard_ms,
        )


class ListenRow(TrackRow, frozen=True):
    """A play that counts for a person."""

    play_id: str
    room_id: str | None
    room_name: str | None
    played_at_ms: int
    heard_ms: int

    def listen(self) -> Listen:
        """As an answer tells it."""
        return Listen(
            play_id=self.play_id,
            track=self.track(),
            room_id=self.room_id,
            room_name=self.room_name,
            played_at=written_ms(self.played_at_ms),
            heard_ms=self.heard_ms,
        )


OF_ROOM = queries.many("history.of_room", RoomPlayRow)
OF_USER = queries.many("history.of_user", ListenRow)


async def of_room(call: Call[None, PageQuery]) -> RoomPlayPage:
    """What was played in a room, the latest first; what is playing has no end yet."""
    query = call.query
    row = await open_room(call)
    scope = f"history {row.room_id}"
    before_ms, before_play_id = start(query, scope, Place)
    rows = await OF_ROOM(
        call.services.database,
        room_id=row.room_id,
        caller_id=call.person.user_id,
        before_ms=before_ms,
        before_play_id=before_play_id,
        most=query.limit + 1,
    )
    shown, cursor = page(rows, query, scope, lambda last: (last.started_at_ms, last.play_id))
    return RoomPlayPage(items=[each.play() for each in shown], next_cursor=cursor)


async def mine(call: Call[None, PageQuery]) -> ListenPage:
    """What the caller heard enough of to count as a play, the latest first.

    Enough: half of the track or four minutes, of a track longer than 30 seconds. It is told when
    the entry has ended.
    """
    return await _heard(call, call.person.user_id)


async def of_person(call: Call[None, PageQuery]) -> ListenPage:
    """What somebody heard, the latest first, in rooms and of tracks that the caller may know of.

    Whose settings say that nobody sees it has none for others.
    """
    user_id = call.ids["user_id"]
    settings = await SETTINGS(call.services.database, user_id=user_id)
    if settings is None:
        raise Rejected(ErrorCode.UNKNOWN_PERSON)
    if not settings.show_history and user_id != call.user_id:
        raise Rejected(ErrorCode.NOT_FOUND)
    return await _heard(call, user_id)


async def _heard(call: Call[None, PageQuery], user_id: UserId) -> ListenPage:
    query, scope = call.query, f"history of {user_id}"
    before_ms, before_play_id = start(query, scope, Place)
    rows = await OF_USER(
        call.services.database,
        user_id=user_id,
        caller_id=call.person.user_id,
        before_ms=before_ms,
        before_play_id=before_play_id,
        most=query.limit + 1,
    )
    shown, cursor = page(rows, query, scope, lambda last: (last.played_at_ms, last.play_id))
    return ListenPage(items=[each.listen() for each in shown], next_cursor=cursor)


ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "/api/rooms/{room_id}/history", of_room, query=PageQuery, returns=RoomPlayPage,
          limit=15, refuses=SEEN),
    route("GET", "/api/history/me", mine, query=PageQuery, returns=ListenPage, limit=15),
    route("GET", "/api/history/{user_id}", of_person, query=PageQuery, returns=ListenPage, limit=15,
          refuses=(ErrorCode.UNKNOWN_PERSON,)),
)  # fmt: skip
