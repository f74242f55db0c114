"""Becoming somebody: a guest by name alone, or an account."""

import logging
from typing import Final
from uuid import uuid4

from httpapi.auth.opening import open_login, require_own_page
from httpapi.auth.people import ADD_ACCOUNT, ADD_GUEST, UPGRADE_GUEST
from httpapi.endpoint import Call, Route, route
from httpapi.lists import Query
from protocol import names
from protocol.auth import GuestBody, LoggedIn, RegisterBody
from protocol.errors import ErrorCode, Rejected

DISPLAY_NAME_MAX_LENGTH: Final = 40
GUESTS_AN_ADDRESS: Final = 120

_log: Final = logging.getLogger(__name__)


def display_name(text: str) -> str:
    """A display name as it is stored. Rejects: bad_request."""
    return names.clean(text, what="display_name", max_length=DISPLAY_NAME_MAX_LENGTH)


async def guest(call: Call[GuestBody, Query]) -> LoggedIn:
    """Come in as a guest, by a name alone."""
    require_own_page(call, cookie=call.body.cookie)
    name = display_name(call.body.display_name)
    row = await ADD_GUEST(call.services.database, user_id=str(uuid4()), display_name=name)
    return await open_login(call, row, cookie=call.body.cookie)


async def register(call: Call[RegisterBody, Query]) -> LoggedIn:
    """Make an account. With a guest's credentials the guest becomes it and keeps everything.

    A known e-mail address is answered like an unknown one.
    """
    body, services = call.body, call.services
    require_own_page(call, cookie=body.cookie)
    username = names.clean_username(body.username)
    shown = None if body.display_name is None else display_name(body.display_name)
    guest = call.caller if call.caller and call.caller.person.kind == "guest" else None
    account = {
        "username": username,
        "username_key": names.key(username),
        "email": names.key(body.email),
        "password_hash": await services.passwords.hash(body.password),
    }
    if guest is None:
        row = await ADD_ACCOUNT(
            services.database,
            user_id=str(uuid4()),
            kind="person",
            display_name=shown or username,
            **account,
        )
    else:
        user_id = guest.person.user_id
        row = await UPGRADE_GUEST(services.database, user_id=user_id, display_name=shown, **account)
    if row is None:
        raise Rejected(ErrorCode.NAME_TAKEN, path="username")
    _log.info("account made", extra={"user_id": row.user_id})
    return await open_login(
        call, row, cookie=body.cookie, renewed_login_id=guest.login_id if guest else None
    )


ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "/api/auth/guest", guest, body=GuestBody, returns=LoggedIn, status=201,
          auth=None, limit=5, anonymous_limit=GUESTS_AN_ADDRESS,
          refuses=(ErrorCode.FOREIGN_ORIGIN,)),
    route("POST", "/api/auth/register", register, body=RegisterBody, returns=LoggedIn, status=201,
          auth="optional", limit=5, keyed=False,
          refuses=(ErrorCode.FOREIGN_ORIGIN, ErrorCode.NAME_TAKEN, ErrorCode.UNAVAILABLE)),
)  # fmt: skip
