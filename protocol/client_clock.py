"""What a client knows of cluster time: four timestamps a probe, no clock and no I/O of its own.

A probe leaves at t0 and its answer arrives at t3 by the client's clock; the server takes it at t1
and answers at t2, in cluster time. Neither way can be faster than its wire, so the smallest of
t1 - t0 and the smallest of t3 - t2 are each taken alone, over the last minute: the luckiest
packet there and the luckiest packet back need not be the same probe. The error that remains is
half the difference of the two ways. `httpapi/web/clock.js` is the twin of this module;
`tests/protocol/clock_vectors.json` holds both to the same answers.
"""

from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Final, NamedTuple

WINDOW_MS: Final = 60_000
"""How long a probe counts."""
BUCKET_MS: Final = 5_000
"""The drift is found from the best of each so many ms ..."""
HISTORY_MS: Final = 300_000
"""... over so long."""
STEEPEST_DRIFT: Final = 1e-3
"""No clock is believed to drift more: 1,000 ppm."""
USUAL_DRIFT: Final = 1e-4
"""What is expected before anything was measured: 100 ppm, one standard deviation."""
ROUNDS: Final = 30
"""Thirds that the search for the drift cuts: 2,000 ppm to 0.01 ppm."""
COARSE_MS: Final = 1.0
FINE_MS: Final = 0.1
"""Clocks of browsers tell whole ms or tenths."""
CLOSE_MS: Final = 2_500
"""After a longer pause without probes nothing tells a jump from a drift."""

PROBE_FAST_MS: Final = 250
PROBE_FAST_FOR_MS: Final = 6_000
PROBE_SLOW_MS: Final = 1_000


def next_probe_ms(since_join_ms: float) -> float:
    """How long to wait for the next probe: often for 6 s after joining, then once a second."""
    return PROBE_FAST_MS if since_join_ms < PROBE_FAST_FOR_MS else PROBE_SLOW_MS


class _Way(NamedTuple):
    """One way of a probe: when, by the client's clock, and how long it seemed to take."""

    at_ms: float
    apparent_ms: float


def _highest(height_ms: Callable[[float], float]) -> float:
    """The drift at which a concave function of it is highest, by thirds."""
    low, high = -STEEPEST_DRIFT, STEEPEST_DRIFT
    for _ in range(ROUNDS):
        third = (high - low) / 3
        left_ms, right_ms = height_ms(low + third), height_ms(high - third)
        # On a plateau both ends come closer, so that its middle is found.
        low += third * (left_ms <= right_ms)
        high -= third * (left_ms >= right_ms)
    return (low + high) / 2


class _Bucket:
    """The best of some seconds, each way."""

    __slots__ = ("back", "count", "number", "there")

    def __init__(self, number: int, there: _Way, back: _Way) -> None:
        self.number = number
        self.there = there
        self.back = back
        self.count = 1

    def add(self, there: _Way, back: _Way) -> None:
        self.count += 1
        if there.apparent_ms < self.there.apparent_ms:
            self.there = there
        if back.apparent_ms < self.back.apparent_ms:
            self.back = back


