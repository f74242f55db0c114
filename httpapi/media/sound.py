"""A file as the sound that everybody hears: 48 kHz, two channels, 16 bits, of exact length.

Browsers trim the priming of mp3 and AAC differently; here it is trimmed once, for all of them.
"""

from collections.abc import Iterator
from typing import Final

import av
import av.error
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from httpapi.media.formats import OPEN_OPTIONS
from protocol.base import SAMPLE_RATE_HZ

CHANNELS: Final = 2
BLOCK_SAMPLES: Final = SAMPLE_RATE_HZ
Block = NDArray[np.int16]
"""Samples in a row, shape (n, 2)."""


def blocks(path: str, samples: int) -> Iterator[Block]:
    """The sound in pieces, together exactly `samples` long: cut off or filled with silence.

    `samples`: what was found when the file was looked at. Raises av.error.FFmpegError for a file
    that cannot be opened; a damaged packet is left out, as it was then.
    """
    left = samples
    with av.open(path, options=OPEN_OPTIONS, metadata_errors="replace") as container:
        assert isinstance(container, InputContainer)
        for block in _gathered(_resampled(container)):
            if left == 0:
                return
            yield block[:left]
            left -= len(block[:left])
    while left:
        silence = np.zeros((min(left, BLOCK_SAMPLES), CHANNELS), np.int16)
        yield silence
        left -= len(silence)


def _gathered(parts: Iterator[Block]) -> Iterator[Block]:
    """In pieces of about a second: a decoder's frames are so short that calls would cost most."""
    held: list[Block] = []
    held_samples = 0
    for part in parts:
        held.append(part)
        held_samples += len(part)
        if held_samples >= BLOCK_SAMPLES:
            yield np.concatenate(held)
            held, held_samples = [], 0
    if held:
        yield np.concatenate(held)


def _resampled(container: InputContainer) -> Iterator[Block]:
    stream = container.streams.audio[0]
    stream.codec_context.thread_count = 1
    resampler = av.AudioResampler(format="s16", layout="stereo", rate=SAMPLE_RATE_HZ)
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        for frame in frames:
            # Gaps in what the container says of time are not heard as silence.
            frame.pts = None
            yield from map(_block, resampler.resample(frame))
    yield from map(_block, resampler.resample(None))


def _block(frame: av.AudioFrame) -> Block:
    return frame.to_ndarray().astype(np.int16, copy=False).reshape(-1, CHANNELS)
