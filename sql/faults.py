"""What can go wrong with a statement, sorted by what is known afterwards.

Outside of this package nobody imports asyncpg; who must tell a lost connection from a refused
statement asks here.
"""

from typing import Final

import asyncpg

from sql.pool import DatabaseBusy, DatabaseError

FAULTS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    DatabaseError,
    OSError,
    TimeoutError,
)
"""Everything that a statement may raise because of the database and not because of a bug."""

_ENDED: Final = ("08", "57P")
"""SQLSTATE of a connection that broke and of a server that stops or starts."""


def is_refused(error: BaseException) -> bool:
    """Whether the server, or the driver before it, surely did not carry the statement out.

    Otherwise (connection lost, no answer in time) nobody knows whether it was committed.
    """
    if isinstance(error, asyncpg.PostgresError):
        return not (error.sqlstate or "").startswith(_ENDED)
    # A value that the driver cannot encode; its other complaints mean a closed connection.
    return isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError)


def is_taken(error: BaseException) -> bool:
    """Another row, maybe one that came to be in the same instant, has a value that must be one's
    own."""
    return isinstance(error, asyncpg.exceptions.UniqueViolationError)


def is_bad_value(error: BaseException) -> bool:
    """A value that PostgreSQL or asyncpg cannot take: class 22, a lone surrogate, an integer out
    of range, a text nested too deeply (54001). The check before the query was missing."""
    return isinstance(error, asyncpg.DataError | asyncpg.exceptions.StatementTooComplexError) or (
        isinstance(error, asyncpg.exceptions.InterfaceError) and "query argument" in str(error)
    )


def is_unreachable(error: BaseException) -> bool:
    """The database is down, restarting, overloaded or out of connections: worth another try."""
    if isinstance(error, asyncpg.InterfaceError):
        # What the driver says where a connection was lost between two statements.
        return str(error).endswith(("is closed", "released back to the pool"))
    return isinstance(
        error,
        DatabaseBusy
        | OSError
        | TimeoutError
        | asyncpg.PostgresConnectionError
        | asyncpg.exceptions.OperatorInterventionError
        | asyncpg.exceptions.InsufficientResourcesError
        | asyncpg.exceptions.TransactionRollbackError
        | asyncpg.exceptions.LockNotAvailableError
        | asyncpg.exceptions.ConnectionDoesNotExistError
        | asyncpg.exceptions.InternalClientError,
    )
