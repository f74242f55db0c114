"""The canonical rendition: 10-second segments that decode by themselves and join without a gap.

FLAC gives back every sample. Opus is made of whole frames and its decoder needs some sound to find
its feet: each segment but the first begins `PREROLL_SAMPLES` earlier than it should, and who plays
it throws those away (RFC 7845, section 4.6, asks for at least 80 ms).
"""

import io
from collections.abc import Iterator
from fractions import Fraction
from typing import Final, Literal, NamedTuple

import av
import numpy as np
from av.audio.stream import AudioStream

from httpapi.media.sound import CHANNELS, Block
from protocol.base import SAMPLE_RATE_HZ

SEGMENT_SAMPLES: Final = 10 * SAMPLE_RATE_HZ
PREROLL_SAMPLES: Final = SAMPLE_RATE_HZ * 80 // 1_000
OPUS_BITS_PER_SECOND: Final = 160_000

Codec = Literal["flac", "opus"]
FRAME_SAMPLES: Final[dict[Codec, int]] = {"flac": 4_608, "opus": 960}


class Segment(NamedTuple):
    """Samples `number * SEGMENT_SAMPLES` and on, in both codecs."""

    number: int
    flac: bytes
    """A FLAC file of `SEGMENT_SAMPLES`; the last one is shorter."""
    opus: bytes
    """An Ogg Opus file of the same, after `PREROLL_SAMPLES` unless it is the first."""


class Segmenter:
    """Takes the sound as it is decoded; gives segments as they fill."""

    def __init__(self) -> None:
        self._number = 0
        self._before = np.zeros((0, CHANNELS), np.int16)
        self._parts: list[Block] = []
        self._held = 0

    def take(self, block: Block) -> Iterator[Segment]:
        """The segments that this block completes."""
        self._parts.append(block)
        self._held += len(block)
        while self._held >= SEGMENT_SAMPLES:
            held = np.concatenate(self._parts)
            self._parts = [held[SEGMENT_SAMPLES:]]
            self._held -= SEGMENT_SAMPLES
            yield self._encode(held[:SEGMENT_SAMPLES])

    def finish(self) -> Iterator[Segment]:
        """The last segment, if anything is left."""
        if self._held:
            self._held = 0
            yield self._encode(np.concatenate(self._parts))

    def _encode(self, sound: Block) -> Segment:
        rolled = np.concatenate((self._before, sound))
        segment = Segment(self._number, encoded(sound, "flac"), encoded(rolled, "opus"))
        self._before = sound[-PREROLL_SAMPLES:]
        self._number += 1
        return segment


def encoded(sound: Block, codec: Codec) -> bytes:
    """A whole file in memory that decodes to exactly as many samples."""
    out = io.BytesIO()
    # bitexact: no version of a library in the file, so that equal sound gives equal bytes.
    options = {"fflags": "+bitexact"}
    with av.open(out, "w", format="flac" if codec == "flac" else "ogg", options=options) as file:
        name: Literal["flac", "libopus"] = "flac" if codec == "flac" else "libopus"
        stream = file.add_stream(name, rate=SAMPLE_RATE_HZ, layout="stereo")
        assert isinstance(stream, AudioStream)
        if codec == "opus":
            stream.bit_rate = OPUS_BITS_PER_SECOND
        for start in range(0, len(sound), FRAME_SAMPLES[codec]):
            part = np.ascontiguousarray(sound[start : start + FRAME_SAMPLES[codec]])
            frame = av.AudioFrame.from_ndarray(part.reshape(1, -1), format="s16", layout="stereo")
            frame.sample_rate = SAMPLE_RATE_HZ
            frame.pts = start
            frame.time_base = Fraction(1, SAMPLE_RATE_HZ)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()
