"""Time: the only module that reads a clock.

Two kinds of time exist. *Monotonic* nanoseconds of this machine measure durations. *Cluster*
milliseconds name instants that all nodes and clients agree on: the database's clock, as each node
estimates it. Every ``*_at_ms`` of the protocol is cluster time, a float64, so that a boundary at
48 kHz keeps its place to about 1/80 of a sample.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

SLEW_PPM: Final = 200
"""How fast a clock that was read may bend towards the database's: 0.2 ms a second."""
READING_KEPT_MS: Final = 60_000
READINGS_KEPT: Final = 64
DRIFT_ALLOWED_PPM: Final = 100
"""What two ordinary oscillators may drift apart: an old reading is trusted that much less."""
JUMP_MS: Final = 500
"""A larger ``drift_ms`` means that the database's clock was stepped (see ``drift_ms``)."""

_NS_PER_MS: Final = 1_000_000


def monotonic_ns() -> int:
    """Nanoseconds since an arbitrary instant; never goes back. (uvloop's `time()` steps 1 ms.)"""
    return time.monotonic_ns()


def wall_ms() -> float:
    """Milliseconds since 1970 by this machine's clock, which may be wrong: tokens, log lines."""
    return time.time_ns() / _NS_PER_MS


class _Reading(NamedTuple):
    received_ns: int
    rtt_ms: float
    offset_ms: float


class ClusterClock:
    """This node's estimate of cluster time.

    It runs on the monotonic clock plus an offset learnt from `observe`. Until somebody has read it,
    each better reading sets it; afterwards it is slewed by at most 200 ppm and never stepped, so
    what was scheduled stays in order and `now_ms` never goes back.
    """

    __slots__ = ("_base_ns", "_monotonic_ns", "_offset_ms", "_read", "_readings", "_target_ms")

    def __init__(self, monotonic: Callable[[], int] = monotonic_ns) -> None:
        self._monotonic_ns = monotonic
        self._readings: deque[_Reading] = deque(maxlen=READINGS_KEPT)
        self._base_ns = 0
        self._offset_ms = 0.0
        self._target_ms = 0.0
        self._read = False

    @property
    def is_set(self) -> bool:
        """Whether cluster time is known, that is, whether `observe` was called."""
        return bool(self._readings)

    @property
    def drift_ms(self) -> float:
        """How far the best reading lies ahead of what `now_ms` tells; the slew closes it.

        Beyond ±`JUMP_MS` the database's clock was stepped. Correcting that is the task of whoever
        owns the row `cluster_clock.step_ms`; this clock only ever slews.
        """
        return self._target_ms - self._offset_at(self._monotonic_ns())

    def observe(self, sent_ns: int, database_ms: float, received_ns: int) -> None:
        """Take one reading of the database's clock.

        `sent_ns`, `received_ns`: monotonic readings around the question. `database_ms`: the answer
        in ms since 1970, with the cluster's step added. Raises ValueError if `received_ns` is
        before `sent_ns`.
        """
        if received_ns < sent_ns:
            raise ValueError("a reading was received before it was sent")
        rtt_ms = (received_ns - sent_ns) / _NS_PER_MS
        middle_ns = sent_ns + (received_ns - sent_ns) // 2
        first = not self._readings
        self._readings.append(_Reading(received_ns, rtt_ms, database_ms - middle_ns / _NS_PER_MS))
        target_ms = self._best(received_ns)
        self._offset_ms = self._offset_at(received_ns) if self._read and not first else target_ms
        self._base_ns = received_ns
        self._target_ms = target_ms

    def now_ms(self) -> float:
        """Cluster time in ms. Raises RuntimeError before the first `observe`."""
        return self.at_ms(self._monotonic_ns())

    def at_ms(self, at_ns: int) -> float:
        """The cluster time of a monotonic reading. Raises RuntimeError before `observe`."""
        if not self._readings:
            raise RuntimeError(
                "cluster time is not known yet: observe() the database's clock first"
            )
        self._read = True
        return at_ns / _NS_PER_MS + self._offset_at(at_ns)

    def delay_s(self, at_ms: float) -> float:
        """Seconds from now until a cluster instant, at least 0: what `loop.call_later` wants."""
        return max(0.0, at_ms - self.now_ms()) / 1000

    def _offset_at(self, at_ns: int) -> float:
        bend_ms = max(0, at_ns - self._base_ns) / _NS_PER_MS * SLEW_PPM / 1e6
        gap_ms = self._target_ms - self._offset_ms
        return self._offset_ms + max(-bend_ms, min(bend_ms, gap_ms))

    def _best(self, now_ns: int) -> float:
        """The offset with the least possible error: half its round trip plus its age's drift."""

        def error_ms(reading: _Reading) -> float:
            age_ms = (now_ns - reading.received_ns) / _NS_PER_MS
            return reading.rtt_ms / 2 + age_ms * DRIFT_ALLOWED_PPM / 1e6

        oldest_ns = now_ns - READING_KEPT_MS * _NS_PER_MS
        return min(
            (r for r in self._readings if r.received_ns >= oldest_ns), key=error_ms
        ).offset_ms
