"""Becoming somebody: a guest by name alone, or an account."""

import logging
from typing import Final
from uuid import uuid4

from httpapi.auth.opening import end_login, open_login, require_own_page
from httpapi.auth.people import ADD_ACCOUNT, ADD_GUEST, UPGRADE_GUEST, UserRow
from httpapi.endpoint import Call, Route, route
from httpapi.lists import Query
from httpapi.services import Services
from protocol import names
from protocol.auth import GuestBody, LoggedIn, RegisterBody
from protocol.errors import ErrorCode, Rejected
from sql.faults import FAULTS, is_taken

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
    """Make an account. With a guest's credentials the guest becomes it and keeps everything but
    the login, whose sockets end.

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
    guest_id = guest.person.user_id if guest else None
    # Who loses a race for an e-mail address sees at a second look that it is known.
    row = await _claimed(services, guest_id, shown, account) or await _claimed(
        services, guest_id, shown, account
    )
    if row is None:
        raise Rejected(ErrorCode.NAME_TAKEN, path="username")
    _log.info("account made", extra={"user_id": row.user_id})
    opened = await open_login(call, row, cookie=body.cookie)
    if guest is not None:
        # Somebody else may have planted the guest's login: nothing of it opens the account.
        await end_login(call, guest.login_id, reason="upgraded")
    return opened


async def _claimed(
    services: Services, guest_id: str | None, shown: str | None, account: dict[str, str]
) -> UserRow | None:
    """The account that came to be; None where something in it is another's."""
    try:
        if guest_id is not None:
            return await UPGRADE_GUEST(
                services.database, user_id=guest_id, display_name=shown, **account
            )
        return await ADD_ACCOUNT(
            services.database,
            user_id=str(uuid4()),
            kind="person",
            display_name=shown or account["username"],
            **account,
        )
    except FAULTS as error:
        if is_taken(error):
            return None
        raise


ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "/api/auth/guest", guest, body=GuestBody, returns=LoggedIn, status=201,
          auth=None, limit=5, anonymous_limit=GUESTS_AN_ADDRESS,
          refuses=(ErrorCode.FOREIGN_ORIGIN,)),
    route("POST", "/api/auth/register", register, body=RegisterBody, returns=LoggedIn, status=201,
          auth="optional", limit=5, keyed=False,
          refuses=(ErrorCode.FOREIGN_ORIGIN, ErrorCode.NAME_TAKEN, ErrorCode.UNAVAILABLE)),
)  # fmt: skip
