"""What the sidecar tells of itself in figures, and the port where all figures are read.

/metrics is never on the port that people use: it stands open to whoever reaches its own.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple, get_args

from aiohttp import web

from protocol.jobs import JobState
from roomserver.runtime.metrics import (
    MEDIA_TYPE,
    SECONDS,
    Refresh,
    counter,
    gauge,
    histogram,
    rendered,
)
from sql import queries
from sql.faults import FAULTS
from sql.pool import Database

ANSWER_WITHIN_S: Final = 2.0
REQUESTS: Final = counter(
    "http_requests", "Requests by route, as documented, and status", ["method", "route", "status"]
)
REQUEST: Final = histogram(
    "http_request_seconds", "From a request's head to the end of its answer", SECONDS, ["route"]
)
UNDER_WAY: Final = gauge("http_requests_under_way", "Requests that are being answered")
JOBS: Final = gauge("jobs", "Jobs in the database; of those that ended, the last day's", ["state"])


class JobCount(NamedTuple):
    """How many jobs are in a state."""

    state: str
    jobs: int


COUNT_JOBS: Final = queries.many("jobs.count", JobCount)
_log: Final = logging.getLogger(__name__)


async def refresh_jobs(database: Database) -> None:
    """Count the jobs; while the database is away the last figures stay."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            counted = dict(await COUNT_JOBS(database))
    except FAULTS as error:
        _log.warning("jobs cannot be counted", extra={"error": repr(error)})
        return
    for state in get_args(JobState):
        JOBS.labels(state).set(counted.get(state, 0))


@asynccontextmanager
async def served(
    listener: socket.socket, database: Database, refresh: Sequence[Refresh]
) -> AsyncIterator[None]:
    """Serve `GET /metrics` on a bound socket."""

    async def metrics(request: web.Request) -> web.Response:
        await refresh_jobs(database)
        body = await rendered(refresh)
        return web.Response(body=body, headers={"Content-Type": MEDIA_TYPE})

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield
    finally:
        await runner.cleanup()
