"""Counts what each request asks of PostgreSQL; what a room's home does is not the request's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler

from sql.pool import Connection, Database

MOST: Final = 6
EXCEPTIONS: Final[dict[str, tuple[int, str]]] = {}
"""Route -> how many it may issue, and why."""

BRACKETS: Final = ("BEGIN;", "COMMIT;", "ROLLBACK;")
"""Not counted: they ask nothing."""

_request: ContextVar["list[str] | None"] = ContextVar("_request", default=None)


class CountedDatabase(Database):
    """The pool of a site's sidecar: each statement is noted for the request that issues it."""

    @classmethod
    def beside(cls, database: Database) -> "CountedDatabase":
        """The same pool, counted: a node that uses it directly is not."""
        counted = cls(database._pool, database._acquire_timeout_ms, database._answer_within_ms)
        counted._turns = database._turns
        return counted

    @asynccontextmanager
    async def acquire(self, *, answer_within_ms: int | None = None) -> AsyncIterator[Connection]:
        async with super().acquire(answer_within_ms=answer_within_ms) as connection:
            with connection.query_logger(_note):
                yield connection


def _note(record: Any) -> None:
    asked = _request.get()
    if asked is not None and record.query not in BRACKETS:
        asked.append(record.query)


class Statements:
    """What the requests of a site asked of the database."""

    def __init__(self) -> None:
        self.last: list[str] = []
        """Of the request that ended last."""
        self._over: list[str] = []

    @web.middleware
    async def count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        asked: list[str] = []
        _request.set(asked)
        try:
            return await handler(request)
        finally:
            # asyncpg calls its loggers in the next turn of the loop.
            await asyncio.sleep(0)
            _request.set(None)
            self.last = asked
            resource = request.match_info.route.resource
            route = f"{request.method} {resource.canonical if resource else request.path}"
            most, _ = EXCEPTIONS.get(route, (MOST, ""))
            if len(asked) > most:
                self._over.append("\n\n".join([f"{route}: {len(asked)} statements", *asked]))

    def within_bounds(self) -> None:
        """Fails if any request so far issued more than it may."""
        assert not self._over, self._over[0]
