"""A track: a playable thing."""

from protocol.base import Count, Entity, Title
from protocol.ids import TrackId


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
