"""Liveness and readiness, and what a lost WebSocket request is told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from httpapi.endpoint import Call, Route, route
from httpapi.services import Services
from protocol.base import Entity
from protocol.errors import ErrorCode, Rejected
from sql import queries
from sql.faults import FAULTS

ANSWER_WITHIN_S: Final = 2.0
BEAT_AGE_MAX_MS: Final = 5_000
"""Then other nodes may take this one's rooms."""
STANDSTILL_MAX_MS: Final = 5_000
RETRY_AFTER_MS: Final = 1_000

TAKES_WRITES = queries.scalar("embedded.is_ready", bool)
_log: Final = logging.getLogger(__name__)


class Health(Entity, frozen=True, kw_only=True):
    """All is well."""

    status: str = "ok"


async def healthz(call: Call[Any, Any]) -> Health:
    """Whether the process runs at all: it is alive as long as it answers."""
    return Health()


async def readyz(call: Call[Any, Any]) -> Health:
    """Whether people can be served: the database takes writes, cluster time is known, the bus
    carries, a room node is there, beats and commits, and uploads can be stored. What is not so is
    named in `details`, each cause under its own name."""
    found = await asyncio.gather(*(check(call.services) for check in CHECKS))
    causes = {name: why for one in found for name, why in one.items()}
    if causes:
        _log.warning("not ready", extra=causes)
        text = " ".join(f"{why}." for why in causes.values())
        raise Rejected(ErrorCode.UNAVAILABLE, text, retry_after_ms=RETRY_AFTER_MS, **causes)
    return Health()


async def _database(services: Services) -> dict[str, str]:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            takes_writes = await TAKES_WRITES(services.database)
    except FAULTS as error:
        _log.warning("the database does not answer", extra={"error": repr(error)})
        return {"database": "The database does not answer"}
    return {} if takes_writes else {"database": "The database takes no writes"}


async def _clock(services: Services) -> dict[str, str]:
    return {} if services.clock.is_set else {"clock": "Cluster time is not known yet"}


async def _bus(services: Services) -> dict[str, str]:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await services.calls.echo()
    except TimeoutError:
        return {"bus": "The bus carries nothing"}
    return {}


async def _node(services: Services) -> dict[str, str]:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            pong = await services.calls.ping()
    except TimeoutError:
        return {"node": "No room node answers"}
    causes = {}
    if pong.beat_age_ms > BEAT_AGE_MAX_MS:
        causes["beat"] = f"The node's last beat is {pong.beat_age_ms / 1_000:.0f} s old"
    if pong.standstill_ms > STANDSTILL_MAX_MS:
        causes["committer"] = f"Nothing was committed for {pong.standstill_ms / 1_000:.0f} s"
    return causes


async def _storage(services: Services) -> dict[str, str]:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await services.storage.probe()
    except TimeoutError:
        return {"storage": "The storage of media does not answer"}
    except Rejected as refusal:
        _log.warning("the storage is not writable", extra={"error": repr(refusal.__cause__)})
        full = refusal.code is ErrorCode.STORAGE_FULL
        return {"storage": f"The storage of media {'is full' if full else 'is not writable'}"}
    return {}


Check = Callable[[Services], Awaitable[dict[str, str]]]
CHECKS: Final[tuple[Check, ...]] = (_database, _clock, _bus, _node, _storage)
"""Each tells what is wrong, by name; nothing if all is well."""


async def websocket_here(request: web.Request) -> web.StreamResponse:
    """A WebSocket request that came second on a kept-alive connection, or a plain GET.

    A connection's first request decides who serves it; a proxy must open a new one for `/ws`
    (nginx: `proxy_http_version 1.1`, `Connection: upgrade`, no keep-alive pool for this path).
    """
    response = web.json_response(
        {
            "type": "urn:unisono:problem:websocket",
            "title": "This path speaks WebSocket.",
            "status": 426,
            "detail": "Open /ws as the first request of a new connection, with Upgrade: websocket; "
            "a proxy must not send it over a kept-alive connection.",
            "code": ErrorCode.BAD_REQUEST,
        },
        status=426,
        content_type="application/problem+json",
        headers={"Upgrade": "websocket"},
    )
    response.force_close()
    return response


ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "/healthz", healthz, returns=Health, auth=None, limit=600),
    route("GET", "/readyz", readyz, returns=Health, auth=None, limit=600, anonymous_limit=1_200,
          refuses=(ErrorCode.UNAVAILABLE,)),
)  # fmt: skip
