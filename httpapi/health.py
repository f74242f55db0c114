"""Liveness and readiness, and what a lost WebSocket request is told."""

import asyncio
import logging
from typing import Any, Final

from aiohttp import web

from httpapi.endpoint import Call, Route, route
from protocol.base import Entity
from protocol.errors import ErrorCode, Rejected
from sql import queries
from sql.faults import FAULTS

ANSWER_WITHIN_MS: Final = 2_000

TAKES_WRITES = queries.scalar("embedded.is_ready", bool)
_log: Final = logging.getLogger(__name__)


class Health(Entity, frozen=True, kw_only=True):
    """All is well."""

    status: str = "ok"


async def healthz(call: Call[Any, Any]) -> Health:
    """Whether the process runs at all."""
    return Health()


async def readyz(call: Call[Any, Any]) -> Health:
    """Whether requests can be served: the database takes writes and cluster time is known."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_MS / 1_000):
            takes_writes = await TAKES_WRITES(call.services.database)
    except FAULTS as error:
        _log.warning("not ready", extra={"error": repr(error)})
        raise Rejected(ErrorCode.UNAVAILABLE, "The database does not answer.") from None
    if not takes_writes:
        raise Rejected(ErrorCode.UNAVAILABLE, "The database takes no writes.")
    if not call.services.clock.is_set:
        raise Rejected(ErrorCode.UNAVAILABLE, "Cluster time is not known yet.")
    return Health()


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
    route("GET", "/readyz", readyz, returns=Health, auth=None, limit=600,
          refuses=(ErrorCode.UNAVAILABLE,)),
)  # fmt: skip
