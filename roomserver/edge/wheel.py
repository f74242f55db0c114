"""One timer for all connections: a wheel that turns every tick.

A connection has no timer of its own. What it waits for lies in a slot of the wheel; cancelling is
dropping the reference, and a slot that comes round calls what is still there.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

AT_ONCE: Final = 8
"""So many are called in one turn of the loop. Thousands may be due together: others want a turn."""


class Due:
    """One appointment. `cancel` is free; the wheel forgets it when its slot comes round."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Do not call."""
        self.call = None


class Wheel:
    """Appointments in ms from now, kept to within one tick, never early."""

    def __init__(self, tick_ms: int) -> None:
        self._tick_ms = tick_ms
        self._slots: dict[int, list[Due]] = {}
        self._due: deque[Due] = deque()
        self._now = 0
        self._handle: asyncio.TimerHandle | None = None
        self._begun_s = 0.0

    def __len__(self) -> int:
        """How many appointments lie in its slots, the cancelled ones too."""
        return sum(map(len, self._slots.values())) + len(self._due)

    def after(self, delay_ms: float, call: Callable[[], None]) -> Due:
        """Call `call` in `delay_ms`."""
        if self._handle is None:
            self._start()
        elapsed = asyncio.get_running_loop().time() - self._begun_s
        slot = int((elapsed * 1_000 + delay_ms) // self._tick_ms) + 1
        due = Due(call)
        self._slots.setdefault(max(slot, self._now + 1), []).append(due)
        return due

    def close(self) -> None:
        """Stop; nothing more is called."""
        if self._handle is not None:
            self._handle.cancel()
        self._slots.clear()
        self._due.clear()

    def _start(self) -> None:
        self._begun_s = asyncio.get_running_loop().time()
        self._now = 0
        self._arm()

    def _arm(self) -> None:
        at_s = self._begun_s + (self._now + 1) * self._tick_ms / 1_000
        self._handle = asyncio.get_running_loop().call_at(at_s, self._turn)

    def _turn(self) -> None:
        # After a stall of the loop several slots are due at once.
        elapsed = asyncio.get_running_loop().time() - self._begun_s
        target = max(self._now + 1, int(elapsed * 1_000 // self._tick_ms))
        idle = not self._due
        while self._now < target:
            self._now += 1
            self._due += self._slots.pop(self._now, ())
        self._handle = None
        if self._slots:
            self._arm()
        if idle:
            self._call()

    def _call(self) -> None:
        left = AT_ONCE
        try:
            while self._due and left:
                due = self._due.popleft()
                if due.call is not None:
                    left -= 1
                    call, due.call = due.call, None
                    call()
        finally:
            if self._due:
                asyncio.get_running_loop().call_soon(self._call)
