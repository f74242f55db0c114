"""Name and password: signing in with them, and changing the password."""

from typing import Final

from msgspec import Struct

from httpapi.addresses import client_address
from httpapi.auth.opening import open_login, require_own_page
from httpapi.auth.people import CANDIDATES, GET, REHASH, Candidate
from httpapi.endpoint import Call, Route, route
from httpapi.lists import Query
from httpapi.services import Services
from protocol import names
from protocol.auth import LoggedIn, LoginBody, PasswordBody
from protocol.errors import ErrorCode, Rejected
from sql import queries

WRONG_AN_ACCOUNT: Final = 20
"""A minute, from one address: the right person at another address is not locked out."""
WRONG_AN_ADDRESS: Final = 100
"""A minute, for all accounts together."""


class EndedRow(Struct, frozen=True):
    """A login that ended with the old password; None where there was no other."""

    user_id: str
    login_id: str | None


PASSWORD_HASH = queries.scalar("users.password_hash", str)
LOCK = queries.scalar("users.lock", str)
CHANGE_PASSWORD = queries.many("logins.change_password", EndedRow)


async def login(call: Call[LoginBody, Query]) -> LoggedIn:
    """Sign in with user name or e-mail address, and password."""
    body, services = call.body, call.services
    require_own_page(call, cookie=body.cookie)
    key = names.key(body.login.strip())
    tries = _Tries(call, key)
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
    tries.give_back()
    password_hash = right.password_hash
    if services.passwords.is_outdated(password_hash):
        # None: it is another by now, the same password's anew or another's.
        password_hash = await REHASH(
            services.database,
            user_id=right.user_id,
            old_password_hash=password_hash,
            password_hash=await services.passwords.hash(body.password),
        ) or await _verified(services, right.user_id, body.password)
    return await open_login(call, row, cookie=body.cookie, password_hash=password_hash)


async def _verified(services: Services, user_id: str, password: str) -> str:
    """The stored hash that the password is right for. Rejects: wrong_credentials."""
    password_hash = await PASSWORD_HASH(services.database, user_id=user_id)
    if password_hash is None or not await services.passwords.verify(password_hash, password):
        raise Rejected(ErrorCode.WRONG_CREDENTIALS)
    return password_hash


class _Tries:
    """Only wrong tries count, but each is counted before it is looked at: many at once must not
    get through together. Rejects: rate_limited."""

    def __init__(self, call: Call[LoginBody, Query], key: str) -> None:
        self._limiter = call.services.limiter
        address = client_address(call.request, call.services.config.trusted_proxies)
        self._taken: list[tuple[str, str, int]] = []
        for try_ in (
            ("wrong logins", address, WRONG_AN_ADDRESS),
            ("wrong logins of one", f"{address} {key}", WRONG_AN_ACCOUNT),
        ):
            verdict = self._limiter.hit(*try_)
            if not verdict.allowed:
                self.give_back()
                raise Rejected(ErrorCode.RATE_LIMITED, retry_after_ms=verdict.retry_after_ms)
            self._taken.append(try_)

    def give_back(self) -> None:
        for action, subject, per_minute in self._taken:
            self._limiter.give_back(action, subject, per_minute)


async def change_password(call: Call[PasswordBody, Query]) -> None:
    """Change the password. All other logins of the caller end; bot tokens stay."""
    body, services = call.body, call.services
    user_id = call.person.user_id
    old_hash = await _verified(services, user_id, body.current_password)
    new_hash = await services.passwords.hash(body.new_password)
    async with services.database.transaction() as connection:
        await LOCK(connection, user_id=user_id)
        ended = await CHANGE_PASSWORD(
            connection,
            user_id=user_id,
            login_id=call.me.login_id,
            old_password_hash=old_hash,
            password_hash=new_hash,
        )
    if not ended:
        # Another request changed it since we looked.
        raise Rejected(ErrorCode.WRONG_CREDENTIALS)
    for row in ended:
        if row.login_id is not None:
            services.revocations.add(row.login_id)


ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "/api/auth/login", login, body=LoginBody, returns=LoggedIn, auth=None, limit=10,
          refuses=(ErrorCode.WRONG_CREDENTIALS, ErrorCode.FOREIGN_ORIGIN, ErrorCode.UNAVAILABLE)),
    route("PUT", "/api/auth/password", change_password, body=PasswordBody, auth="person", limit=5,
          keyed=False, refuses=(ErrorCode.WRONG_CREDENTIALS, ErrorCode.UNAVAILABLE)),
)  # fmt: skip
