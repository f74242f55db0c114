"""The outline of a piece: what a player draws under its slider."""

from typing import Final

import numpy as np

from httpapi.media.sound import Block

POINTS: Final = 1_000
FULL_SCALE: Final = 255


class Outline:
    """Gathers the highest sample of each of `POINTS` equal parts."""

    def __init__(self, samples: int) -> None:
        """`samples`: how long the piece is."""
        self._samples = samples
        self._highest = np.zeros(POINTS, np.int32)
        self._at = 0

    def take(self, block: Block) -> None:
        """See the next samples."""
        height = np.abs(block.astype(np.int32)).max(axis=1)
        place = (np.arange(self._at, self._at + len(block)) * POINTS) // self._samples
        np.maximum.at(self._highest, place, height)
        self._at += len(block)

    def finish(self) -> bytes:
        """`POINTS` bytes, 0 for silence, 255 for full scale."""
        return bytes(np.minimum(self._highest * FULL_SCALE // 32_767, FULL_SCALE).astype(np.uint8))
