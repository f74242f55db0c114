"""Soft drums: each function makes one hit, mono, as float32 at 48 kHz."""

import numpy as np

from httpapi.demo.instruments import Audio, edges, seconds


def kick() -> Audio:
    """A felt beater: a sine falling from 120 to 46 Hz."""
    t = seconds(0.4)
    turns = np.cumsum(46 + 74 * np.exp(-t / 0.035)) / 48_000
    return edges(0.9 * np.sin(2 * np.pi * turns) * np.exp(-t / 0.14), 0.004, 0.15)


def brush(rng: np.random.Generator) -> Audio:
    """A snare played with a brush: dull noise over a hint of the drum's own note."""
    t = seconds(0.3)
    noise = _smooth(rng.standard_normal(len(t)), 5) - _smooth(rng.standard_normal(len(t)), 60)
    drum = 0.35 * np.sin(2 * np.pi * 185 * t) * np.exp(-t / 0.06)
    return edges(0.5 * noise * np.exp(-t / 0.07) + drum, 0.006, 0.15)


def shaker(rng: np.random.Generator, length_s: float = 0.09) -> Audio:
    """A closed hat or shaker: bright noise, short."""
    t = seconds(length_s)
    noise = rng.standard_normal(len(t))
    bright = _smooth(noise - _smooth(noise, 6), 3)
    return edges(0.45 * bright * np.exp(-t / (length_s / 4)), 0.004, length_s / 2)


def _smooth(noise: np.ndarray, width: int) -> np.ndarray:
    return np.convolve(noise, np.ones(width) / width, mode="same")
