"""Who calls at the WebSocket: an access token, a bot token, a single-use ticket, or the browser's
cookie."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, cast

from msgspec import Struct

from protocol.auth import COOKIE, COOKIE_HTTPS
from protocol.errors import ErrorCode, Rejected
from protocol.frames import Hello
from protocol.ids import LoginId, UserId
from protocol.tokens import BOT_TOKEN_PREFIX, scopes_of
from protocol.users import Person, UserKind
from roomserver.edge.ports import Caller
from roomserver.runtime.clock import monotonic_ns
from roomserver.runtime.config import Config
from roomserver.runtime.tokens import ACCESS_LIFETIME_MS, LEEWAY_MS, Tokens, hash_opaque
from sql import queries
from sql.faults import FAULTS
from sql.pool import Database

POLL_EVERY_MS: Final = 1_000
"""What ends reaches open sockets within this and a query."""
KEPT_MS: Final = ACCESS_LIFETIME_MS + LEEWAY_MS + 60_000
"""Longer than any access token that was issued before its login ended."""
SECRET_MAX_LENGTH: Final = 100

OnEnd = Callable[[LoginId | None, UserId | None], None]

_log: Final = logging.getLogger(__name__)


class LoginRow(Struct, frozen=True):
    """The login that a ticket or a cookie opens."""

    login_id: str
    user_id: str
    display_name: str
    kind: UserKind


class TokenRow(LoginRow, frozen=True):
    """The login that a bot token opens, for how long yet (None: for good), and what for."""

    scopes: str
    expires_in_ms: float | None


class Revocation(Struct, frozen=True):
    """`login_id` ended, or, where that is None, all of the user's."""

    revocation_id: int
    user_id: str | None
    login_id: str | None


REDEEM: Final = queries.maybe("ws_tickets.redeem", LoginRow)
USE_TOKEN: Final = queries.maybe("tokens.use", TokenRow)
OF_COOKIE: Final = queries.maybe("logins.of_cookie", LoginRow)
REVOCATIONS_AFTER: Final = queries.many("logins.revocations_after", Revocation)


class LoginAuthenticator:
    """Keeps what `edge.ports.Authenticator` promises.

    An access token costs no query: which logins ended lately is in memory, polled every second.
    """

    def __init__(self, config: Config, database: Database, tokens: Tokens, on_end: OnEnd) -> None:
        self._cookie_name = COOKIE_HTTPS if config.is_https else COOKIE
        self._database = database
        self._tokens = tokens
        self._on_end = on_end
        self._last_id = 0
        self._ended_ns: dict[str, int] = {}
        self._expires_ns: dict[LoginId, int] = {}

    async def authenticate(self, hello: Hello, cookie: str | None) -> Caller:
        """Who says hello; `cookie` is the Cookie header of a page of ours.

        Rejects: unauthenticated; unavailable while the database is away.
        """
        token = hello.token or ""
        is_bot = token.startswith(BOT_TOKEN_PREFIX)
        if token and not is_bot:
            return self._by_token(token)
        try:
            row: LoginRow | None
            if is_bot:
                row = await USE_TOKEN(self._database, token_hash=hash_opaque(token))
            elif hello.ticket is not None:
                row = await self._by_secret(hello.ticket, is_ticket=True)
            else:
                row = await self._by_secret(self._secret_of(cookie or ""), is_ticket=False)
        except FAULTS as error:
            _log.warning("a login cannot be looked up", extra={"error": repr(error)})
            raise Rejected(ErrorCode.UNAVAILABLE, retry_after_ms=1_000) from None
        if row is None:
            raise Rejected(ErrorCode.UNAUTHENTICATED)
        # It may have ended while the answer was on its way, with nobody to close yet.
        self._require_open(row.login_id, row.user_id)
        person = Person(user_id=row.user_id, display_name=row.display_name, kind=row.kind)
        if not isinstance(row, TokenRow):
            return Caller(person=person, login_id=row.login_id)
        if row.expires_in_ms is not None:
            self._expires_ns[row.login_id] = monotonic_ns() + int(row.expires_in_ms * 1e6)
        return Caller(person=person, login_id=row.login_id, scopes=scopes_of(row.scopes))

    async def run(self) -> None:
        """Learn for ever which logins end; a database that is away is asked again."""
        while True:
            try:
                await self.poll()
            except FAULTS as error:
                _log.warning("revocations cannot be read", extra={"error": repr(error)})
            self._end_expired()
            await asyncio.sleep(POLL_EVERY_MS / 1_000)

    async def poll(self) -> None:
        """Learn what ended since the last time. Raises `sql.faults.FAULTS`."""
        rows = await REVOCATIONS_AFTER(
            self._database, revocation_id=self._last_id, since_ms=float(KEPT_MS)
        )
        now_ns = monotonic_ns()
        for row in rows:
            self._last_id = row.revocation_id
            if ended_id := row.login_id or row.user_id:
                self._ended_ns[ended_id] = now_ns
                self._on_end(row.login_id, None if row.login_id else row.user_id)
        oldest_ns = now_ns - KEPT_MS * 1_000_000
        for ended_id in [one for one, at_ns in self._ended_ns.items() if at_ns < oldest_ns]:
            del self._ended_ns[ended_id]

    def _end_expired(self) -> None:
        """Bot tokens run out without a row that says so."""
        now_ns = monotonic_ns()
        for login_id in [one for one, at_ns in self._expires_ns.items() if at_ns <= now_ns]:
            del self._expires_ns[login_id]
            self._on_end(login_id, None)

    def _by_token(self, token: str) -> Caller:
        claims = self._tokens.verify(token)
        self._require_open(claims.login_id, claims.user_id)
        if claims.kind not in ("guest", "person", "bot"):
            raise Rejected(ErrorCode.UNAUTHENTICATED)
        kind = cast(UserKind, claims.kind)
        person = Person(user_id=claims.user_id, display_name=claims.display_name, kind=kind)
        return Caller(person=person, login_id=claims.login_id)

    def _require_open(self, login_id: LoginId, user_id: UserId) -> None:
        if login_id in self._ended_ns or user_id in self._ended_ns:
            raise Rejected(ErrorCode.UNAUTHENTICATED)

    async def _by_secret(self, secret: str, *, is_ticket: bool) -> LoginRow | None:
        if not secret or len(secret) > SECRET_MAX_LENGTH or not secret.isascii():
            return None
        hashed = hash_opaque(secret)
        if is_ticket:
            return await REDEEM(self._database, ticket_hash=hashed)
        return await OF_COOKIE(self._database, cookie_hash=hashed)

    def _secret_of(self, header: str) -> str:
        for part in header.split(";"):
            name, _, value = part.strip().partition("=")
            if name == self._cookie_name:
                return value.strip('"')
        return ""
