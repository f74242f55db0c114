"""The caller's own profile."""

from typing import Final

from msgspec import UNSET

from httpapi.auth.accounts import display_name
from httpapi.auth.logins import me
from httpapi.auth.people import CHANGE
from httpapi.endpoint import Call, Route, route
from httpapi.lists import Query
from protocol.errors import ErrorCode, Rejected
from protocol.users import User, UserPatch


async def change_me(call: Call[UserPatch, Query]) -> User:
    """Change the own profile; what is absent stays. Rooms show a new name from the next join on."""
    body = call.body
    row = await CHANGE(
        call.services.database,
        user_id=call.person.user_id,
        display_name=None if body.display_name is UNSET else display_name(str(body.display_name)),
        bio=None if body.bio is UNSET else body.bio,
        country=None if body.country is UNSET else body.country,
        set_country=body.country is not UNSET,
        locale=None if body.locale is UNSET else body.locale,
        set_locale=body.locale is not UNSET,
    )
    if row is None:
        raise Rejected(ErrorCode.UNAUTHENTICATED)
    return row.user()


ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "/api/users/me", me, returns=User, limit=10),
    route("PATCH", "/api/users/me", change_me, body=UserPatch, returns=User, limit=10),
)
