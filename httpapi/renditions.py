"""The canonical rendition over REST: segments to play, the outline to draw."""

from typing import Final, TypeVar

import msgspec
from aiohttp import web
from msgspec import Struct

from httpapi.endpoint import Call, Route, route
from httpapi.lists import Query
from httpapi.media.listening import Heard, Stored
from httpapi.media.waveform import POINTS
from httpapi.ranges import has_etag, serve_file
from httpapi.tracks import GET
from protocol.errors import ErrorCode, Rejected
from protocol.renditions import SegmentCodec, Waveform
from sql import queries

Q = TypeVar("Q", bound=Query)

RETRY_AFTER_MS: Final = 2_000
CACHE: Final = "private, max-age=31536000, immutable"
OUTLINE_CACHE: Final = "private, max-age=86400"
MEDIA_TYPES: Final[dict[SegmentCodec, str]] = {"flac": "audio/flac", "opus": "audio/ogg"}


class Outline(Struct, frozen=True):
    """Its row."""

    outline: bytes


class SegmentQuery(Query, frozen=True, kw_only=True):
    """In which codec."""

    codec: SegmentCodec = "flac"


OUTLINE: Final = queries.maybe("renditions.outline", Outline)
SEGMENT: Final = queries.maybe("renditions.segment", Stored)
FORGET: Final = queries.execute("renditions.forget")
IS_AWAITED: Final = queries.scalar("renditions.is_awaited", bool)


async def segment(call: Call[None, SegmentQuery]) -> web.StreamResponse:
    """Ten seconds of a track at 48 kHz, a file that decodes by itself; the first is 0.

    Cut off `opus_preroll_samples` in front of each Opus segment but the first, and they join
    without a gap. It never changes.
    """
    heard = await _heard(call)
    segments, number = call.services.listening.segments, call.numbers["number"]
    stored = segments.get((heard.content_hash, number))
    if stored is None:
        stored = await SEGMENT(
            call.services.database, content_hash=heard.content_hash, number=number
        )
        if stored is None:
            raise Rejected(ErrorCode.NOT_FOUND, "The track has no such segment.")
        segments[heard.content_hash, number] = stored
    codec = call.query.codec
    key = stored.flac_key if codec == "flac" else stored.opus_key
    with call.services.listening.stream(call.person.user_id):
        return await serve_file(
            call.request,
            call.services.storage,
            key=key,
            etag=f'"{key.replace("/", "")}"',
            size_bytes=stored.flac_bytes if codec == "flac" else stored.opus_bytes,
            media_type=MEDIA_TYPES[codec],
            name=f"{heard.title} {number}.{codec}",
            cache=CACHE,
        )


async def waveform(call: Call[None, Query]) -> web.Response:
    """The outline of a track, for drawing. Its ETag stays as long as the content does."""
    heard = await _heard(call)
    headers = {"ETag": f'"{heard.content_hash}-{POINTS}"', "Cache-Control": OUTLINE_CACHE}
    if has_etag(call.request.headers.get("If-None-Match"), headers["ETag"]):
        return web.Response(status=304, headers=headers)
    row = await OUTLINE(call.services.database, content_hash=heard.content_hash)
    if row is None:
        raise Rejected(ErrorCode.UNKNOWN_TRACK)
    body = msgspec.json.encode(Waveform(points=list(row.outline)))
    return web.Response(body=body, content_type="application/json", headers=headers)


async def _heard(call: Call[None, Q]) -> Heard:
    """The track, if the caller may listen to it and its rendition has been made."""
    who = (call.person.user_id, call.ids["track_id"])
    heard = call.services.listening.allowed.get(who)
    if heard is not None:
        return heard
    database = call.services.database
    row = await GET(database, caller_id=who[0], track_id=who[1])
    if row is None:
        raise Rejected(ErrorCode.UNKNOWN_TRACK)
    if not row.has_rendition:
        if await IS_AWAITED(database, content_hash=row.content_hash):
            raise Rejected(ErrorCode.NOT_READY, retry_after_ms=RETRY_AFTER_MS)
        raise Rejected(ErrorCode.NOT_FOUND, "This track has no rendition.")
    heard = Heard(row.content_hash, row.title)
    call.services.listening.allowed[who] = heard
    return heard


_E: Final = ErrorCode
_TRACK: Final = "/api/tracks/{track_id}"
_REFUSES: Final = (_E.UNKNOWN_TRACK, _E.NOT_FOUND, _E.NOT_READY)

ROUTES: Final[tuple[Route, ...]] = (
    route("GET", f"{_TRACK}/segments/{{number}}", segment, query=SegmentQuery, limit=1_200,
          media_types=tuple(MEDIA_TYPES.values()),
          refuses=(*_REFUSES, _E.RANGE_NOT_SATISFIABLE, _E.UNAVAILABLE, _E.STORAGE_FULL)),
    route("GET", f"{_TRACK}/waveform", waveform, returns=Waveform, limit=120, tagged=True,
          refuses=_REFUSES),
)  # fmt: skip
