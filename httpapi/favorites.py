"""Favourites: what somebody likes, of the tracks that the caller may know of."""

from typing import Annotated, Final

from msgspec import Meta

from httpapi.auth.people import GET as GET_USER
from httpapi.endpoint import Call, Route, route
from httpapi.instants import written_ms
from httpapi.lists import PageQuery, Query, page, start
from httpapi.track_rows import TrackRow
from protocol.errors import ErrorCode, Rejected
from protocol.favorites import Favorite, FavoritePage
from protocol.ids import TrackId, UserId
from sql import queries

Place = tuple[Annotated[int, Meta(ge=0, le=2**53)], TrackId]


class FavoriteRow(TrackRow, frozen=True):
    """A favourite as the database gives it."""

    added_at_ms: int

    def favorite(self) -> Favorite:
        """As an answer tells it."""
        return Favorite(track=self.track(), added_at=written_ms(self.added_at_ms))


ADD = queries.scalar("favorites.add", str)
REMOVE = queries.execute("favorites.remove")
LIST = queries.many("favorites.list", FavoriteRow)


async def mine(call: Call[None, PageQuery]) -> FavoritePage:
    """The caller's favourites, the newest first."""
    return await _page(call, call.person.user_id)


async def of_person(call: Call[None, PageQuery]) -> FavoritePage:
    """Somebody's favourites, the newest first, without tracks that the caller may not see."""
    user_id = call.ids["user_id"]
    if await GET_USER(call.services.database, user_id=user_id) is None:
        raise Rejected(ErrorCode.UNKNOWN_PERSON)
    return await _page(call, user_id)


async def _page(call: Call[None, PageQuery], user_id: UserId) -> FavoritePage:
    query, scope = call.query, f"favorites {user_id}"
    before_ms, before_track_id = start(query, scope, Place)
    rows = await LIST(
        call.services.database,
        user_id=user_id,
        caller_id=call.person.user_id,
        before_ms=before_ms,
        before_track_id=before_track_id,
        most=query.limit + 1,
    )
    shown, cursor = page(rows, query, scope, lambda last: (last.added_at_ms, last.track_id))
    return FavoritePage(items=[row.favorite() for row in shown], next_cursor=cursor)


async def add(call: Call[None, Query]) -> None:
    """Like a track; again changes nothing."""
    kept = await ADD(
        call.services.database,
        caller_id=call.person.user_id,
        track_id=call.ids["track_id"],
        now_ms=int(call.services.clock.now_ms()),
    )
    if kept is None:
        raise Rejected(ErrorCode.UNKNOWN_TRACK)


async def remove(call: Call[None, Query]) -> None:
    """Like a track no longer; what is not liked stays so."""
    await REMOVE(call.services.database, user_id=call.person.user_id, track_id=call.ids["track_id"])


_MINE: Final = "/api/favorites/me"
_TRACK: Final = f"{_MINE}/{{track_id}}"
_E: Final = ErrorCode

ROUTES: Final[tuple[Route, ...]] = (
    route("GET", _MINE, mine, query=PageQuery, returns=FavoritePage, limit=15),
    route("PUT", _TRACK, add, limit=5, refuses=(_E.UNKNOWN_TRACK,)),
    route("DELETE", _TRACK, remove, limit=5),
    route("GET", "/api/favorites/{user_id}", of_person, query=PageQuery, returns=FavoritePage,
          limit=10, refuses=(_E.UNKNOWN_PERSON,)),
)  # fmt: skip
