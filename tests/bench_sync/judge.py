"""From a recording to figures, held against their bars."""

from collections.abc import Sequence
from statistics import median

import numpy as np
from msgspec import Struct

from tests.web.hearing import (
    AUDIBLE,
    RATE_HZ,
    Window,
    first_sound_s,
    glitches_s,
    longest_hole_ms,
    loudness,
    middle_lag_ms,
    worst_of,
)
from tests.web.recording import Heard

WINDOW_S = 2.0
SHORT_S = 0.5
"""A window that tells when something has settled."""
SETTLED_S = 1.5
"""After so long it has to be in tune."""
WATCHED_S = 2.5
"""For so long it is looked at then."""
TORN_AT_MOST = 0.05
"""A larger share of windows in which the tone was torn, and the whole run says nothing."""


class Row(Struct, frozen=True):
    """One figure, what it may be, and whether it is; None: it is only told."""

    what: str
    figure: str
    bar: str
    held: bool | None


class Trace(Struct, frozen=True):
    """Skew over time, for drawing: seconds from the beginning and ms."""

    label: str
    points: list[tuple[float, float]]


class Outcome(Struct):
    """What one case showed."""

    rows: list[Row]
    traces: list[Trace]
    windows: int = 0
    torn: int = 0
    is_whole: bool = True
    """False: the case broke off."""


class Judge:
    """One recording. Windows in which the tone was torn are left out and counted."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._torn_s = np.array(glitches_s(heard.tone) if heard.tone is not None else [])
        self.windows = 0
        self.torn = 0

    @property
    def length_s(self) -> float:
        return len(self._heard.listeners[0]) / RATE_HZ

    def skew(self, from_s: float, to_s: float, window_s: float = WINDOW_S) -> list[Window]:
        """How far apart the listeners are, window by window: signed for two, else the widest."""
        found = []
        for at_s in np.arange(from_s, min(to_s, self.length_s) - window_s + 1e-9, window_s):
            self.windows += 1
            if np.any((self._torn_s >= at_s - 0.01) & (self._torn_s < at_s + window_s)):
                self.torn += 1
                continue
            part = slice(int(at_s * RATE_HZ), int((at_s + window_s) * RATE_HZ))
            first, *others = (sound[part] for sound in self._heard.listeners)
            if max(loudness(sound) for sound in (first, *others)) < AUDIBLE:
                continue  # a rest in the music
            found.append(Window(float(at_s + window_s / 2), _apart(first, others)))
        return found

    def heard_s(self, listener: int, from_s: float) -> float | None:
        """When a listener hears something, from an instant on."""
        return first_sound_s(self._heard.listeners[listener], from_s)

    def together_s(self, from_s: float, to_s: float) -> float | None:
        """From when on all hear the same piece, within the longest lag that is looked for."""
        same = self.skew(from_s, to_s, SHORT_S)
        return next((window.at_s for window in same if window.lag_ms is not None), None)

    def hole_ms(self, from_s: float, to_s: float) -> float:
        """The longest silence that anybody heard."""
        return max(longest_hole_ms(sound, from_s, to_s) for sound in self._heard.listeners)

    def after(self, instants_s: Sequence[float | None]) -> list[list[Window]]:
        """What is heard from `SETTLED_S` after each instant on; none after None."""
        spans = [None if at_s is None else at_s + SETTLED_S for at_s in instants_s]
        return [
            [] if at_s is None else self.skew(at_s, at_s + WATCHED_S, SHORT_S) for at_s in spans
        ]


def _apart(first: np.ndarray, others: list[np.ndarray]) -> float | None:
    lags = [middle_lag_ms(first, other) for other in others]
    known = [lag for lag in lags if lag is not None]
    if len(known) < len(lags):
        return None
    return known[0] if len(known) == 1 else max(0.0, *known) - min(0.0, *known)


def _known(windows: Sequence[Window]) -> list[float] | None:
    """The lags; None if there are none, or somebody heard something else."""
    lags = [window.lag_ms for window in windows if window.lag_ms is not None]
    return lags if lags and len(lags) == len(windows) else None


def _unknown(what: str, windows: Sequence[Window], bar: str) -> Row:
    count = sum(window.lag_ms is None for window in windows)
    figure = f"not the same music in {count} of {len(windows)} windows"
    return Row(what, figure, bar, False if bar else None)


def steady(
    what: str, windows: Sequence[Window], *, median_ms: float | None = None, p95_ms: float | None
) -> Row:
    """Median and 95th percentile; without a bar they are only told."""
    told = [f"median ≤ {median_ms} ms"] if median_ms is not None else []
    bar = ", ".join([*told, f"p95 ≤ {p95_ms} ms"]) if p95_ms is not None else ""
    lags = _known(windows)
    if lags is None:
        return _unknown(what, windows, bar)
    middle, worst = median(abs(lag) for lag in lags), worst_of(lags, 0.95)
    held = p95_ms is None or (worst <= p95_ms and (median_ms is None or middle <= median_ms))
    figure = f"median {middle:.2f} ms, p95 {worst:.2f} ms, {len(lags)} windows"
    return Row(what, figure, bar, held if bar else None)


def biased(what: str, windows: Sequence[Window], *, p95_ms: float) -> Row:
    """The lasting part of the skew is told; what is left around it has a bar."""
    bar = f"p95 ≤ {p95_ms} ms around it"
    lags = _known(windows)
    if lags is None:
        return _unknown(what, windows, bar)
    middle = median(lags)
    worst = worst_of([lag - middle for lag in lags], 0.95)
    return Row(what, f"{middle:+.2f} ms, p95 {worst:.2f} ms around it", bar, worst <= p95_ms)


def settled(what: str, rounds: Sequence[Sequence[Window]], *, most_ms: float) -> Row:
    """The worst window of each round, from 1.5 s on."""
    bar = f"≤ {most_ms} ms, {SETTLED_S} s on"
    flat = [window for windows in rounds for window in windows]
    lags = _known(flat)
    if lags is None or not all(rounds):
        return _unknown(what, flat, bar)
    worst = [max(abs(window.lag_ms or 0.0) for window in windows) for windows in rounds]
    figure = f"worst {max(worst):.2f} ms, median {median(worst):.2f} ms, {len(rounds)} times"
    return Row(what, figure, bar, max(worst) <= most_ms)


def unbroken(what: str, hole_ms: float, *, most_ms: float) -> Row:
    """The longest hole in the sound of a piece that is never silent."""
    return Row(what, f"{hole_ms:.0f} ms", f"≤ {most_ms:.0f} ms", hole_ms <= most_ms)


def trace(label: str, windows: Sequence[Window]) -> Trace:
    """What can be drawn of them."""
    return Trace(label, [(w.at_s, w.lag_ms) for w in windows if w.lag_ms is not None])
