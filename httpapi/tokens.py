"""Bot tokens: made, listed, deleted by the person whose bots they open."""

from datetime import datetime
from typing import Annotated, Final
from uuid import uuid4

from msgspec import Meta, Struct

from httpapi.auth.accounts import display_name
from httpapi.bodies import Nothing
from httpapi.endpoint import Call, Route, route
from httpapi.instants import microseconds, written
from httpapi.lists import PageQuery, Query, page, start
from protocol.errors import ErrorCode, Rejected
from protocol.tokens import (
    BOT_TOKEN_PREFIX,
    SCOPES,
    TOKENS_PER_MAKER,
    BotToken,
    BotTokenCreate,
    BotTokenPage,
    NewBotToken,
    TokenId,
    scopes_of,
)
from protocol.users import Person, UserKind
from roomserver.runtime.tokens import hash_opaque, opaque
from sql import queries


class BotRow(Struct, frozen=True):
    """A bot, as others see it."""

    user_id: str
    display_name: str
    kind: UserKind


class AddedRow(Struct, frozen=True):
    """When a token came to be, and when it runs out."""

    created_at: datetime
    expires_at: datetime | None


class TokenRow(Struct, frozen=True):
    """A token as its maker sees it."""

    token_id: str
    name: str
    user_id: str
    display_name: str
    kind: UserKind
    scopes: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


LOCK_MAKER = queries.scalar("tokens.lock_maker", str)
ADD_BOT = queries.one("tokens.add_bot", BotRow)
BOT = queries.maybe("tokens.bot", BotRow)
ADD = queries.maybe("tokens.add", AddedRow)
OF_MAKER = queries.many("tokens.of_maker", TokenRow)
REMOVE = queries.scalar("tokens.remove", str)

Place = tuple[Annotated[int, Meta(ge=0, le=2**53)], TokenId]


async def make_token(call: Call[BotTokenCreate, Query]) -> NewBotToken:
    """Make a bot token. Its text is told this once; who loses it makes another for the same bot."""
    body, maker_id = call.body, call.person.user_id
    name, token_id = display_name(body.name), str(uuid4())
    text = BOT_TOKEN_PREFIX + opaque()
    scopes = [scope for scope in SCOPES if scope in body.scopes]
    async with call.services.database.transaction() as connection:
        await LOCK_MAKER(connection, user_id=maker_id)
        if body.bot_id is None:
            bot: BotRow | None = await ADD_BOT(
                connection, user_id=str(uuid4()), display_name=name, made_by=maker_id
            )
        else:
            bot = await BOT(connection, user_id=body.bot_id, made_by=maker_id)
        if bot is None:
            raise Rejected(ErrorCode.NOT_FOUND)
        added = await ADD(
            connection,
            token_id=token_id,
            user_id=bot.user_id,
            made_by=maker_id,
            most=TOKENS_PER_MAKER,
            token_hash=hash_opaque(text),
            name=name,
            scopes=" ".join(scopes),
            good_for_ms=None if body.expires_in_ms is None else float(body.expires_in_ms),
        )
        if added is None:
            raise Rejected(ErrorCode.TOO_MANY_TOKENS, limit=TOKENS_PER_MAKER)
    return NewBotToken(
        token_id=token_id,
        name=name,
        bot=Person(user_id=bot.user_id, display_name=bot.display_name, kind=bot.kind),
        scopes=scopes,
        created_at=written(added.created_at),
        expires_at=written(added.expires_at) if added.expires_at else None,
        token=text,
    )


async def list_tokens(call: Call[None, PageQuery]) -> BotTokenPage:
    """The tokens of the bots that one has made, the newest first."""
    query = call.query
    before_us, before_id = start(query, "tokens", Place)
    rows = await OF_MAKER(
        call.services.database,
        made_by=call.person.user_id,
        before_us=before_us,
        before_id=before_id,
        most=query.limit + 1,
    )
    shown, cursor = page(
        rows, query, "tokens", lambda last: (microseconds(last.created_at), last.token_id)
    )
    return BotTokenPage(items=[_told(row) for row in shown], next_cursor=cursor)


def _told(row: TokenRow) -> BotToken:
    held = scopes_of(row.scopes)
    return BotToken(
        token_id=row.token_id,
        name=row.name,
        bot=Person(user_id=row.user_id, display_name=row.display_name, kind=row.kind),
        scopes=[scope for scope in SCOPES if scope in held],
        created_at=written(row.created_at),
        expires_at=written(row.expires_at) if row.expires_at else None,
        last_used_at=written(row.last_used_at) if row.last_used_at else None,
    )


async def delete_token(call: Call[Nothing, Query]) -> None:
    """Delete a token: nothing opens with it any more, and what is open ends within 2 s."""
    token_id = call.ids["token_id"]
    removed = await REMOVE(call.services.database, token_id=token_id, made_by=call.person.user_id)
    if removed is None:
        raise Rejected(ErrorCode.NOT_FOUND)
    call.services.revocations.add(token_id)


_TOKENS: Final = "/api/users/me/tokens"

ROUTES: Final[tuple[Route, ...]] = (
    route("GET", _TOKENS, list_tokens, query=PageQuery, returns=BotTokenPage, auth="person",
          limit=10),
    route("POST", _TOKENS, make_token, body=BotTokenCreate, returns=NewBotToken, status=201,
          auth="person", limit=10, keyed=False,
          refuses=(ErrorCode.NOT_FOUND, ErrorCode.TOO_MANY_TOKENS)),
    route("DELETE", f"{_TOKENS}/{{token_id}}", delete_token, auth="person", limit=10),
)  # fmt: skip
