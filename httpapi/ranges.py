"""Serving a stored file by HTTP ranges (RFC 9110, section 14). One range or the whole file.

aiohttp's own FileResponse answers `bytes=-0`, unknown units, HEAD and a changed If-Range wrongly.
"""

import logging
import re
from typing import Final, NamedTuple
from urllib.parse import quote

from aiohttp import web

from httpapi.headers import MEDIA_CSP
from httpapi.media.storage import Storage
from httpapi.problems import problem_response
from protocol.errors import ErrorCode, Rejected

_RANGE: Final = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII)
_log: Final = logging.getLogger(__name__)


class Span(NamedTuple):
    """Bytes from `start` up to, not including, `end`."""

    start: int
    end: int


class Unsatisfiable(ValueError):
    """The range lies outside of the file."""


def span_of(header: str | None, size_bytes: int) -> Span | None:
    """The one range that is asked for; None: answer with the whole file, as if none were.

    Several ranges, unknown units and malformed ones are ignored, as the RFC allows. Raises
    Unsatisfiable.
    """
    match = _RANGE.fullmatch(header) if header else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        length = int(last)
        if length == 0 or size_bytes == 0:
            raise Unsatisfiable(header)
        return Span(max(0, size_bytes - length), size_bytes)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size_bytes:
        raise Unsatisfiable(header)
    return Span(start, min(int(last) + 1, size_bytes) if last else size_bytes)


def attachment(name: str) -> str:
    """A Content-Disposition that no file name can break out of (RFC 6266, RFC 8187)."""
    plain = re.sub(r"[^A-Za-z0-9 ._-]", "_", name).strip(" .") or "file"
    return f"attachment; filename=\"{plain[:150]}\"; filename*=UTF-8''{quote(name[:150], safe='')}"


def has_etag(header: str | None, etag: str) -> bool:
    """If-None-Match compares weakly: `W/` makes no difference."""
    tags = [tag.strip().removeprefix("W/") for tag in (header or "").split(",")]
    return "*" in tags or etag in tags


async def serve_file(
    request: web.Request,
    storage: Storage,
    *,
    key: str,
    etag: str,
    size_bytes: int,
    media_type: str,
    name: str,
    cache: str,
) -> web.StreamResponse:
    """Answer with the file `key`, or a part of it. `etag` is strong and with its quotes."""
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Cache-Control": cache,
        "Content-Disposition": attachment(name),
        "Content-Security-Policy": MEDIA_CSP,
    }
    if has_etag(request.headers.get("If-None-Match"), etag):
        return web.Response(status=304, headers=headers)
    span = None
    # A range is for GET only; If-Range must be the very (strong) tag, a date never is.
    if request.method == "GET" and request.headers.get("If-Range", etag) == etag:
        ranges = request.headers.getall("Range", ())
        try:
            span = span_of(ranges[0] if len(ranges) == 1 else None, size_bytes)
        except Unsatisfiable:
            refusal = Rejected(ErrorCode.RANGE_NOT_SATISFIABLE, size_bytes=size_bytes)
            refused = problem_response(refusal)
            refused.headers["Content-Range"] = f"bytes */{size_bytes}"
            return refused
    response = web.StreamResponse(status=206 if span else 200, headers=headers)
    start, end = span or Span(0, size_bytes)
    response.content_type = media_type
    response.content_length = end - start
    if span:
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size_bytes}"
    if request.method == "HEAD":
        await response.prepare(request)
        return response
    pieces = storage.read(key, start, end)
    # The first piece before the head: a file that is gone is still a proper refusal then.
    first = await anext(pieces, b"")
    await response.prepare(request)
    try:
        await response.write(first)
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
    except ConnectionError:
        # The listener went away.
        pass
    except Rejected as error:
        _log.warning("a file broke off", extra={"key": key, "error": repr(error.__cause__)})
        if request.transport is not None:
            request.transport.abort()
    return response
