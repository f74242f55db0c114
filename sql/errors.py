"""What an exception of the database means, for those who may not import asyncpg."""

import asyncpg

from sql.pool import DatabaseBusy


def is_bad_value(error: BaseException) -> bool:
    """A value that PostgreSQL or asyncpg cannot take: class 22, a lone surrogate, an integer out
    of range, a text nested too deeply (54001). The check before the query was missing."""
    return isinstance(error, asyncpg.DataError | asyncpg.exceptions.StatementTooComplexError) or (
        isinstance(error, asyncpg.exceptions.InterfaceError) and "query argument" in str(error)
    )


def is_unreachable(error: BaseException) -> bool:
    """The database is down, restarting, overloaded or out of connections: worth another try."""
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
