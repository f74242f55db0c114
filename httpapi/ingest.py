"""Taking in a piece of music: staged, looked at, paid for from the quota, kept, published."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final
from uuid import uuid4

from msgspec import Struct

from httpapi.instants import written
from httpapi.media.probed import COVER_MEDIA_TYPE, Probed
from httpapi.media.storage import Staged
from httpapi.services import Services
from protocol.errors import ErrorCode, Rejected
from protocol.tracks import TrackDetails
from sql import queries


class TrackRow(Struct, frozen=True):
    """A track as the database gives it."""

    track_id: str
    title: str
    artist: str
    duration_ms: int
    duration_samples: int
    has_cover: bool
    album: str
    media_type: str
    size_bytes: int
    uploaded_by: str | None
    room_id: str | None
    created_at: datetime

    def details(self) -> TrackDetails:
        """As an answer tells it."""
        return TrackDetails(
            track_id=self.track_id,
            title=self.title,
            artist=self.artist,
            duration_ms=self.duration_ms,
            duration_samples=self.duration_samples,
            has_cover=self.has_cover,
            album=self.album,
            media_type=self.media_type,
            size_bytes=self.size_bytes,
            uploaded_by=self.uploaded_by,
            room_id=self.room_id,
            created_at=written(self.created_at),
        )


class FileRow(TrackRow, frozen=True):
    """A track and where its files lie."""

    content_hash: str
    storage_key: str
    cover_key: str | None
    cover_media_type: str | None


LOCK_OWNER = queries.scalar("tracks.lock_owner", str)
RESERVE = queries.scalar("tracks.reserve", str)
PUBLISH = queries.one("tracks.publish", TrackRow)
RELEASE = queries.execute("tracks.release")
FORGET: Final = queries.execute("tracks.forget")
USED_BYTES = queries.scalar("tracks.used_bytes", int)


async def ingest(
    services: Services,
    staged: Staged,
    *,
    name: str,
    owner_id: str,
    room_id: str | None = None,
    quota_bytes: int | None = None,
) -> TrackDetails:
    """Make a track of a staged file; `name` is what its owner called it.

    `quota_bytes`: what the owner may store in all (default: the setting).
    Rejects: unsupported_media, quota_exceeded, storage_full, unavailable.
    """
    config = services.config
    probed = await services.probes.probe(
        staged.path, name=name, max_duration_ms=config.upload_max_duration_ms
    )
    quota_bytes = config.quota_bytes if quota_bytes is None else quota_bytes
    async with services.storage.stage(
        _once(probed.cover or b""), max_bytes=len(probed.cover or b"")
    ) as cover:
        cover_key = cover.key if probed.cover else None
        track_id = await _reserve(
            services, staged, probed, owner_id, room_id, cover_key, quota_bytes
        )
        try:
            await staged.keep()
            if cover_key is not None:
                await cover.keep()
            return (await PUBLISH(services.database, track_id=track_id)).details()
        except BaseException:
            await RELEASE(services.database, track_id=track_id)
            raise


async def _reserve(
    services: Services,
    staged: Staged,
    probed: Probed,
    owner_id: str,
    room_id: str | None,
    cover_key: str | None,
    quota_bytes: int,
) -> str:
    # Reserved before the file is kept: parallel uploads cannot pass the quota together, and what
    # is refused leaves nothing behind.
    async with services.database.transaction() as connection:
        await LOCK_OWNER(connection, user_id=owner_id)
        track_id = await RESERVE(
            connection,
            track_id=str(uuid4()),
            owner_id=owner_id,
            room_id=room_id,
            title=probed.title,
            artist=probed.artist,
            album=probed.album,
            duration_ms=probed.duration_ms,
            duration_samples=probed.duration_samples,
            media_type=probed.media_type,
            size_bytes=staged.size_bytes,
            content_hash=staged.sha256,
            storage_key=staged.key,
            cover_key=cover_key,
            cover_media_type=COVER_MEDIA_TYPE if cover_key else None,
            quota_bytes=quota_bytes,
        )
    if track_id is None:
        raise Rejected(ErrorCode.QUOTA_EXCEEDED, quota_bytes=quota_bytes)
    return track_id


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
