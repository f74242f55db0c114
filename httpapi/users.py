"""The caller's own profile and settings."""

from typing import Final

from msgspec import UNSET

from httpapi.auth.accounts import display_name
from httpapi.auth.logins import me
from httpapi.auth.people import CHANGE, CHANGE_SETTINGS, SETTINGS, SettingsRow
from httpapi.endpoint import Call, Route, route
from httpapi.lists import Query
from protocol.errors import ErrorCode, Rejected
from protocol.users import User, UserPatch, UserSettings, UserSettingsBody


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


async def settings(call: Call[None, Query]) -> UserSettings:
    """What others may know of the caller."""
    return _found(await SETTINGS(call.services.database, user_id=call.person.user_id))


async def change_settings(call: Call[UserSettingsBody, Query]) -> UserSettings:
    """Say what others may know."""
    row = await CHANGE_SETTINGS(
        call.services.database,
        user_id=call.person.user_id,
        show_history=call.body.show_history,
    )
    return _found(row)


def _found(row: SettingsRow | None) -> UserSettings:
    if row is None:
        raise Rejected(ErrorCode.UNAUTHENTICATED)
    return UserSettings(show_history=row.show_history)


_SETTINGS: Final = "/api/users/me/settings"

ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "/api/users/me", me, returns=User, limit=10),
    route("PATCH", "/api/users/me", change_me, body=UserPatch, returns=User, limit=10),
    route("GET", _SETTINGS, settings, returns=UserSettings, limit=15),
    route("PUT", _SETTINGS, change_settings, body=UserSettingsBody, returns=UserSettings,
          limit=15),
)  # fmt: skip
