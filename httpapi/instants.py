"""Instants as REST tells and takes them: RFC 3339 in UTC with milliseconds."""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from protocol.errors import ErrorCode, Rejected

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST_AT_MS: Final = 253_402_300_799_000
"""The end of the year 9999: RFC 3339 goes no further."""


def written(at: datetime) -> str:
    """A `timestamptz` as an answer tells it."""
    # asyncpg gives UTC already; a list has dozens of these.
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def written_ms(at_ms: float) -> str:
    """Cluster time as an answer tells it."""
    return written(datetime.fromtimestamp(min(at_ms, LAST_AT_MS) / 1_000, UTC))


def microseconds(at: datetime) -> int:
    """A `timestamptz` as a cursor keeps it: whole microseconds since 1970, as Postgres has them."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def read_ms(text: str, *, what: str) -> int:
    """What a caller wrote, in cluster time; an offset from UTC is needed. Rejects: bad_request."""
    try:
        # A plus sign in a query that was not escaped arrives as a space.
        at = msgspec.convert(text.replace(" ", "+"), datetime)
        if at.tzinfo is None:
            raise ValueError(text)
        return int(at.timestamp() * 1_000)
    except (ValueError, OverflowError):
        raise Rejected(
            ErrorCode.BAD_REQUEST, f"{what} must be an RFC 3339 instant with an offset.", path=what
        ) from None
