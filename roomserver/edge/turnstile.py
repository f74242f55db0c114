"""Lets newcomers in one after another.

A handshake costs about a third of a millisecond, and hundreds may come in one turn of the loop.
One a turn is done, so that whoever is here already is heard in between.
"""

import asyncio
from collections import deque
from collections.abc import Callable


class Turnstile:
    """A queue in front of what is expensive."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def wait(self, come_in: Callable[[], None]) -> None:
        """Call `come_in` soon, in a turn of its own. Who has given up meanwhile is called too."""
        self._waiting.append(come_in)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        try:
            self._waiting[0]()
        finally:
            self._waiting.popleft()
            if self._waiting:
                asyncio.get_running_loop().call_soon(self._turn)
