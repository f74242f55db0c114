"""Refusals as RFC 9457 problem documents; nothing else ever leaves as an error."""

import asyncio
import logging
import math
from typing import Final

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from httpapi.headers import rate_limit
from protocol.base import Entity
from protocol.errors import ErrorCode, Rejected
from sql.faults import is_bad_value, is_unreachable

MEDIA_TYPE: Final = "application/problem+json"

_log: Final = logging.getLogger(__name__)


class InvalidInput(Entity, frozen=True, kw_only=True):
    """One thing that is wrong with the input, and where."""

    path: str
    message: str


class Problem(Entity, frozen=True, kw_only=True, omit_defaults=True):
    """An RFC 9457 problem document; `code` is from the error table."""

    type: str
    title: str
    status: int
    detail: str
    code: ErrorCode
    errors: list[InvalidInput] | None = None
    details: dict[str, str | int] | None = None
    retry_after_ms: int | None = None


def problem_of(refusal: Rejected) -> Problem:
    """The document that tells a refusal."""
    details = dict(refusal.details)
    path = details.pop("path", None)
    message = str(refusal)
    return Problem(
        type=f"urn:unisono:problem:{refusal.code}",
        title=refusal.kind.title,
        status=refusal.kind.status,
        detail=message,
        code=refusal.code,
        errors=_errors(refusal, None if path is None else str(path)),
        details=details or None,
        retry_after_ms=refusal.retry_after_ms,
    )


def _errors(refusal: Rejected, path: str | None) -> list[InvalidInput] | None:
    if refusal.code is not ErrorCode.BAD_REQUEST:
        return None
    # msgspec ends its reason with " - at `$.path`".
    message, found, at = str(refusal).rpartition(" - at `")
    if found:
        return [InvalidInput(path=at.rstrip("`").removeprefix("$").lstrip("."), message=message)]
    return None if path is None else [InvalidInput(path=path, message=str(refusal))]


def problem_response(refusal: Rejected) -> web.Response:
    """The answer that tells a refusal, with `Retry-After` where it has one."""
    response = web.Response(
        body=msgspec.json.encode(problem_of(refusal)),
        status=refusal.kind.status,
        content_type=MEDIA_TYPE,
    )
    if refusal.retry_after_ms is not None:
        response.headers["Retry-After"] = str(math.ceil(refusal.retry_after_ms / 1_000))
    if refusal.kind.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="unisono"'
    return response


def refusal_of(error: Exception, *, where: str) -> Rejected:
    """What a caller is told about any exception; bugs are logged, their text is not told."""
    if isinstance(error, Rejected):
        return error
    if is_bad_value(error):
        # A net: checks of ours should have caught it. The log line is what a test counts.
        _log.error("a bad value reached the database", exc_info=error, extra={"where": where})
        return Rejected(ErrorCode.BAD_REQUEST, "A value is outside of what can be stored.")
    if is_unreachable(error):
        _log.warning("the database cannot be reached", extra={"where": where})
        return Rejected(ErrorCode.UNAVAILABLE, retry_after_ms=1_000)
    if isinstance(error, MemoryError):
        _log.warning("no memory was given", extra={"where": where})
        return Rejected(ErrorCode.UNAVAILABLE, retry_after_ms=5_000)
    _log.error("a request failed", exc_info=error, extra={"where": where})
    return Rejected(ErrorCode.INTERNAL)


_HTTP_CODES: Final = {
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    413: ErrorCode.PAYLOAD_TOO_LARGE,
    415: ErrorCode.UNSUPPORTED_MEDIA,
}


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever is raised into a problem document."""
    # One task serves all requests of a connection: what the last one set must not show here.
    rate_limit.set(None)
    try:
        return await handler(request)
    except web.HTTPMethodNotAllowed as refused:
        allow = ", ".join(sorted(refused.allowed_methods | {"OPTIONS"}))
        if request.method == "OPTIONS":
            # No CORS headers: other origins are not let in.
            return web.Response(status=204, headers={"Allow": allow})
        response = problem_response(Rejected(ErrorCode.METHOD_NOT_ALLOWED))
        response.headers["Allow"] = allow
        return response
    except web.HTTPException as refused:
        if refused.status < 400:
            raise
        return problem_response(Rejected(_HTTP_CODES.get(refused.status, ErrorCode.BAD_REQUEST)))
    except asyncio.CancelledError:
        raise
    except Exception as error:
        return problem_response(refusal_of(error, where=request.path))
