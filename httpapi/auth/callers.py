"""Who is calling: a bearer's access token, or the login that a browser's cookie opens."""

from typing import TYPE_CHECKING, cast

from aiohttp import web
from aiohttp_session import get_session
from msgspec import Struct

from protocol.errors import ErrorCode, Rejected
from protocol.tokens import BOT_TOKEN_PREFIX, Scope, scopes_of
from protocol.users import Person, UserKind
from roomserver.runtime.tokens import hash_opaque
from sql import queries

if TYPE_CHECKING:
    from httpapi.services import Services


class Caller(Struct, frozen=True):
    """Somebody who proved who they are."""

    person: Person
    login_id: str
    by_cookie: bool
    scopes: frozenset[Scope] | None = None
    """What a bot token is good for; None: a person, who may do all that a person may."""


class LoginRow(Struct, frozen=True):
    """The login that a cookie opens."""

    login_id: str
    user_id: str
    display_name: str
    kind: UserKind


class TokenRow(LoginRow, frozen=True):
    """The login that a bot token opens."""

    scopes: str
    expires_in_ms: float | None


USE_TOKEN = queries.maybe("tokens.use", TokenRow)


async def caller_of(request: web.Request, services: "Services") -> Caller | None:
    """Who calls; None without credentials or with a cookie that opens nothing.

    Rejects: unauthenticated (an access token that is no good, another kind of Authorization).
    """
    given = request.headers.getall("Authorization", ())
    if given:
        return await _bearer(given, services)
    login = await get_session(request)
    row: LoginRow | None = login.get("row")
    if row is None:
        return None
    person = Person(user_id=row.user_id, display_name=row.display_name, kind=row.kind)
    return Caller(person, row.login_id, by_cookie=True)


async def _bearer(given: "list[str] | tuple[str, ...]", services: "Services") -> Caller:
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer":
        raise Rejected(ErrorCode.UNAUTHENTICATED)
    token = token.strip()
    if token.startswith(BOT_TOKEN_PREFIX):
        return await _bot(token, services)
    claims = services.tokens.verify(token)
    if services.revocations.has(claims.login_id, claims.user_id):
        raise Rejected(ErrorCode.UNAUTHENTICATED)
    # Signed by us, so the kind is one of ours.
    kind = cast(UserKind, claims.kind)
    person = Person(user_id=claims.user_id, display_name=claims.display_name, kind=kind)
    return Caller(person, claims.login_id, by_cookie=False)


async def _bot(token: str, services: "Services") -> Caller:
    row = await USE_TOKEN(services.database, token_hash=hash_opaque(token))
    if row is None:
        raise Rejected(ErrorCode.UNAUTHENTICATED)
    person = Person(user_id=row.user_id, display_name=row.display_name, kind=row.kind)
    return Caller(person, row.login_id, by_cookie=False, scopes=scopes_of(row.scopes))
