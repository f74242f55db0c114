"""Tracks: upload, find, listen."""

from contextlib import AbstractAsyncContextManager
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta

from httpapi.bodies import Nothing
from httpapi.endpoint import Call, Route, route, valid_id
from httpapi.ingest import FileRow, ingest
from httpapi.instants import microseconds
from httpapi.lists import PageQuery, Query, page, start
from httpapi.media.tags import clean_text
from httpapi.ranges import serve_file
from httpapi.track_rows import DetailsRow
from httpapi.uploads import Upload, received
from protocol.errors import ErrorCode, Rejected
from protocol.ids import RoomId, TrackId, UserId
from protocol.tracks import TrackDetails, TrackPage, TrackPatch, UploadedTrack
from sql import queries

UPLOAD_FIELD: Final = "file"
AUDIO_CACHE: Final = "private, no-cache"
COVER_CACHE: Final = "private, max-age=31536000, immutable"
"""A track keeps the cover that its file had."""
_SUFFIXES: Final = {"audio/mpeg": "mp3", "audio/mp4": "m4a", "audio/x-wav": "wav"}

GET = queries.maybe("tracks.get", FileRow)
LIST = queries.many("tracks.list", DetailsRow)
CHANGE = queries.maybe("tracks.change", DetailsRow)
DELETE = queries.scalar("tracks.delete", str)

B = TypeVar("B")
Q = TypeVar("Q", bound=Query)
Place = tuple[Annotated[int, Meta(ge=0, le=2**53)], TrackId]


class TracksQuery(PageQuery, frozen=True, kw_only=True):
    """Which tracks; `query` is looked for in title and artist."""

    query: Annotated[str, Meta(max_length=100)] = ""
    genre: Annotated[str, Meta(max_length=200)] = ""
    uploaded_by: UserId | None = None
    room_id: RoomId | None = None


class CoverQuery(Query, frozen=True, kw_only=True):
    """How large a picture."""

    which: Literal["small", "large"] = msgspec.field(name="size", default="large")


def upload_form(call: Call[None, Query]) -> AbstractAsyncContextManager[Upload]:
    """The form of an upload."""
    return received(
        call.request,
        call.services.storage,
        field=UPLOAD_FIELD,
        max_bytes=call.services.config.upload_max_bytes,
        known=frozenset(("room_id",)),
    )


async def upload(call: Call[Upload, Query]) -> UploadedTrack:
    """Upload a piece of music: a form with `file`, and `room_id` if only that room may use it.

    The track can be played at once; `job_id` names the job that makes its rendition.
    """
    form = call.body
    room_id = form.fields.get("room_id")
    if room_id is not None:
        room_id = valid_id(room_id, ErrorCode.ROOM_NOT_FOUND)
    return await ingest(
        call.services, form.staged, name=form.name, owner_id=call.person.user_id, room_id=room_id
    )


async def list_tracks(call: Call[None, TracksQuery]) -> TrackPage:
    """Tracks that the caller may use, the newest first."""
    query = call.query
    before_us, before_track_id = start(query, "tracks", Place)
    rows = await LIST(
        call.services.database,
        caller_id=call.person.user_id,
        query=query.query.strip(),
        genre=query.genre.strip(),
        uploaded_by=query.uploaded_by,
        in_room_id=query.room_id,
        before_us=before_us,
        before_track_id=before_track_id,
        most=query.limit + 1,
    )
    shown, cursor = page(
        rows, query, "tracks", lambda last: (microseconds(last.created_at), last.track_id)
    )
    return TrackPage(items=[row.details() for row in shown], next_cursor=cursor)


async def _found(call: Call[B, Q]) -> FileRow:
    row = await GET(
        call.services.database, track_id=call.ids["track_id"], caller_id=call.person.user_id
    )
    if row is None:
        raise Rejected(ErrorCode.UNKNOWN_TRACK)
    return row


async def get_track(call: Call[None, Query]) -> TrackDetails:
    """One track."""
    return (await _found(call)).details()


