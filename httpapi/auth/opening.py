"""The end of every way to sign in: a login is opened and its credentials are handed out."""

from typing import Any
from uuid import uuid4

from httpapi.auth.cookies import give_cookie
from httpapi.auth.people import UserRow
from httpapi.endpoint import Call
from httpapi.origins import require_own_origin
from protocol.auth import LoggedIn
from protocol.errors import ErrorCode, Rejected
from roomserver.runtime.tokens import hash_opaque, opaque
from sql import queries

USER_AGENT_MAX_LENGTH = 300

OPEN = queries.scalar("logins.open", str)
END_ONE = queries.execute("logins.end_one")


def require_own_page(call: Call[Any, Any], *, cookie: bool) -> None:
    """A cookie is only given to our own page. Rejects: foreign_origin."""
    if cookie:
        require_own_origin(call.request, call.services.config)


async def end_login(call: Call[Any, Any], login_id: str, *, reason: str) -> None:
    """End a login: its tokens, its cookie, within 2 s its sockets on every node."""
    await END_ONE(call.services.database, login_id=login_id, reason=reason)
    call.services.revocations.add(login_id)


async def open_login(
    call: Call[Any, Any], row: UserRow, *, cookie: bool, password_hash: str | None = None
) -> LoggedIn:
    """Open a login for a user and answer with what opens it from now on.

    `password_hash`: what the password was verified against. Rejects: wrong_credentials (it is
    another by now).
    """
    secret = opaque()
    login_id = str(uuid4())
    user_agent = call.request.headers.get("User-Agent", "")[:USER_AGENT_MAX_LENGTH]
    opened = await OPEN(
        call.services.database,
        login_id=login_id,
        user_id=row.user_id,
        user_agent=user_agent.encode(errors="replace").decode().replace("\x00", ""),
        cookie_hash=hash_opaque(secret) if cookie else None,
        token_hash=None if cookie else hash_opaque(secret),
        password_hash=password_hash,
    )
    if opened is None:
        raise Rejected(ErrorCode.WRONG_CREDENTIALS)
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
