"""Connections to PostgreSQL: a pool that never waits for ever, and single connections.

    DatabaseError           base of what this module raises
    └── DatabaseBusy        no connection became free in time

Ids are `str` (uuid as text); `json` and `jsonb` are `str`, kept as they are.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg

SERVER_SETTINGS = {
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "2s",
    # The planner must not spend longer on compiling than our small statements run.
    "jit": "off",
}

SILENCE_MAX_MS = 5_000
"""How long a server beyond a network may leave what we sent unacknowledged."""

# asyncpg ships no types that a strict checker could use.
Connection: TypeAlias = Any


class DatabaseError(Exception):
    """Base of the errors of this module."""


class DatabaseBusy(DatabaseError):
    """No connection became free within the acquire timeout."""


async def _prepare(connection: Connection) -> None:
    await connection.set_type_codec(
        "uuid", schema="pg_catalog", encoder=str, decoder=str, format="text"
    )
    # asyncpg has no setting for it. Without it a machine that vanished is noticed after minutes.
    used = connection._transport.get_extra_info("socket")
    if used.family != socket.AF_UNIX and hasattr(socket, "TCP_USER_TIMEOUT"):
        used.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE_MAX_MS)


async def _nothing_to_reset(connection: Connection) -> None:
    """Our queries leave nothing behind on a connection; asyncpg's own reset, a round trip after
    every query, would double what a query costs. An open transaction is rolled back before."""


async def connect(url: str, *, application_name: str = "unisono") -> Connection:
    """One connection of its own, for the committer or a listener. Close it yourself."""
    connection = await asyncpg.connect(
        url, timeout=5, server_settings=SERVER_SETTINGS | {"application_name": application_name}
    )
    await _prepare(connection)
    return connection


class Database:
    """A pool of connections."""

    def __init__(self, pool: Any, acquire_timeout_ms: int) -> None:
        self._pool = pool
        self._acquire_timeout_ms = acquire_timeout_ms

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        min_size: int = 1,
        max_size: int = 10,
        acquire_timeout_ms: int = 2_000,
        application_name: str = "unisono",
    ) -> "Database":
        """Connect. Raises OSError or asyncpg.PostgresError if the server cannot be reached."""
        pool = await asyncpg.create_pool(
            url,
            min_size=min_size,
            max_size=max_size,
            timeout=5,
            init=_prepare,
            reset=_nothing_to_reset,
            server_settings=SERVER_SETTINGS | {"application_name": application_name},
        )
        return cls(pool, acquire_timeout_ms)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """Borrow a connection. Raises DatabaseBusy after the acquire timeout."""
        # asyncpg without a timeout waits for ever on an exhausted pool.
        try:
            connection = await self._pool.acquire(timeout=self._acquire_timeout_ms / 1_000)
        except TimeoutError as problem:
            raise DatabaseBusy("No database connection became free in time.") from problem
        try:
            yield connection
        finally:
            await asyncio.shield(self._pool.release(connection))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Borrow a connection with an open transaction; commits at the end, rolls back on error."""
        async with self.acquire() as connection, connection.transaction():
            yield connection

    async def close(self) -> None:
        """Close all connections, at the latest after 5 s."""
        try:
            await asyncio.wait_for(self._pool.close(), 5)
        except TimeoutError:
            self._pool.terminate()
