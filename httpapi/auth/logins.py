"""A login and its life: refreshed, listed, ended; and the ticket for a WebSocket."""

import logging
from datetime import datetime
from typing import Annotated, Final

from aiohttp_session import get_session
from msgspec import Meta, Struct

from httpapi.auth.opening import end_login, hand_out, require_own_page
from httpapi.auth.people import GET, UserRow
from httpapi.bodies import Nothing
from httpapi.endpoint import Call, Route, route
from httpapi.instants import microseconds, written
from httpapi.lists import PageQuery, Query, page, start
from protocol.auth import (
    PASSWORD_MIN_LENGTH,
    AuthConfig,
    LoggedIn,
    LoginDetails,
    LoginPage,
    RefreshBody,
    Ticket,
)
from protocol.errors import ErrorCode, Rejected
from protocol.ids import LoginId
from protocol.users import User
from roomserver.runtime.tokens import hash_opaque, opaque
from sql import queries

TICKET_LIFETIME_MS: Final = 30_000

Place = tuple[Annotated[int, Meta(ge=0, le=2**53)], LoginId]

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


class LoginRow(Struct, frozen=True):
    """A login of somebody that can still be used."""

    login_id: str
    user_agent: str
    by_cookie: bool
    created_at: datetime
    last_used_at: datetime


LOOK_AT_TOKEN = queries.maybe("logins.look_at_token", TokenLook)
ROTATE = queries.maybe("logins.rotate", RotatedRow)
END_OWN = queries.scalar("logins.end_own", str)
OF_USER = queries.many("logins.of_user", LoginRow)
END_ALL = queries.scalars("logins.end_all", str)
ADD_TICKET = queries.execute("logins.add_ticket")
FORGET = queries.execute("logins.forget")


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
        await end_login(call, look.login_id, reason="reuse")
    raise Rejected(ErrorCode.UNAUTHENTICATED)


async def logout(call: Call[Nothing, Query]) -> None:
    """End this login: its tokens, its cookie, its sockets."""
    await end_login(call, call.me.login_id, reason="logout")
    (await get_session(call.request)).invalidate()


async def logout_all(call: Call[Nothing, Query]) -> None:
    """End all logins of the caller, everywhere."""
    user_id = call.person.user_id
    for login_id in await END_ALL(call.services.database, user_id=user_id, reason="logout_all"):
        call.services.revocations.add(login_id)
    (await get_session(call.request)).invalidate()


async def list_logins(call: Call[None, PageQuery]) -> LoginPage:
    """One's own logins that can still be used, the newest first."""
    query = call.query
    before_us, before_id = start(query, "logins", Place)
    rows = await OF_USER(
        call.services.database,
        user_id=call.person.user_id,
        before_us=before_us,
        before_id=before_id,
        most=query.limit + 1,
    )
    shown, cursor = page(
        rows, query, "logins", lambda last: (microseconds(last.created_at), last.login_id)
    )
    return LoginPage(
        items=[
            LoginDetails(
                login_id=row.login_id,
                user_agent=row.user_agent,
                by_cookie=row.by_cookie,
                created_at=written(row.created_at),
                last_used_at=written(row.last_used_at),
                is_current=row.login_id == call.me.login_id,
            )
            for row in shown
        ],
        next_cursor=cursor,
    )


async def end_one(call: Call[Nothing, Query]) -> None:
    """End one of one's own logins: its tokens, its cookie, its sockets."""
    login_id = call.ids["login_id"]
    ended = await END_OWN(
        call.services.database, login_id=login_id, user_id=call.person.user_id, reason="ended"
    )
    if ended is None:
        raise Rejected(ErrorCode.NOT_FOUND)
    call.services.revocations.add(login_id)
    if login_id == call.me.login_id:
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
    route("POST", "/api/auth/refresh", refresh, body=RefreshBody, returns=LoggedIn, auth=None,
          limit=30, refuses=(ErrorCode.UNAUTHENTICATED, ErrorCode.REFRESH_RACED, _FOREIGN)),
    route("POST", "/api/auth/logout", logout, limit=30, keyed=False),
    route("POST", "/api/auth/logout-all", logout_all, limit=30, keyed=False),
    route("GET", "/api/auth/logins", list_logins, query=PageQuery, returns=LoginPage, limit=15),
    route("DELETE", "/api/auth/logins/{login_id}", end_one, limit=15, keyed=False),
    route("GET", "/api/auth/me", me, returns=User, limit=60),
    route("POST", "/api/auth/ws-ticket", ws_ticket, returns=Ticket, limit=30, keyed=False),
)  # fmt: skip
