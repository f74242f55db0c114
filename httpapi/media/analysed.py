"""What the server and the process that analyses a file tell each other.

The task is one JSON line on stdin. The answer on stdout is a line for each segment, followed by
the bytes of its two files, and one last line.
"""

from msgspec import Struct

from httpapi.media.probed import Refused


class AnalysisTask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to listen to, and what may be used up."""

    path: str
    duration_samples: int
    """At 48 kHz, as found when the file was taken in."""
    parent_pid: int
    cpu_s: int
    memory_bytes: int
    """Of address space."""
    niceness: int
    """0..19: how far it steps back. People in rooms come first."""


class SegmentMade(Struct, frozen=True, kw_only=True, tag="segment"):
    """A segment; `flac_bytes`, then `opus_bytes`, follow its line."""

    number: int
    flac_bytes: int
    opus_bytes: int


class Analysed(Struct, frozen=True, kw_only=True, tag="analysed"):
    """All has been heard."""

    integrated_lufs: float | None
    """None for silence."""
    true_peak_db: float | None
    outline: bytes
    """`waveform.POINTS` heights, 0..255."""


Answer = SegmentMade | Analysed | Refused
