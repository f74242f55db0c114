"""Notices that the event loop stands still, and says where: nobody is served meanwhile."""

import asyncio
import logging
import sys
import threading
import traceback
from types import FrameType
from typing import Final

from roomserver.runtime.clock import monotonic_ns

LOOK_EVERY_S: Final = 0.25
STANDS_AFTER_MS: Final = 1_000

_log: Final = logging.getLogger(__name__)


class Watchdog:
    """A thread that looks at the loop while `run` goes on in it.

    The line with the stack comes while the loop still stands; the one that says for how long comes
    when it goes on. A process that was stopped as a whole (a debugger, a suspended machine) may
    show any stack, or none.
    """

    def __init__(self, *, stands_after_ms: float = STANDS_AFTER_MS) -> None:
        self._stands_after_ms = stands_after_ms
        self._turned_ns = 0
        self._is_told = False
        self._over = threading.Event()

    async def run(self) -> None:
        """Watch until cancelled."""
        self._turned_ns = monotonic_ns()
        watcher = threading.Thread(
            target=self._watch, args=(threading.get_ident(),), name="watchdog", daemon=True
        )
        watcher.start()
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY_S)
                stood_ms, self._turned_ns = self._since_ms(), monotonic_ns()
                self._is_told = False
                if stood_ms > self._stands_after_ms + LOOK_EVERY_S * 1_000:
                    _log.warning("the event loop stood still", extra={"stood_ms": round(stood_ms)})
        finally:
            self._over.set()

    def _since_ms(self) -> float:
        return (monotonic_ns() - self._turned_ns) / 1e6

    def _watch(self, loop_thread: int) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            if self._since_ms() > self._stands_after_ms and not self._is_told:
                self._is_told = True
                stack = stack_of(sys._current_frames().get(loop_thread))
                _log.warning("the event loop stands still", extra={"stack": stack})


def stack_of(frame: FrameType | None) -> list[str]:
    """`file:line function`, the innermost last."""
    return [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_stack(frame)]
