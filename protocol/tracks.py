"""A track: a playable thing."""

from protocol.base import Count, Entity, Title
from protocol.ids import RoomId, TrackId, UserId
from protocol.users import Instant


class Track(Entity, frozen=True, kw_only=True):
    """What a queue entry needs to know of its track."""

    track_id: TrackId
    title: Title
    artist: str = ""
    duration_ms: Count
    """Rounded, for display."""
    duration_samples: Count
    """Exact length at 48 kHz: what the schedule is computed from, never rounded."""
    has_cover: bool = False


class TrackDetails(Track, frozen=True, kw_only=True):
    """A track as REST tells it."""

    album: str
    media_type: str
    size_bytes: Count
    uploaded_by: UserId | None
    room_id: RoomId | None
    """The only room it may be used in, if it is one room's."""
    created_at: Instant


class TrackPage(Entity, frozen=True, kw_only=True):
    """A page of tracks, the newest first."""

    items: list[TrackDetails]
    next_cursor: str | None
