"""How loud a piece is, by EBU R 128: what players need to make all pieces equally loud."""

import math
from fractions import Fraction
from typing import Final

import av
import av.error
from av.filter import Graph
from msgspec import Struct

from httpapi.media.sound import Block
from protocol.base import SAMPLE_RATE_HZ

SILENCE_LUFS: Final = -70.0
"""The gate of the standard: nothing below it counts."""


class Loudness(Struct, frozen=True):
    """Integrated loudness and the highest true peak of a piece."""

    integrated_lufs: float | None
    """Mostly -30..-5; None for silence."""
    true_peak_db: float | None
    """dBTP; above 0 where the waveform overshoots between samples. None for silence."""


class LoudnessMeter:
    """Listens to the sound as it is decoded (FFmpeg's ebur128, ITU-R BS.1770-4)."""

    def __init__(self) -> None:
        graph = Graph()
        rate = Fraction(1, SAMPLE_RATE_HZ)
        source = graph.add_abuffer(
            format="s16", sample_rate=SAMPLE_RATE_HZ, layout="stereo", time_base=rate
        )
        meter = graph.add("ebur128", "metadata=1:peak=true")
        sink = graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        graph.configure()
        self._graph = graph
        self._last: dict[str, str] = {}
        self._pts = 0

    def take(self, block: Block) -> None:
        """Hear the next samples."""
        frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.pts = self._pts
        self._pts += len(block)
        self._graph.push(frame)
        self._pull()

    def finish(self) -> Loudness:
        """What was heard in all."""
        self._graph.push(None)
        self._pull()
        lufs = float(self._last.get("lavfi.r128.I", SILENCE_LUFS))
        peak = float(self._last.get("lavfi.r128.true_peak", 0.0))
        return Loudness(
            integrated_lufs=round(lufs, 2) if lufs > SILENCE_LUFS else None,
            true_peak_db=round(20 * math.log10(peak), 2) if peak > 0 else None,
        )

    def _pull(self) -> None:
        while True:
            try:
                # The rest that is flushed at the end may say nothing.
                self._last = self._graph.pull().metadata or self._last
            except (av.error.BlockingIOError, av.error.EOFError):
                return