class ClientClock:
    """Cluster time from the client's own monotonic clock. Both in ms."""

    def __init__(self) -> None:
        self._probes: deque[tuple[_Way, _Way]] = deque()
        self._buckets: deque[_Bucket] = deque()
        self._drift = 0.0
        self._found_drift = 0.0
        """From buckets; what was believed in a hurry is left out."""
        self._grain_ms = COARSE_MS
        self._at_ms = 0.0
        self._offset_ms: float | None = None

    @property
    def drift(self) -> float:
        """How much faster than the client's clock cluster time goes: 1e-6 is one ppm."""
        return self._drift

    @property
    def rtt_ms(self) -> float | None:
        """The best way there and the best way back together; None before the first probe."""
        return max(0.0, self._height_ms(self._drift)) if self._probes else None

    def begin(self, cluster_ms: float, local_ms: float) -> None:
        """A first guess (`welcome.now_ms`); the first probe replaces it."""
        if not self._probes:
            self._at_ms, self._offset_ms = local_ms, cluster_ms - local_ms

    def add(self, t0_ms: float, t1_ms: float, t2_ms: float, t3_ms: float) -> None:
        """Take in a probe: t0 and t3 by the client's clock, t1 and t2 in cluster time."""
        there, back = _Way(t0_ms, t1_ms - t0_ms), _Way(t3_ms, t3_ms - t2_ms)
        if t0_ms % 1 or t3_ms % 1:
            self._grain_ms = FINE_MS
        pause_ms = t3_ms - self._at_ms
        self._remember(there, back)
        # An answer before its question: the clocks drift by more than is known yet, or one of them
        # jumped (the machine slept).
        if self._height_ms(self._drift) < -self._grain_ms and not self._drifts_more(pause_ms):
            self._probes.clear()
            self._buckets.clear()
            self._drift = self._found_drift
            self._remember(there, back)
        there_ms, back_ms = self._envelope(self._drift)
        self._offset_ms = (there_ms - back_ms) / 2

    def now_ms(self, local_ms: float) -> float:
        """Cluster time at an instant of the client's clock. Moves a little with each probe.

        Raises ValueError before the first guess.
        """
        if self._offset_ms is None:
            raise ValueError("No probe was answered yet.")
        return local_ms + self._offset_ms + self._drift * (local_ms - self._at_ms)

    def _remember(self, there: _Way, back: _Way) -> None:
        self._at_ms = back.at_ms
        self._probes.append((there, back))
        while self._probes[0][1].at_ms < back.at_ms - WINDOW_MS:
            self._probes.popleft()
        number = int(there.at_ms // BUCKET_MS)
        if self._buckets and self._buckets[-1].number == number:
            self._buckets[-1].add(there, back)
            return
        if len(self._buckets) > 1:
            self._find_drift()
        self._buckets.append(_Bucket(number, there, back))
        while self._buckets[0].there.at_ms < there.at_ms - HISTORY_MS:
            self._buckets.popleft()

    def _envelope(self, drift: float) -> tuple[float, float]:
        """The least apparent time of each way, as if all probes were made at `_at_ms`."""
        now_ms = self._at_ms
        return (
            min(w.apparent_ms - drift * (w.at_ms - now_ms) for w, _ in self._probes),
            min(w.apparent_ms + drift * (w.at_ms - now_ms) for _, w in self._probes),
        )

    def _height_ms(self, drift: float) -> float:
        """The round trip, if that were the drift: below 0 it is not."""
        return sum(self._envelope(drift))

    def _drifts_more(self, pause_ms: float) -> bool:
        """Whether a drift makes a wire of the probes again, and not only just; it is believed then
        as far as they allow. `pause_ms` lies before the last of them."""
        if pause_ms > CLOSE_MS:
            return False
        drift = _highest(self._height_ms)
        single_ms = min(there.apparent_ms + back.apparent_ms for there, back in self._probes)
        if self._height_ms(drift) + self._grain_ms < single_ms / 2:
            return False
        span_ms = self._at_ms - self._probes[0][1].at_ms
        self._drift = self._trusted(drift, len(self._probes), span_ms)
        return True

    def _find_drift(self) -> None:
        """Lay two parallel lines under the points of either way, as high as they go.

        The sum of their heights is concave in the slope, so thirds find its maximum.
        """
        first, last = self._buckets[0].there.at_ms, self._buckets[-1].there.at_ms
        middle = (first + last) / 2

        def height_ms(slope: float) -> float:
            there = min(
                b.there.apparent_ms - slope * (b.there.at_ms - middle) for b in self._buckets
            )
            back = min(b.back.apparent_ms + slope * (b.back.at_ms - middle) for b in self._buckets)
            return there + back

        count = sum(bucket.count for bucket in self._buckets)
        self._drift = self._trusted(_highest(height_ms), count, last - first)
        self._found_drift = self._drift

    def _trusted(self, drift: float, count: int, span_ms: float) -> float:
        """A drift as far as the scatter, the number and the span of the probes allow."""
        if span_ms <= 0:
            return 0.0
        # The best of n even chances lies about 1/n of their range above the floor.
        doubt = (16 * self._scatter_ms(drift) / count + self._grain_ms) / span_ms
        return drift * USUAL_DRIFT**2 / (USUAL_DRIFT**2 + doubt**2)

    def _scatter_ms(self, drift: float) -> float:
        """How far the middle probe lies above the floor, each way."""
        floor_ms = self._height_ms(drift)
        return (
            median(
                there.apparent_ms + back.apparent_ms + drift * (back.at_ms - there.at_ms) - floor_ms
                for there, back in self._probes
            )
            / 2
        )
