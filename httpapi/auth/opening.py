"""The end of every way to sign in: a login is opened and its credentials are handed out."""

from typing import Any
from uuid import uuid4

from httpapi.auth.cookies import give_cookie
from httpapi.auth.people import UserRow
from httpapi.endpoint import Call
from httpapi.origins import require_own_origin
from protocol.auth import LoggedIn
from roomserver.runtime.tokens import hash_opaque, opaque
from sql import queries

USER_AGENT_MAX_LENGTH = 300

OPEN = queries.execute("logins.open")
RENEW = queries.execute("logins.renew")


def require_own_page(call: Call[Any, Any], *, cookie: bool) -> None:
    """A cookie is only given to our own page. Rejects: foreign_origin."""
    if cookie:
        require_own_origin(call.request, call.services.config)


async def open_login(
    call: Call[Any, Any], row: UserRow, *, cookie: bool, renewed_login_id: str | None = None
) -> LoggedIn:
    """Open a login for a user, or renew one: its open sockets stay, what opened it before ends."""
    secret = opaque()
    login_id = renewed_login_id or str(uuid4())
    hashes = {
        "cookie_hash": hash_opaque(secret) if cookie else None,
        "token_hash": None if cookie else hash_opaque(secret),
    }
    database = call.services.database
    if renewed_login_id is None:
        user_agent = call.request.headers.get("User-Agent", "")[:USER_AGENT_MAX_LENGTH]
        await OPEN(
            database,
            login_id=login_id,
            user_id=row.user_id,
            user_agent=user_agent.encode(errors="replace").decode().replace("\x00", ""),
            **hashes,
        )
    else:
        await RENEW(database, login_id=login_id, **hashes)
    return await hand_out(call, row, login_id, secret, cookie=cookie)


async def hand_out(
    call: Call[Any, Any], row: UserRow, login_id: str, secret: str, *, cookie: bool
) -> LoggedIn:
    """The answer: with a cookie no token, so that no script of a page ever holds one."""
    if cookie:
        await give_cookie(call.request, secret)
        return LoggedIn(user=row.user())
    issued = call.services.tokens.issue(row.user_id, login_id, row.kind, row.display_name)
    return LoggedIn(
        user=row.user(),
        access_token=issued.token,
        refresh_token=secret,
        expires_in_ms=issued.expires_in_ms,
    )
