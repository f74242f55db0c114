"""The event loop: uvloop, stop signals, and the garbage collector's place in it."""

import asyncio
import ctypes
import gc
import os
import resource
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import uvloop

T = TypeVar("T")
PR_SET_PDEATHSIG: Final = 1
DESCRIPTORS_SPARED: Final = 128
"""What the server keeps for itself of the files that it may open; a quarter of few."""
TEND_EVERY_S: Final = 1.0
TEND_AT_LATEST_S: Final = 5.0
"""After the last time, however busy the loop is: what came since would only take longer."""
QUIET_LAG_S: Final = 0.003
"""A loop that wakes no later than this after it was due has nothing urgent to do."""
THRESHOLDS: Final = (1_000, 2, 1_000_000)
"""gc.set_threshold. Looking at an object takes about 1 µs: at the young, 1 ms; at these and the
middle-aged, 3 ms; at all, only when we say so."""
RUSH_COLLECTIONS: Final = 4
"""If the middle-aged were looked at more often, some 20,000 came since: too many to look at as a
whole."""
SPELL_S: Final = 60.0
"""Quiet for so long without a break, the loop can stand still for a full look at everything."""
THAW_EVERY_S: Final = 600.0


def run(main: Coroutine[Any, Any, T], *, debug: bool | None = None) -> T:
    """Run `main` to its end on a fresh uvloop and close the loop."""
    with asyncio.Runner(debug=debug, loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def on_stop_signals(stop: Callable[[signal.Signals], None]) -> None:
    """Call `stop` for each SIGTERM and SIGINT; call it from the main thread, inside the loop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)


def raise_descriptor_limit() -> None:
    """Let this process open as many files and sockets as its hard limit allows.

    A shell's soft limit is often 1,024: as many sockets, and nobody else could come in.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def spare_descriptor() -> int:
    """The lowest descriptor that nobody from outside is to have.

    The system gives out the lowest that is free: a connection that gets one above is among the
    last that fit. What the server itself opens, its database's connections and files above all,
    goes on in what is left.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft - min(DESCRIPTORS_SPARED, soft // 4)


def end_with(parent: int) -> None:
    """Have this process get SIGTERM when the one that started it ends, however that ends.

    Does nothing where the system is not Linux. Exits with 1 if `parent` is not, or no longer, the
    process that started this one.
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is None:
        return
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("unisono: --parent is not the process that started this one, or has ended")


def freeze_garbage() -> None:
    """Collect once and keep what is left out of later collections.

    Looking at 3,000 connections stops the loop for 85-111 ms: call it while few are not frozen, or
    when nobody minds.
    """
    gc.collect()
    gc.freeze()


async def tend_garbage() -> None:
    """Collect and freeze in quiet moments, for as long as the loop runs.

    What lives long is thus not looked at again and again. What comes in a rush, thousands of
    connections a second, is looked at a little at a time and frozen each second: never as a whole,
    which would stop everybody. What dies frozen goes without a collector unless it holds itself,
    which no WebSocket does; the rest goes in a long quiet spell.
    """
    gc.set_threshold(*THRESHOLDS)
    freeze_garbage()
    loop = asyncio.get_running_loop()
    tended_s = stirred_s = thawed_s = loop.time()
    looks = _looks_at_middle_aged()
    while True:
        due_s = loop.time() + TEND_EVERY_S
        await asyncio.sleep(TEND_EVERY_S)
        now_s = loop.time()
        is_quiet = now_s - due_s < QUIET_LAG_S
        is_rush = _looks_at_middle_aged() - looks > RUSH_COLLECTIONS
        if is_rush or not is_quiet:
            stirred_s = now_s
        if is_rush:
            gc.collect(1)
            gc.freeze()
        elif now_s - stirred_s > SPELL_S and now_s - thawed_s > THAW_EVERY_S:
            gc.unfreeze()
            freeze_garbage()
            thawed_s = now_s
        elif is_quiet or now_s - tended_s > TEND_AT_LATEST_S:
            freeze_garbage()
        else:
            continue
        tended_s, looks = now_s, _looks_at_middle_aged()


def _looks_at_middle_aged() -> int:
    """How often so far; each of them follows 3,000 new objects at the least."""
    return int(gc.get_stats()[1]["collections"])
