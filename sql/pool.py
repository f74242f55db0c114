"""Connections to PostgreSQL: a pool that never waits for ever, and single connections.

    DatabaseError           base of what this module raises
    └── DatabaseBusy        no connection became free in time

Ids are `str` (uuid as text); `json` and `jsonb` are `str`, kept as they are.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
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
ANSWER_WITHIN_MS = 5_000
"""How long a connection of the pool may be borrowed: a server that stands still gives no error."""

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


def _cut_off(connection: Connection) -> None:
    # One that was lost meanwhile, with nobody asking anything of it, is its borrower's no more.
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


async def connect(url: str, *, application_name: str = "unisono") -> Connection:
    """One connection of its own, for the committer or a listener. Close it yourself."""
    connection = await asyncpg.connect(
        url, timeout=5, server_settings=SERVER_SETTINGS | {"application_name": application_name}
    )
    await _prepare(connection)
    return connection


class Database:
    """A pool of connections."""

    def __init__(self, pool: Any, acquire_timeout_ms: int, answer_within_ms: int) -> None:
        self._pool = pool
        # asyncpg's own queue lets who comes just as a connection is given back go before those
        # who wait, and sends the first of them to the end again: some waited for 0.8 s in turns
        # of 15 ms. With no more at its door than it has connections, hardly anybody waits there.
        self._turns = asyncio.BoundedSemaphore(pool.get_max_size())
        self._acquire_timeout_ms = acquire_timeout_ms
        self._answer_within_ms = answer_within_ms

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        min_size: int = 1,
        max_size: int = 10,
        acquire_timeout_ms: int = 2_000,
        answer_within_ms: int = ANSWER_WITHIN_MS,
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
        return cls(pool, acquire_timeout_ms, answer_within_ms)

    @asynccontextmanager
    async def acquire(self, *, answer_within_ms: int | None = None) -> AsyncIterator[Connection]:
        """Borrow a connection. Raises DatabaseBusy after the acquire timeout. Who needs it for
        longer than the database may take to answer (`answer_within_ms`: here) finds it lost."""
        within_s = self._acquire_timeout_ms / 1_000
        try:
            # asyncpg without a timeout waits for ever on an exhausted pool. Its own counts the
            # giving back as well, and so costs every statement a second timer.
            async with asyncio.timeout(within_s):
                connection = await self._next()
        except TimeoutError as problem:
            raise DatabaseBusy("No database connection became free in time.") from problem
        give_back_s = None
        # Not a timeout: a transaction that is cut off would ask the same server to roll it back.
        overdue = asyncio.get_running_loop().call_later(
            (answer_within_ms or self._answer_within_ms) / 1_000, _cut_off, connection
        )
        try:
            yield connection
        except BaseException:
            # A statement that was cut off is cancelled in the server first.
            give_back_s = within_s
            raise
        finally:
            overdue.cancel()
            try:
                await self._pool.release(connection, timeout=give_back_s)
            finally:
                self._turns.release()

    async def _next(self) -> Connection:
        """A connection, in the order of asking."""
        await self._turns.acquire()
        try:
            return await self._pool.acquire()
        except BaseException:
            self._turns.release()
            raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Borrow a connection with an open transaction; commits at the end, rolls back on error."""
        async with self.acquire() as connection:
            transaction = connection.transaction()
            is_over = False
            try:
                await transaction.start()
                try:
                    yield connection
                except BaseException:
                    # On a connection that was lost the server rolls back by itself, and the error
                    # that tells of the loss is the one to be seen.
                    with suppress(asyncpg.InterfaceError, asyncpg.PostgresError, OSError):
                        await transaction.rollback()
                    is_over = True
                    raise
                await transaction.commit()
            except asyncio.CancelledError:
                # Cut off at its beginning or its end: nobody else shall find it open.
                if not is_over:
                    connection.terminate()
                raise

    async def close(self) -> None:
        """Close all connections, at the latest after 5 s."""
        try:
            await asyncio.wait_for(self._pool.close(), 5)
        except TimeoutError:
            self._pool.terminate()
