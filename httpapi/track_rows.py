"""Tracks as the database gives them: as lists of other things tell them, and in full."""

from datetime import datetime

from msgspec import Struct

from httpapi.instants import written
from httpapi.media.segments import PREROLL_SAMPLES, SEGMENT_SAMPLES
from protocol.renditions import Rendition
from protocol.tracks import Track, TrackDetails


class TrackRow(Struct, frozen=True):
    """A track as the database gives it, before the columns of what it is listed with."""

    track_id: str
    title: str
    artist: str
    duration_ms: int
    duration_samples: int
    has_cover: bool

    def track(self) -> Track:
        """As an answer tells it."""
        return Track(
            track_id=self.track_id,
            title=self.title,
            artist=self.artist,
            duration_ms=self.duration_ms,
            duration_samples=self.duration_samples,
            has_cover=self.has_cover,
        )


class DetailsRow(TrackRow, frozen=True):
    """All that is told of a track."""

    album: str
    genre: str
    media_type: str
    size_bytes: int
    uploaded_by: str | None
    room_id: str | None
    created_at: datetime
    has_rendition: bool
    integrated_lufs: float | None
    true_peak_db: float | None

    def rendition(self) -> Rendition | None:
        """How the track is cut into segments, once it is."""
        if not self.has_rendition:
            return None
        return Rendition(
            segments=-(-self.duration_samples // SEGMENT_SAMPLES),
            segment_samples=SEGMENT_SAMPLES,
            opus_preroll_samples=PREROLL_SAMPLES,
            integrated_lufs=self.integrated_lufs,
            true_peak_db=self.true_peak_db,
        )

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
            genre=self.genre,
            media_type=self.media_type,
            size_bytes=self.size_bytes,
            uploaded_by=self.uploaded_by,
            room_id=self.room_id,
            created_at=written(self.created_at),
            rendition=self.rendition(),
        )
