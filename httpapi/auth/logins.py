"""Signing in and out: login, refresh, logout, and the ticket for a WebSocket."""

import logging
from typing import Any, Final

from aiohttp_session import get_session
from msgspec import Struct

from httpapi.addresses import client_address
from httpapi.auth.opening import hand_out, open_login, require_own_page
from httpapi.auth.people import CANDIDATES, GET, REHASH, Candidate, UserRow
from httpapi.bodies import Nothing
from httpapi.endpoint import Call, Route, route
from httpapi.lists import Query
from protocol import names
from protocol.auth import (
    PASSWORD_MIN_LENGTH,
    AuthConfig,
    LoggedIn,
    LoginBody,
    RefreshBody,
    Ticket,
)
from protocol.errors import ErrorCode, Rejected
from protocol.users import User
from roomserver.runtime.tokens import hash_opaque, opaque
from sql import queries

TICKET_LIFETIME_MS: Final = 30_000
TRIES_AN_ACCOUNT: Final = 20
"""A minute, from one address: the right person at another address is not locked out."""

_log: Final = logging.getLogger(__name__)


class RotatedRow(UserRow, frozen=True):
    """The user whose refresh token was used, and the login it belongs to."""

    login_id: str


class TokenLook(Struct, frozen=True):
    """What became of a refresh token that is no good."""

    login_id: str
    user_id: str
    used: bool
    raced: bool


LOOK_AT_TOKEN = queries.maybe("logins.look_at_token", TokenLook)
ROTATE = queries.maybe("logins.rotate", RotatedRow)
END_ONE = queries.execute("logins.end_one")
END_ALL = queries.scalars("logins.end_all", str)
ADD_TICKET = queries.execute("logins.add_ticket")
FORGET = queries.execute("logins.forget")


async def login(call: Call[LoginBody, Query]) -> LoggedIn:
    """Sign in with user name or e-mail address, and password."""
    body, services = call.body, call.services
    require_own_page(call, cookie=body.cookie)
    key = names.key(body.login.strip())
    _limit_tries(call, key)
    is_email = "@" in key
    found = await CANDIDATES(services.database, key=key, is_email=is_email)
    right: Candidate | None = None
    # As many verifications whether there are accounts or not: time must not tell.
    for index in range(2 if is_email else 1):
        candidate = found[index] if index < len(found) else None
        password_hash = candidate.password_hash if candidate else None
        if await services.passwords.verify(password_hash, body.password):
            right = right or candidate
    row = await GET(services.database, user_id=right.user_id) if right else None
    if right is None or row is None:
        raise Rejected(ErrorCode.WRONG_CREDENTIALS)
    if services.passwords.is_outdated(right.password_hash):
        await REHASH(
            services.database,
            user_id=right.user_id,
            old_password_hash=right.password_hash,
            password_hash=await services.passwords.hash(body.password),
        )
    return await open_login(call, row, cookie=body.cookie)


def _limit_tries(call: Call[LoginBody, Query], key: str) -> None:
    address = client_address(call.request, call.services.config.trusted_proxies)
    verdict = call.services.limiter.hit("login tries", f"{address} {key}", TRIES_AN_ACCOUNT)
    if not verdict.allowed:
        raise Rejected(ErrorCode.RATE_LIMITED, retry_after_ms=verdict.retry_after_ms)


async def refresh(call: Call[RefreshBody, Query]) -> LoggedIn:
    """Swap a refresh token for a new pair. Using one a second time ends the login."""
    body, services = call.body, call.services
    require_own_page(call, cookie=body.cookie)
    secret = opaque()
    token_hash, new_hash = hash_opaque(body.refresh_token), hash_opaque(secret)
    rotated = await ROTATE(
        services.database,
        token_hash=token_hash,
        new_token_hash=new_hash,
        cookie_hash=new_hash if body.cookie else None,
    )
    if rotated is not None:
        return await hand_out(call, rotated, rotated.login_id, secret, cookie=body.cookie)
    look = await LOOK_AT_TOKEN(services.database, token_hash=token_hash)
    if look is not None and look.raced:
        raise Rejected(ErrorCode.REFRESH_RACED, retry_after_ms=1_000)
    if look is not None and look.used:
        _log.warning(
            "a refresh token was used twice",
            extra={"login_id": look.login_id, "user_id": look.user_id},
        )
        await _end(call, look.login_id, reason="reuse")
    raise Rejected(ErrorCode.UNAUTHENTICATED)


async def _end(call: Call[Any, Any], login_id: str, *, reason: str) -> None:
    await END_ONE(call.services.database, login_id=login_id, reason=reason)
    call.services.revocations.add(login_id)


async def logout(call: Call[Nothing, Query]) -> None:
    """End this login: its tokens, its cookie, its sockets."""
    await _end(call, call.me.login_id, reason="logout")
    (await get_session(call.request)).invalidate()


async def logout_all(call: Call[Nothing, Query]) -> None:
    """End all logins of the caller, everywhere."""
    user_id = call.person.user_id
    for login_id in await END_ALL(call.services.database, user_id=user_id, reason="logout_all"):
        call.services.revocations.add(login_id)
    (await get_session(call.request)).invalidate()


async def me(call: Call[None, Query]) -> User:
    """The caller."""
    row = await GET(call.services.database, user_id=call.person.user_id)
    if row is None:
        raise Rejected(ErrorCode.UNAUTHENTICATED)
    return row.user()


async def ws_ticket(call: Call[Nothing, Query]) -> Ticket:
    """A ticket for the first frame of a WebSocket; good once, for 30 seconds."""
    ticket = opaque()
    await ADD_TICKET(
        call.services.database,
        ticket_hash=hash_opaque(ticket),
        user_id=call.person.user_id,
        login_id=call.me.login_id,
        good_for_ms=float(TICKET_LIFETIME_MS),
    )
    return Ticket(ticket=ticket, expires_in_ms=TICKET_LIFETIME_MS)


async def config(call: Call[None, Query]) -> AuthConfig:
    """What a front end needs to know before anybody has signed in."""
    settings = call.services.config
    return AuthConfig(
        providers=[],
        guests=True,
        public_url=settings.public_url,
        websocket_path="/ws",
        password_min_length=PASSWORD_MIN_LENGTH,
        upload_max_bytes=settings.upload_max_bytes,
        upload_max_duration_ms=settings.upload_max_duration_ms,
        quota_bytes=settings.quota_bytes,
    )


_FOREIGN: Final = ErrorCode.FOREIGN_ORIGIN

ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "/api/auth/config", config, returns=AuthConfig, auth=None, limit=15),
    route("POST", "/api/auth/login", login, body=LoginBody, returns=LoggedIn, auth=None, limit=10,
          refuses=(ErrorCode.WRONG_CREDENTIALS, _FOREIGN, ErrorCode.UNAVAILABLE)),
    route("POST", "/api/auth/refresh", refresh, body=RefreshBody, returns=LoggedIn, auth=None,
          limit=30, refuses=(ErrorCode.UNAUTHENTICATED, ErrorCode.REFRESH_RACED, _FOREIGN)),
    route("POST", "/api/auth/logout", logout, limit=30, keyed=False),
    route("POST", "/api/auth/logout-all", logout_all, limit=30, keyed=False),
    route("GET", "/api/auth/me", me, returns=User, limit=60),
    route("POST", "/api/auth/ws-ticket", ws_ticket, returns=Ticket, limit=30, keyed=False),
)  # fmt: skip