async def change(call: Call[TrackPatch, Query]) -> TrackDetails:
    """Describe a track anew; only its uploader may."""
    row = await _own(call)
    said = msgspec.structs.asdict(call.body)
    cleaned = {name: None if text is UNSET else clean_text(text) for name, text in said.items()}
    if cleaned["title"] == "":
        raise Rejected(ErrorCode.BAD_REQUEST, "The title shows nothing.", path="title")
    changed = await CHANGE(
        call.services.database, track_id=row.track_id, user_id=call.user_id, **cleaned
    )
    if changed is None:
        raise Rejected(ErrorCode.UNKNOWN_TRACK)
    return changed.details()


async def delete(call: Call[Nothing, Query]) -> None:
    """Delete a track; only its uploader may.

    It stops in all rooms within seconds, and leaves their queues. Its place in the quota is free.
    """
    row = await _own(call)
    gone = await DELETE(call.services.database, track_id=row.track_id, user_id=call.user_id)
    if gone is None:
        raise Rejected(ErrorCode.UNKNOWN_TRACK)
    call.services.listening.forget(row.track_id)


async def _own(call: Call[B, Query]) -> FileRow:
    """A track that the caller uploaded. Rejects: unknown_track, not_allowed."""
    row = await _found(call)
    if row.uploaded_by != call.user_id:
        raise Rejected(ErrorCode.NOT_ALLOWED, "Only who uploaded it may do this.")
    return row


async def audio(call: Call[None, Query]) -> web.StreamResponse:
    """The original file, whole or by one range; its ETag is strong."""
    row = await _found(call)
    suffix = _SUFFIXES.get(row.media_type, row.media_type.rpartition("/")[2])
    with call.services.listening.stream(call.person.user_id):
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


async def cover(call: Call[None, CoverQuery]) -> web.StreamResponse:
    """The picture of a track: at most 512 x 512, or 96 x 96 with `size=small`."""
    row = await _found(call)
    key = row.cover_key
    if call.query.which == "small" and row.cover_small_key is not None:
        key = row.cover_small_key
    if key is None or row.cover_media_type is None:
        raise Rejected(ErrorCode.NOT_FOUND)
    storage = call.services.storage
    return await serve_file(
        call.request,
        storage,
        key=key,
        etag=f'"{key.replace("/", "")}"',
        size_bytes=await storage.size(key),
        media_type=row.cover_media_type,
        name=f"{row.title}.jpg",
        cache=COVER_CACHE,
    )


_TRACK: Final = "/api/tracks/{track_id}"
_E: Final = ErrorCode
_FILE: Final = (_E.UNKNOWN_TRACK, _E.NOT_FOUND, _E.RANGE_NOT_SATISFIABLE, _E.UNAVAILABLE,
                _E.STORAGE_FULL)  # fmt: skip

ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "/api/tracks/uploads", upload, returns=UploadedTrack, status=201, auth="person",
          limit=10, scope="queue", receives=upload_form, refuses=(
              _E.PAYLOAD_TOO_LARGE, _E.UNSUPPORTED_MEDIA, _E.QUOTA_EXCEEDED, _E.STORAGE_FULL,
              _E.UNAVAILABLE, _E.ROOM_NOT_FOUND)),
    route("GET", "/api/tracks", list_tracks, query=TracksQuery, returns=TrackPage, limit=60),
    route("GET", _TRACK, get_track, returns=TrackDetails, limit=60, refuses=(_E.UNKNOWN_TRACK,)),
    route("PATCH", _TRACK, change, body=TrackPatch, returns=TrackDetails, auth="person", limit=10,
          scope="queue", refuses=(_E.UNKNOWN_TRACK, _E.NOT_ALLOWED)),
    route("DELETE", _TRACK, delete, auth="person", limit=10, scope="queue",
          refuses=(_E.UNKNOWN_TRACK, _E.NOT_ALLOWED)),
    route("GET", f"{_TRACK}/audio", audio, limit=120, refuses=_FILE, media_types=("audio/*",)),
    route("GET", f"{_TRACK}/cover", cover, query=CoverQuery, limit=120, refuses=_FILE,
          media_types=("image/jpeg",)),
)  # fmt: skip
