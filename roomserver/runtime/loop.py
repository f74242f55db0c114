"""The event loop: uvloop, stop signals, and the garbage collector's place in it."""

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import uvloop

T = TypeVar("T")
TEND_EVERY_S: Final = 1.0
TEND_AT_LATEST_S: Final = 15.0
QUIET_LAG_S: Final = 0.003
"""A loop that wakes no later than this after it was due has nothing urgent to do."""
YOUNG_OBJECTS: Final = (50_000, 20, 100)
"""gc.set_threshold: 50,000 new containers before a collection of the young."""


def run(main: Coroutine[Any, Any, T], *, debug: bool | None = None) -> T:
    """Run `main` to its end on a fresh uvloop and close the loop."""
    with asyncio.Runner(debug=debug, loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def on_stop_signals(stop: Callable[[signal.Signals], None]) -> None:
    """Call `stop` for each SIGTERM and SIGINT; call it from the main thread, inside the loop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)


def freeze_garbage() -> None:
    """Collect once and keep what is left out of later collections.

    A full collection stops the loop for 85-111 ms at 3,000 connections: call it after start, and
    on quiet ticks.
    """
    gc.collect()
    gc.freeze()


async def tend_garbage() -> None:
    """Collect and freeze in quiet moments, for as long as the loop runs.

    What lives long is thus never looked at again, and the collector, with its thresholds raised,
    seldom stops the loop in between. In a busy hour it is done after `TEND_AT_LATEST_S` anyway.
    """
    gc.set_threshold(*YOUNG_OBJECTS)
    freeze_garbage()
    loop = asyncio.get_running_loop()
    tended_s = loop.time()
    while True:
        due_s = loop.time() + TEND_EVERY_S
        await asyncio.sleep(TEND_EVERY_S)
        now_s = loop.time()
        if now_s - due_s < QUIET_LAG_S or now_s - tended_s > TEND_AT_LATEST_S:
            freeze_garbage()
            tended_s = now_s
