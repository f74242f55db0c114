"""What the server and its worker process tell each other about a file: one JSON line each way."""

from msgspec import Struct

from protocol.errors import ErrorCode


class ProbeTask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the worker process is asked to look at, and what it may use up."""

    path: str
    name: str
    """What the person called the file: the title, if its tags have none."""
    parent_pid: int
    """Who asks; the worker ends if that process is gone."""
    max_duration_ms: int
    cpu_s: int
    memory_bytes: int
    """Of address space."""


class Probed(Struct, frozen=True, kw_only=True, tag="probed"):
    """A file that is sound: found out by decoding all of it, never from its name."""

    media_type: str
    """What to serve it as: `audio/mpeg`, `audio/ogg`, `audio/flac` …"""
    codec: str
    sample_rate_hz: int
    channels: int
    duration_samples: int
    """Exact length at 48 kHz: what the schedule is computed from, never rounded."""
    duration_ms: int
    """For display."""
    title: str
    """1 to 200 characters."""
    artist: str
    album: str
    genre: str
    cover: bytes | None
    """A JPEG of at most 512 x 512, made anew from the first picture in the tags."""
    cover_small: bytes | None
    """The same at 96 x 96 at most."""


class Refused(Struct, frozen=True, kw_only=True, tag="refused"):
    """A file that is not accepted, and why."""

    code: ErrorCode
    reason: str


Outcome = Probed | Refused
COVER_MEDIA_TYPE = "image/jpeg"
