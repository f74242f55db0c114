"""Sound made for tests: pieces of which every moment is unlike every other."""

from fractions import Fraction
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final, cast

import av
import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 48_000
CHUNK: Final = 4_096


def noisy_music(seconds: float, seed: int) -> NDArray[np.float32]:
    """Notes in a random order with a burst of noise at each: easy to find again, not to mistake."""
    chance = np.random.default_rng(seed)
    count = int(seconds * RATE_HZ)
    sound = np.zeros(count)
    at = 0
    while at < count:
        length = min(count - at, int(chance.uniform(0.08, 0.3) * RATE_HZ))
        times = np.arange(length) / RATE_HZ
        fade = np.exp(-times * 9)
        hertz = 220 * 2 ** (chance.integers(0, 24) / 12)
        burst = chance.normal(0, 0.5, length) * np.exp(-times * 30)
        sound[at : at + length] = fade * np.sin(2 * np.pi * hertz * times) + burst
        at += length
    loudest = float(np.abs(sound).max())
    return np.asarray(0.4 * sound / loudest, dtype=np.float32)


def write(file: Path, seconds: float, *, title: str, artist: str, seed: int = 1) -> Path:
    """Write a piece with its tags; the suffix (.flac, .ogg, .wav) says how.

    The same piece is the same bytes: a server that has analysed it once needs no second time.
    """
    file.write_bytes(_encoded(file.suffix, seconds, title, artist, seed))
    return file


@cache
def _encoded(suffix: str, seconds: float, title: str, artist: str, seed: int) -> bytes:
    codec = {".flac": "flac", ".ogg": "libvorbis", ".wav": "pcm_s16le"}[suffix]
    sample_format = {"flac": "s16", "libvorbis": "fltp", "pcm_s16le": "s16"}[codec]
    samples = noisy_music(seconds, seed)
    written = BytesIO()
    with av.open(written, "w", format=suffix[1:]) as out:
        out.metadata.update({"title": title, "artist": artist})
        stream = cast(av.AudioStream, out.add_stream(codec, rate=RATE_HZ))
        stream.layout = "stereo"
        stream.format = sample_format
        resampler = av.AudioResampler(format=sample_format, layout="stereo", rate=RATE_HZ)
        for first in range(0, len(samples), CHUNK):
            mono = samples[first : first + CHUNK]
            frame = av.AudioFrame.from_ndarray(np.stack([mono, mono]), "fltp", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, first, Fraction(1, RATE_HZ)
            for piece in resampler.resample(frame):
                out.mux(stream.encode(piece))
        for piece in resampler.resample(None):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return written.getvalue()
