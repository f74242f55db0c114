"""The canonical rendition of a track: what all listeners play, equal to the sample."""

from typing import Annotated, Literal

from msgspec import Meta

from protocol.base import Count, Entity

SegmentCodec = Literal["flac", "opus"]
Height = Annotated[int, Meta(ge=0, le=255)]


class Rendition(Entity, frozen=True, kw_only=True):
    """How a track is cut into segments: 48 kHz, stereo, `duration_samples` in all."""

    segments: Count
    """Numbered 0 to `segments - 1`."""
    segment_samples: Count
    """How long each of them is; the last one is what is left."""
    opus_preroll_samples: Count
    """How many samples to cut off in front of each Opus segment but the first. FLAC has none."""
    integrated_lufs: float | None
    """Loudness by EBU R 128; null for silence."""
    true_peak_db: float | None
    """dBTP; null for silence."""


class Waveform(Entity, frozen=True, kw_only=True):
    """The outline of a track, for drawing."""

    points: list[Height]
    """The highest sample of each of so many equal parts; 255 is full scale."""
