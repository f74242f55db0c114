"""Tracks: upload, find, listen."""

from datetime import UTC, datetime
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from httpapi.access import GET_ROOM
from httpapi.endpoint import Call, Route, route
from httpapi.ingest import USED_BYTES, FileRow, TrackRow, ingest
from httpapi.lists import PageQuery, Query, decode_cursor, encode_cursor
from httpapi.ranges import serve_file
from httpapi.uploads import received
from protocol.errors import ErrorCode, Rejected
from protocol.ids import RoomId, TrackId, UserId
from protocol.tracks import TrackDetails, TrackPage
from sql import queries

UPLOAD_FIELD: Final = "file"
AUDIO_CACHE: Final = "private, no-cache"
COVER_CACHE: Final = "private, max-age=3600"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SUFFIXES: Final = {"audio/mpeg": "mp3", "audio/mp4": "m4a", "audio/x-wav": "wav"}

GET = queries.maybe("tracks.get", FileRow)
LIST = queries.many("tracks.list", TrackRow)

Place = tuple[Annotated[int, Meta(ge=0, le=2**53)], TrackId]


class TracksQuery(PageQuery, frozen=True, kw_only=True):
    """Which tracks; `query` is looked for in title and artist."""

    query: Annotated[str, Meta(max_length=100)] = ""
    uploaded_by: UserId | None = None
    room_id: RoomId | None = None


async def upload(call: Call[None, Query]) -> TrackDetails:
    """Upload a piece of music: a form with `file`, and `room_id` if only that room may use it."""
    services, user_id = call.services, call.person.user_id
    config = services.config
    left_bytes = config.quota_bytes - (await USED_BYTES(services.database, user_id=user_id) or 0)
    if left_bytes <= 0:
        raise Rejected(ErrorCode.QUOTA_EXCEEDED, quota_bytes=config.quota_bytes)
    async with received(
        call.request,
        services.storage,
        field=UPLOAD_FIELD,
        max_bytes=config.upload_max_bytes,
        known=frozenset(("room_id",)),
    ) as form:
        room_id = await _room_of(call, form.fields.get("room_id"))
        return await ingest(
            services, form.staged, name=form.name, owner_id=user_id, room_id=room_id
        )


async def _room_of(call: Call[None, Query], room_id: str | None) -> str | None:
    """The room that a track is for; the uploader must have a place in it."""
    if room_id is None:
        return None
    row = None
    if len(room_id) == 36 and room_id.isascii() and "\x00" not in room_id:
        row = await GET_ROOM(call.services.database, room_id=room_id, user_id=call.user_id)
    if row is None or row.my_role is None:
        raise Rejected(ErrorCode.ROOM_NOT_FOUND)
    return row.room_id


async def list_tracks(call: Call[None, TracksQuery]) -> TrackPage:
    """Tracks that the caller may use, the newest first."""
    query = call.query
    start = decode_cursor(query.cursor, "tracks", Place) if query.cursor else (None, None)
    rows = await LIST(
        call.services.database,
        user_id=call.person.user_id,
        query=query.query.strip(),
        uploaded_by=query.uploaded_by,
        in_room_id=query.room_id,
        before_us=start[0],
        before_track_id=start[1],
        most=query.limit + 1,
    )
    shown = rows[: query.limit]
    cursor = None
    if len(rows) > len(shown):
        gap = shown[-1].created_at - _EPOCH
        at_us = (gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds
        cursor = encode_cursor("tracks", at_us, shown[-1].track_id)
    return TrackPage(items=[row.details() for row in shown], next_cursor=cursor)


async def _found(call: Call[None, Query]) -> FileRow:
    row = await GET(
        call.services.database, track_id=call.ids["track_id"], user_id=call.person.user_id
    )
    if row is None:
        raise Rejected(ErrorCode.UNKNOWN_TRACK)
    return row


async def get_track(call: Call[None, Query]) -> TrackDetails:
    """One track."""
    return (await _found(call)).details()


async def audio(call: Call[None, Query]) -> web.StreamResponse:
    """The original file, whole or by one range; its ETag is strong."""
    row = await _found(call)
    suffix = _SUFFIXES.get(row.media_type, row.media_type.rpartition("/")[2])
    return await serve_file(
        call.request,
        call.services.storage,
        key=row.storage_key,
        etag=f'"{row.content_hash}"',
        size_bytes=row.size_bytes,
        media_type=row.media_type,
        name=f"{row.title}.{suffix}",
        cache=AUDIO_CACHE,
    )


async def cover(call: Call[None, Query]) -> web.StreamResponse:
    """The picture of a track."""
    row = await _found(call)
    if row.cover_key is None or row.cover_media_type is None:
        raise Rejected(ErrorCode.NOT_FOUND)
    storage = call.services.storage
    return await serve_file(
        call.request,
        storage,
        key=row.cover_key,
        etag=f'"{row.cover_key.replace("/", "")}"',
        size_bytes=await storage.size(row.cover_key),
        media_type=row.cover_media_type,
        name=f"{row.title}.jpg",
        cache=COVER_CACHE,
    )


_TRACK: Final = "/api/tracks/{track_id}"
_E: Final = ErrorCode
_FILE: Final = (_E.UNKNOWN_TRACK, _E.NOT_FOUND, _E.RANGE_NOT_SATISFIABLE, _E.UNAVAILABLE,
                _E.STORAGE_FULL)  # fmt: skip

ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "/api/tracks/uploads", upload, returns=TrackDetails, status=201, auth="person",
          limit=10, streams=True, refuses=(
              _E.PAYLOAD_TOO_LARGE, _E.UNSUPPORTED_MEDIA, _E.QUOTA_EXCEEDED, _E.STORAGE_FULL,
              _E.UNAVAILABLE, _E.ROOM_NOT_FOUND)),
    route("GET", "/api/tracks", list_tracks, query=TracksQuery, returns=TrackPage, limit=60),
    route("GET", _TRACK, get_track, returns=TrackDetails, limit=60, refuses=(_E.UNKNOWN_TRACK,)),
    route("GET", f"{_TRACK}/audio", audio, limit=120, refuses=_FILE, media_types=("audio/*",)),
    route("GET", f"{_TRACK}/cover", cover, limit=120, refuses=_FILE, media_types=("image/jpeg",)),
)  # fmt: skip
