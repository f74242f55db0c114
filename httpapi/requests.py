"""Each request from its head to the end of its answer: named in the log, counted, timed."""

import asyncio
import logging
import secrets
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from httpapi.headers import request_id
from httpapi.metrics import REQUEST, REQUESTS, UNDER_WAY
from roomserver.runtime import logs
from roomserver.runtime.clock import monotonic_ns
from roomserver.runtime.metrics import since_s

UNMATCHED: Final = "none"
"""What is counted under it has no route; its method and path may be anything."""
GONE: Final = "gone"
"""Instead of a status: the caller did not wait for the answer."""

_log: Final = logging.getLogger(__name__)


@web.middleware
async def requests(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Surround everything else: what comes out of here is what the caller gets."""
    begun_ns = monotonic_ns()
    name = secrets.token_hex(8)
    request_id.set(name)
    method, route = _route(request)
    status = "500"
    UNDER_WAY.inc()
    with logs.about(request_id=name):
        try:
            response = await handler(request)
            status = str(response.status)
            return response
        except asyncio.CancelledError:
            status = GONE
            raise
        finally:
            took_s = since_s(begun_ns)
            UNDER_WAY.dec()
            REQUESTS.labels(method, route, status).inc()
            REQUEST.labels(route).observe(took_s)
            _log.debug(
                "request",
                extra={
                    "method": method,
                    "route": route,
                    "status": status,
                    "took_ms": round(took_s * 1_000, 1),
                },
            )


def _route(request: web.Request) -> tuple[str, str]:
    """The method and the template of the route, both from a bounded set."""
    resource = request.match_info.route.resource
    return (request.method, resource.canonical) if resource else (UNMATCHED, UNMATCHED)
