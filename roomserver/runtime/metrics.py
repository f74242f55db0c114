"""Metrics in Prometheus' format: how they are made, and those of the process itself.

Each part has a module `metrics.py` with its own. What counts or measures is updated where it
happens; what is only asked now and then (how many sockets, how many rooms) is set by `Gauges` when
somebody looks. Labels have few values, all known beforehand: never an id, a name or an address.

    LOOP_LAG, GC_PAUSE      kept by `Watch`, while the server runs
    rendered()              all of it as text
"""

import asyncio
import gc
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from roomserver.runtime.clock import monotonic_ns

# When each series began is a third of the lines, and nobody asks.
disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY: Final = CollectorRegistry()
MEDIA_TYPE: Final = "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"
SECONDS: Final = (0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
BYTES: Final = (256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576)
COUNT: Final = (1, 2, 4, 8, 16, 32, 64, 128)
LOOK_EVERY_S: Final = 0.1
PAUSES_KEPT: Final = 1_000
GENERATIONS: Final = ("0", "1", "2")

Refresh = Callable[[], None]


def counter(name: str, meaning: str, labels: Sequence[str] = ()) -> Counter:
    """Something that happens; the name as shown ends in `_total`."""
    return Counter(f"unisono_{name}", meaning, labels, registry=REGISTRY)


def gauge(name: str, meaning: str, labels: Sequence[str] = ()) -> Gauge:
    """How much there is of something now."""
    return Gauge(f"unisono_{name}", meaning, labels, registry=REGISTRY)


def histogram(
    name: str, meaning: str, buckets: Sequence[float], labels: Sequence[str] = ()
) -> Histogram:
    """How large or how long things are."""
    return Histogram(f"unisono_{name}", meaning, labels, registry=REGISTRY, buckets=buckets)


LOOP_LAG: Final = histogram(
    "loop_lag_seconds", "How late the event loop wakes who wanted to be woken", SECONDS
)
GC_PAUSE: Final = histogram(
    "gc_pause_seconds", "How long the garbage collector stopped everything", SECONDS, ["generation"]
)
TASKS: Final = gauge("tasks", "Tasks of the event loop")


def since_s(begun_ns: int) -> float:
    """Seconds since a monotonic reading."""
    return (monotonic_ns() - begun_ns) / 1e9


async def rendered(refresh: Sequence[Refresh]) -> bytes:
    """Everything, as Prometheus reads it; `refresh` bring the gauges up to date first."""
    for bring_up_to_date in refresh:
        bring_up_to_date()
    # Some milliseconds of pure formatting, in which the loop has better things to do.
    return await asyncio.to_thread(generate_latest, REGISTRY)


class Watch:
    """Measures the loop and the collector for as long as `run` goes on."""

    def __init__(self) -> None:
        self._begun_ns = 0
        self._pauses: deque[tuple[int, int]] = deque(maxlen=PAUSES_KEPT)

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        gc.callbacks.append(self._collected)
        try:
            while True:
                due_s = loop.time() + LOOK_EVERY_S
                await asyncio.sleep(LOOK_EVERY_S)
                LOOP_LAG.observe(max(0.0, loop.time() - due_s))
                TASKS.set(len(asyncio.all_tasks(loop)))
                self._tell()
        finally:
            gc.callbacks.remove(self._collected)

    def _collected(self, phase: str, info: dict[str, int]) -> None:
        # May be called in the middle of anything, also of a metric that holds its lock: so the
        # pauses are only noted here.
        now_ns = monotonic_ns()
        if phase == "start":
            self._begun_ns = now_ns
        else:
            self._pauses.append((info["generation"], now_ns - self._begun_ns))

    def _tell(self) -> None:
        with suppress(IndexError):
            while True:
                generation, pause_ns = self._pauses.popleft()
                GC_PAUSE.labels(GENERATIONS[generation]).observe(pause_ns / 1e9)
