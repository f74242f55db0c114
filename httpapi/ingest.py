"""Taking in a piece of music: staged, looked at, paid for from the quota, kept, published."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final
from uuid import uuid4

import msgspec
from msgspec import Struct

from httpapi.files import settled
from httpapi.media.probed import COVER_MEDIA_TYPE, Probed
from httpapi.media.storage import Staged
from httpapi.services import Services
from httpapi.track_rows import DetailsRow
from protocol.errors import ErrorCode, Rejected
from protocol.tracks import UploadedTrack
from sql import queries


class FileRow(DetailsRow, frozen=True):
    """A track and where its files lie."""

    content_hash: str
    storage_key: str
    cover_key: str | None
    cover_small_key: str | None
    cover_media_type: str | None


class Reserved(Struct, frozen=True):
    """A track's place in its owner's quota, if there is any, and in its room, if it has one."""

    has_place: bool
    track_id: str | None


LOCK_OWNER = queries.scalar("tracks.lock_owner", str)
RESERVE = queries.one("tracks.reserve", Reserved)
PUBLISH = queries.one("tracks.publish", DetailsRow)
RELEASE = queries.execute("tracks.release")
FORGET: Final = queries.execute("tracks.forget")


async def ingest(
    services: Services,
    staged: Staged,
    *,
    name: str,
    owner_id: str,
    room_id: str | None = None,
    quota_bytes: int | None = None,
) -> UploadedTrack:
    """Make a track of a staged file, and a job that makes its rendition.

    `name`: what its owner called the file. `room_id`: the only room that may use it; its owner must
    have a place there. `quota_bytes`: what the owner may store in all (default: the setting).
    Rejects: unsupported_media, room_not_found, quota_exceeded, storage_full, unavailable.
    """
    config = services.config
    probed = await services.probes.probe(
        staged.path, name=name, max_duration_ms=config.upload_max_duration_ms
    )
    quota_bytes = config.quota_bytes if quota_bytes is None else quota_bytes
    async with AsyncExitStack() as stack:
        covers = [
            await stack.enter_async_context(services.storage.stage_bytes(picture))
            for picture in (probed.cover, probed.cover_small)
            if picture is not None
        ]
        track_id = await _reserve(services, staged, probed, owner_id, room_id, covers, quota_bytes)
        files = (staged, *covers)
        try:
            await settled(services.database, [file.key for file in files])
            for file in files:
                await file.keep()
            return await _publish(services, track_id)
        except BaseException:
            await RELEASE(services.database, track_id=track_id)
            raise


async def _publish(services: Services, track_id: str) -> UploadedTrack:
    job_id = str(uuid4())
    # One statement: no track is without its job, no job without its track.
    row = await PUBLISH(services.database, track_id=track_id, job_id=job_id)
    services.job_added.set()
    return UploadedTrack(**msgspec.structs.asdict(row.details()), job_id=job_id)


async def _reserve(
    services: Services,
    staged: Staged,
    probed: Probed,
    owner_id: str,
    room_id: str | None,
    covers: Sequence[Staged],
    quota_bytes: int,
) -> str:
    # Reserved before the file is kept: parallel uploads cannot pass the quota together, and what
    # is refused leaves nothing behind.
    async with services.database.transaction() as connection:
        await LOCK_OWNER(connection, user_id=owner_id)
        reserved = await RESERVE(
            connection,
            track_id=str(uuid4()),
            owner_id=owner_id,
            room_id=room_id,
            title=probed.title,
            artist=probed.artist,
            album=probed.album,
            genre=probed.genre,
            duration_ms=probed.duration_ms,
            duration_samples=probed.duration_samples,
            media_type=probed.media_type,
            size_bytes=staged.size_bytes,
            content_hash=staged.sha256,
            storage_key=staged.key,
            cover_key=covers[0].key if covers else None,
            cover_small_key=covers[1].key if covers else None,
            cover_media_type=COVER_MEDIA_TYPE if covers else None,
            quota_bytes=quota_bytes,
        )
    if not reserved.has_place:
        raise Rejected(ErrorCode.ROOM_NOT_FOUND)
    if reserved.track_id is None:
        raise Rejected(ErrorCode.QUOTA_EXCEEDED, quota_bytes=quota_bytes)
    return reserved.track_id
