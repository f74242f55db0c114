"""Judging recordings: how far apart two listeners are, and where one of them heard nothing."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 48_000
LONGEST_LAG_MS: Final = 400.0
AUDIBLE: Final = 1e-3
"""Root of the mean square below which sound counts as silence."""
ALIKE: Final = 0.35
"""Less alike than this, two windows of a second do not hold the same piece (1: equal). What chance
makes alike falls with the root of the length; a rate that is bent by 0.1 % leaves 0.33 of 2 s."""
PART_S: Final = 0.25
"""A window is looked at in such parts: what is bent by 0.05 % more than the other is smeared over
2 s, and the lag of the whole is chance (0.25 s bear 0.15 %)."""
AGREED_MS: Final = 3.0
BLOCK_S: Final = 0.005
"""Holes are found to so much."""
TONE_HZ: Final = 1_000
IMPURE: Final = 0.01
"""What a sample of a pure tone may differ from what the two before it foretell, of its height."""

Sound = NDArray[np.float32]


class Window(NamedTuple):
    """How much later the one listener heard the same as the other, around an instant."""

    at_s: float
    lag_ms: float | None
    """None: somebody heard something else, or nothing."""


def loudness(sound: Sound) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) if len(sound) else 0.0


def _alike(sound: Sound) -> float:
    """How alike another sound of this length has to be."""
    return ALIKE / float(np.sqrt(len(sound) / RATE_HZ))


def lag_ms(one: Sound, other: Sound) -> float | None:
    """How much later `other` hears the same, to a fraction of a sample."""
    if min(loudness(one), loudness(other)) < AUDIBLE:
        return None
    size = 1 << (len(one) + len(other) - 1).bit_length()
    spectrum = np.conj(np.fft.rfft(one, size)) * np.fft.rfft(other, size)
    match = np.fft.irfft(spectrum, size)
    most = int(LONGEST_LAG_MS * RATE_HZ / 1_000)
    lags = np.concatenate([match[-most:], match[: most + 1]])
    best = int(np.argmax(lags))
    likeness = lags[best] / (np.linalg.norm(one) * np.linalg.norm(other))
    if likeness < _alike(one):
        return None
    return (best - most + _summit(lags, best)) * 1_000 / RATE_HZ


def _summit(values: NDArray[np.float64], best: int) -> float:
    """Where a parabola through the highest value and its neighbours has its top, in samples."""
    if not 0 < best < len(values) - 1:
        return 0.0
    before, at, behind = values[best - 1 : best + 2]
    return float((before - behind) / 2 / (before - 2 * at + behind))


def middle_lag_ms(one: Sound, other: Sound) -> float | None:
    """The median of the lags of the parts, if most of them agree; else that of the whole."""
    count = max(1, round(len(one) / RATE_HZ / PART_S))
    parts = zip(np.array_split(one, count), np.array_split(other, count), strict=True)
    found = [lag for part in parts if (lag := lag_ms(*part)) is not None]
    if not found:
        return lag_ms(one, other)
    middle = float(np.median(found))
    agreed = sum(abs(lag - middle) < AGREED_MS for lag in found)
    return middle if agreed > count / 2 else lag_ms(one, other)


def windows(
    one: Sound, other: Sound, *, from_s: float, to_s: float, window_s: float, step_s: float
) -> list[Window]:
    """The lag in each window of a part of a recording; each is named by its middle."""
    starts = np.arange(from_s, to_s - window_s + 1e-9, step_s)
    found = []
    for at_s in starts:
        first, last = int(at_s * RATE_HZ), int((at_s + window_s) * RATE_HZ)
        found.append(
            Window(float(at_s + window_s / 2), middle_lag_ms(one[first:last], other[first:last]))
        )
    return found


def found_at(heard: Sound, piece: Sound) -> int:
    """The sample of a recording at which a piece begins that is heard in it once."""
    size = 1 << (len(heard) + len(piece) - 1).bit_length()
    match = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(piece, size)), size)
    at = int(np.argmax(match[: len(heard)]))
    part = heard[at : at + len(piece)]
    likeness = match[at] / (np.linalg.norm(part) * np.linalg.norm(piece[: len(part)]))
    assert likeness > _alike(piece), f"the piece is not in the recording ({likeness:.2f})"
    return at


def worst_of(lags: Sequence[float], share: float) -> float:
    """The distance that `share` of the lags do not exceed, ms."""
    ordered = sorted(abs(lag) for lag in lags)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def first_sound_s(sound: Sound, from_s: float) -> float | None:
    """When something is heard again; None if nothing is."""
    loud = _levels(sound[int(from_s * RATE_HZ) :]) > AUDIBLE
    return from_s + float(np.argmax(loud)) * BLOCK_S if loud.any() else None


def longest_hole_ms(sound: Sound, from_s: float, to_s: float) -> float:
    """The longest silence in a part of a recording of a piece that is never silent."""
    silent = _levels(sound[int(from_s * RATE_HZ) : int(to_s * RATE_HZ)]) < AUDIBLE
    edges = np.flatnonzero(np.diff(np.concatenate([[0], silent.astype(np.int8), [0]])))
    lengths = edges[1::2] - edges[::2]
    return float(lengths.max(initial=0)) * BLOCK_S * 1_000


def glitches_s(tone: Sound) -> list[float]:
    """Instants at which the steady tone of `TONE_HZ` was torn or missing, one a block at most."""
    turn = 2 * np.cos(2 * np.pi * TONE_HZ / RATE_HZ)
    height = float(np.abs(tone).max(initial=0.0))
    told = np.pad(tone[2:] - turn * tone[1:-1] + tone[:-2], (2, 0))
    torn = np.abs(told) > IMPURE * height
    size = int(BLOCK_S * RATE_HZ)
    bad = torn[: len(torn) // size * size].reshape(-1, size).any(axis=1)
    silent = _levels(tone)[: len(bad)] < max(AUDIBLE, height / 4)
    return [float(block) * BLOCK_S for block in np.flatnonzero(bad[: len(silent)] | silent)]


def _levels(sound: Sound) -> NDArray[np.float64]:
    """Root of the mean square of each block."""
    size = int(BLOCK_S * RATE_HZ)
    blocks = sound[: len(sound) // size * size].reshape(-1, size)
    return np.asarray(np.sqrt(np.mean(np.square(blocks, dtype=np.float64), axis=1)))
