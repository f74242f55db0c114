"""Lists come in pages: `?limit=1..100&cursor=`; a cursor is opaque and good for its own list."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, TypeVar, get_args

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from protocol.errors import ErrorCode, Rejected

T = TypeVar("T")
Row = TypeVar("Row")

Limit = Annotated[int, Meta(ge=1, le=100)]
Cursor = Annotated[str, Meta(min_length=1, max_length=400)]
BIGINT_MAX: Final = 2**63 - 1


class Query(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The part of a URL behind the question mark: strict like a body."""


class PageQuery(Query, frozen=True, kw_only=True):
    """Which page of a list."""

    limit: Limit = 20
    cursor: Cursor | None = None


def decode_query(request: web.Request, kind: type[T]) -> T:
    """The query as `kind`. Rejects: bad_request."""
    values = dict(request.query)
    if len(values) != len(request.query):
        raise Rejected(ErrorCode.BAD_REQUEST, "A query parameter is given twice.")
    if any("\x00" in name or "\x00" in value for name, value in values.items()):
        raise Rejected(ErrorCode.BAD_REQUEST, "Text must not contain the NUL character.")
    try:
        for value in values.values():
            value.encode()
        return msgspec.convert(values, kind, strict=False)
    except (msgspec.ValidationError, UnicodeEncodeError, ValueError) as error:
        raise Rejected(ErrorCode.BAD_REQUEST, str(error)[:300]) from None


def start(query: PageQuery, scope: str, kind: Any) -> Any:
    """The place behind which a page begins, as `kind` (a tuple type); Nones for the first page.

    Rejects: bad_request.
    """
    if query.cursor is None:
        return (None,) * len(get_args(kind))
    return decode_cursor(query.cursor, scope, kind)


def page(
    rows: Sequence[Row],
    query: PageQuery,
    scope: str,
    place: Callable[[Row], tuple[str | int, ...]],
) -> tuple[Sequence[Row], str | None]:
    """The rows to show, and the cursor of the next page if there is one.

    One row more than `query.limit` was read: it says whether there is another page. `place`: what
    a row is sorted by.
    """
    shown = rows[: query.limit]
    return shown, encode_cursor(scope, *place(shown[-1])) if len(rows) > len(shown) else None


def encode_cursor(scope: str, *place: str | int) -> str:
    """The place behind the last item shown; `scope` names the list, so that no other takes it."""
    data = msgspec.json.encode([scope, *place])
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_cursor(text: str, scope: str, kind: Any) -> Any:
    """The place that a cursor of this list names, as `kind` (a tuple type). Rejects: bad_request.

    A type checker has no word for the type of a tuple type, hence Any.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        values: list[Any] = msgspec.json.decode(data, type=list[str | int])
        if not values or values[0] != scope:
            raise ValueError(scope)
        return msgspec.convert(values[1:], kind)
    except (ValueError, binascii.Error, RecursionError):
        raise Rejected(
            ErrorCode.BAD_REQUEST, "The cursor is not of this list.", path="cursor"
        ) from None
