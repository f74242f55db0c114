"""What a bot hears of a room, in order: `async for event in room.events()`."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import Final

from protocol.client_room import News
from protocol.errors import ErrorCode
from protocol.frames import Left, LeftReason
from protocol.ids import RoomId

EVENTS_KEPT: Final = 10_000
"""A reader that is further behind than this has missed some: LookupError."""


class PutOut(Exception):
    """The bot was sent out of a room: `kicked`, `banned`, `closed` or `replaced`."""

    def __init__(self, left: Left) -> None:
        super().__init__(f"out of the room: {left.reason}")
        self.room_id: RoomId = left.room
        self.reason: LeftReason = left.reason
        self.until_ms: int | None = left.until_ms
        """Of a ban: it ends then, in cluster time; None: when it is taken back."""
        self.code: ErrorCode | None = left.code
        """What the door says now, where it did not let the bot in again; else None."""


class Events(AsyncIterator[News]):
    """One `async for` over what happens in a room.

    Ends when the bot leaves the room. Raises PutOut where it was sent out, Rejected where it was
    not let in again, Closed where the connection ended for good, and LookupError where more than
    10,000 events were not read.
    """

    def __init__(self, seq: int, *, over: bool, why: Exception | None) -> None:
        self.seq = seq
        """The number of the event that was given last, or of what was in the room before it."""
        self._waiting: deque[tuple[int, News]] = deque()
        self._fed = asyncio.Event()
        self._over, self._why = over, why

    def feed(self, news: Iterable[tuple[int, News]]) -> None:
        """The driver's: what happened, each with the seq reached by it."""
        self._waiting.extend(news)
        if len(self._waiting) > EVENTS_KEPT:
            self._waiting.clear()
            self.end(LookupError(f"More than {EVENTS_KEPT} events were not read."))
        self._fed.set()

    def end(self, why: Exception | None) -> None:
        """The driver's: nothing more will come."""
        if not self._over:
            self._over, self._why = True, why
        self._fed.set()

    async def __anext__(self) -> News:
        while not self._waiting:
            if self._over:
                raise self._why or StopAsyncIteration
            self._fed.clear()
            await self._fed.wait()
        self.seq, news = self._waiting.popleft()
        return news
