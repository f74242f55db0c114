"""Instruments: each function plays one note, mono, as float32 at 48 kHz, about full scale.

All start and end at zero, so that no note clicks; `length_s` is how long the key is held.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocol.base import SAMPLE_RATE_HZ

Audio = NDArray[np.float32]
TABLE_SIZE: Final = 16_384


def seconds(length_s: float) -> NDArray[np.float64]:
    """The instants of so many seconds of samples."""
    return np.arange(round(length_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def edges(audio: NDArray[np.floating], attack_s: float, release_s: float) -> Audio:
    """Fade in and out along half a cosine."""
    for at_start, length_s in ((True, attack_s), (False, release_s)):
        count = min(round(length_s * SAMPLE_RATE_HZ), len(audio))
        ramp = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, count))
        if at_start:
            audio[:count] *= ramp
        else:
            audio[len(audio) - count :] *= ramp[::-1]
    return audio.astype(np.float32, copy=False)


def _struck(
    hz: float, length_s: float, partials: tuple[tuple[float, float, float], ...], attack_s: float
) -> Audio:
    """A struck or plucked body: (ratio, level, decay in seconds) of each partial."""
    t = seconds(length_s)
    slow = t.astype(np.float32)
    sound = np.zeros(len(t))
    for ratio, level, decay_s in partials:
        if hz * ratio < SAMPLE_RATE_HZ / 3:
            sound += (
                level * np.sin(2 * np.pi * hz * ratio * t) * np.exp(slow / np.float32(-decay_s))
            )
    return edges(sound, attack_s, min(0.25, length_s / 2))


@cache
def harp(hz: float, length_s: float) -> Audio:
    """A soft plucked string: high partials die first, low notes ring longer."""
    ring_s = 1.5 * (220 / hz) ** 0.4
    partials = tuple((n * (1 + 0.0002 * n * n), 0.5 / n**1.5, ring_s / n**0.8) for n in range(1, 9))
    return _struck(hz, length_s, partials, 0.006)


@cache
def kalimba(hz: float, length_s: float) -> Audio:
    """A tine over wood: nearly a sine, with a short knock of inharmonic overtones."""
    partials = ((1, 0.6, 0.9), (2, 0.10, 0.5), (2.76, 0.08, 0.16), (5.4, 0.05, 0.07))
    return _struck(hz, length_s, partials, 0.004)


@cache
def bell(hz: float, length_s: float) -> Audio:
    """A small glass bell with a long tail; two close partials make it shimmer."""
    partials = (
        *((1, 0.30, 2.0), (1.003, 0.22, 1.8), (2.0, 0.14, 1.1)),
        *((3.01, 0.09, 0.7), (4.17, 0.05, 0.4), (5.43, 0.025, 0.25)),
    )
    return _struck(hz, length_s, partials, 0.005)


@cache
def glass(hz: float, length_s: float, brightness: float) -> Audio:
    """A short synthetic pluck; `brightness` from 0 (round) to 1 (glassy)."""
    slope = 2.6 - 1.3 * brightness
    partials = tuple((float(n), 0.55 / n**slope, 0.42 / n**0.5) for n in range(1, 10))
    return _struck(hz, length_s, partials, 0.004)


@cache
def electric_piano(hz: float, length_s: float) -> Audio:
    """Two operators of frequency modulation: a warm body and a bell-like tine at the start."""
    t = seconds(length_s)
    turn = 2 * np.pi * hz * t
    depth = 1.5 * np.exp(-t / 0.5) + 0.35
    body = np.sin(turn + depth * np.sin(turn)) * np.exp(-t / 1.9)
    tine = 0.10 * np.sin(14 * turn) * np.exp(-t / 0.09) if hz * 14 < 9_000 else 0.0
    tremolo = 1 - 0.12 * (0.5 - 0.5 * np.cos(2 * np.pi * 4.6 * t))
    return edges(0.55 * (body + tine) * tremolo, 0.005, min(0.18, length_s / 2))


@cache
def bass(hz: float, length_s: float) -> Audio:
    """A round bass: a sine with a little of its octave, so that small speakers show it."""
    t = seconds(length_s)
    turn = 2 * np.pi * hz * t
    sound = np.tanh(1.3 * np.sin(turn) + 0.25 * np.sin(2 * turn)) * np.exp(-t / 1.6)
    return edges(0.7 * sound, 0.012, min(0.12, length_s / 2))


@cache
def _pad_table() -> NDArray[np.float32]:
    turn = np.arange(TABLE_SIZE) * 2 * np.pi / TABLE_SIZE
    table = sum(np.sin(n * turn + 1.7 * n * n) / n**1.9 for n in range(1, 13))
    return np.asarray(table, dtype=np.float32)


def pad(hz: float, length_s: float, rng: np.random.Generator, *, attack_s: float = 2.0) -> Audio:
    """One voice of a string-like pad, slightly out of tune and slowly wavering.

    Play several with different chance for a wide sound.
    """
    count = round(length_s * SAMPLE_RATE_HZ)
    step = hz * 2 ** (rng.uniform(-7, 7) / 1_200) * TABLE_SIZE / SAMPLE_RATE_HZ
    # Single precision is enough for what moves slowly.
    sway_turns = np.arange(count, dtype=np.float32) * np.float32(
        2 * np.pi * rng.uniform(0.08, 0.2) / SAMPLE_RATE_HZ
    )
    sway = np.sin(sway_turns + np.float32(rng.uniform(0, 6)))
    place = np.arange(count) * step + rng.uniform(0, TABLE_SIZE)
    place += 0.09 * TABLE_SIZE * sway
    sound = _pad_table()[place.astype(np.int32) & (TABLE_SIZE - 1)]
    sound *= 0.5 + np.float32(0.045) * sway
    return edges(sound, attack_s, attack_s)
