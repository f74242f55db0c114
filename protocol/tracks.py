"""A track: a playable thing."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from protocol.base import Body, Command, Count, Entity, Title
from protocol.ids import JobId, RoomId, TrackId, UserId
from protocol.renditions import Rendition
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


class TrackGone(Command, frozen=True, kw_only=True, tag="track.gone"):
    """System: the track was deleted. Its entries leave the queue, even one that starts at once;
    if it plays, it is left for what follows. Without any there is no event."""

    track_id: TrackId


class TrackDetails(Track, frozen=True, kw_only=True):
    """A track as REST tells it."""

    album: str
    genre: str
    media_type: str
    size_bytes: Count
    uploaded_by: UserId | None
    room_id: RoomId | None
    """The only room it may be used in, if it is one room's."""
    created_at: Instant
    rendition: Rendition | None
    """Null until it has been made; the original can be played at once."""


class UploadedTrack(TrackDetails, frozen=True, kw_only=True):
    """A track that was just uploaded."""

    job_id: JobId
    """The job that makes its rendition."""


Text = Annotated[str, Meta(max_length=200)]


class TrackPatch(Body, frozen=True, kw_only=True):
    """What its uploader says of a track; entries that wait or play keep what they were told."""

    title: Title | UnsetType = UNSET
    artist: Text | UnsetType = UNSET
    album: Text | UnsetType = UNSET
    genre: Text | UnsetType = UNSET


class TrackPage(Entity, frozen=True, kw_only=True):
    """A page of tracks, the newest first."""

    items: list[TrackDetails]
    next_cursor: str | None
