"""Request bodies: read whole under a cap and a deadline, then decoded by their Struct."""

import asyncio
from typing import Any, Final

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from protocol.base import Body
from protocol.codec import decode_strict
from protocol.errors import ErrorCode, Rejected

BODY_MAX_BYTES: Final = 64 * 1024
BODY_WITHIN_MS: Final = 10_000
"""aiohttp waits for ever; a body that comes slower than this is cut off."""

_decoders: Final[dict[type[Any], "msgspec.json.Decoder[Any]"]] = {}


class Nothing(Body, frozen=True, kw_only=True):
    """The body of a request that needs none: empty, or an empty object."""


@web.middleware
async def whole_bodies(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Have the body in memory before anything else happens; uploads are streamed instead."""
    if request.can_read_body and not request.content_type.startswith("multipart/"):
        # A small body comes with its head, and needs no timer.
        within_s = None if request.content.is_eof() else BODY_WITHIN_MS / 1_000
        try:
            async with asyncio.timeout(within_s):
                await request.read()
        except TimeoutError:
            raise Rejected(ErrorCode.BAD_REQUEST, "The body came too slowly.") from None
        except (web.RequestPayloadError, ValueError, ConnectionError):
            raise Rejected(ErrorCode.BAD_REQUEST, "The body cannot be read.") from None
    return await handler(request)


async def decode_body(request: web.Request, kind: type[Any], *, optional: bool) -> Any:
    """The body as `kind`. An empty one counts as `{}` where the body is optional.

    Rejects: bad_request, unsupported_media (no JSON).
    """
    if request.content_type.startswith("multipart/"):
        raise Rejected(ErrorCode.UNSUPPORTED_MEDIA)
    data = await request.read()
    if not data and optional:
        return kind()
    charset = (request.charset or "utf-8").lower()
    if request.content_type != "application/json" or charset not in ("utf-8", "utf8"):
        raise Rejected(ErrorCode.UNSUPPORTED_MEDIA, "The body must be application/json in UTF-8.")
    return decode_strict(_decoder(kind), data)


def _decoder(kind: type[Any]) -> "msgspec.json.Decoder[Any]":
    if kind not in _decoders:
        _decoders[kind] = msgspec.json.Decoder(kind)
    return _decoders[kind]
