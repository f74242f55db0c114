"""What waits to leave for the network: never much of it, and never old."""

import asyncio
from collections import deque
from typing import Final, NamedTuple

from protocol.cluster import Party
from roomserver.bus.metrics import LOST

WAITING_MAX: Final = 10_000
WAITING_MAX_BYTES: Final = 32 << 20
BATCH_MAX: Final = 256
BATCH_MAX_BYTES: Final = 1 << 20
STALE_AFTER_S: Final = 3.0
"""By then what is unanswered was asked again: this one would only be carried out late."""
WORDS_MAX: Final = 100


class _Waiting(NamedTuple):
    to: Party
    envelope: bytes
    since_s: float


class Outgoing:
    """A queue for one writer. What does not fit pushes out the oldest."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._words: deque[tuple[Party, bytes]] = deque(maxlen=WORDS_MAX)
        self._waiting_bytes = 0
        self._more = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, to: Party, envelope: bytes) -> None:
        """Have it leave with the next batch."""
        now_s = asyncio.get_running_loop().time()
        self._waiting.append(_Waiting(to, envelope, now_s))
        self._waiting_bytes += len(envelope)
        while len(self._waiting) > WAITING_MAX or self._waiting_bytes > WAITING_MAX_BYTES:
            self._pop()
            LOST.labels("full").inc()
        self._idle.clear()
        self._more.set()

    def put_word(self, to: Party, word: bytes) -> None:
        """Have a few bytes leave before all that waits, neither pushed out by it nor counted.

        Behind it, a word that asks whether anything gets through would ask how much waits.
        """
        self._words.append((to, word))
        self._idle.clear()
        self._more.set()

    async def all_left(self) -> None:
        """Wait until the writer has done with all of it."""
        await self._idle.wait()

    async def batch(self) -> list[tuple[Party, bytes]]:
        """The next to leave, in order; waits until there is one that is not stale.

        Whoever asks has done with what it took before.
        """
        while True:
            taken = self._take()
            if taken:
                return taken
            self._more.clear()
            self._idle.set()
            await self._more.wait()

    def _take(self) -> list[tuple[Party, bytes]]:
        oldest_s = asyncio.get_running_loop().time() - STALE_AFTER_S
        taken = list(self._words)
        self._words.clear()
        taken_bytes = 0
        while self._waiting and len(taken) < BATCH_MAX and taken_bytes < BATCH_MAX_BYTES:
            first = self._pop()
            if first.since_s < oldest_s:
                LOST.labels("stale").inc()
                continue
            taken.append((first.to, first.envelope))
            taken_bytes += len(first.envelope)
        return taken

    def _pop(self) -> _Waiting:
        first = self._waiting.popleft()
        self._waiting_bytes -= len(first.envelope)
        return first
