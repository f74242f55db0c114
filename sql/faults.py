"""What can go wrong with a statement, sorted by what is known afterwards.

Outside of this package nobody imports asyncpg; who must tell a lost connection from a refused
statement asks here.
"""

from typing import Final

import asyncpg

from sql.pool import DatabaseError

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
