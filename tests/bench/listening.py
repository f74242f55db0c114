"""Many headless listeners in one room: how far apart their playheads are."""

import asyncio
from collections.abc import Sequence
from itertools import cycle
from typing import Final, NamedTuple

import numpy as np

from protocol.base import SAMPLE_RATE_HZ
from protocol.bot import Bot, Listener, connect, guest
from protocol.bot_clock import local_ms

COMING_AT_ONCE: Final = 16
LOOK_EVERY_S: Final = 0.25
PER_MS: Final = SAMPLE_RATE_HZ / 1_000


class Spread(NamedTuple):
    """How far apart, over all looks: of two listeners taken by chance, and of the outermost two."""

    p95_ms: float
    range_p95_ms: float
    listeners: int
    looks: int


class Crowd:
    """Guests that come to one room over the addresses in turn, and listen."""

    def __init__(self) -> None:
        self._bots: list[Bot] = []
        self._all: list[tuple[Bot, Listener]] = []

    async def come(self, addresses: Sequence[str], room_id: str, count: int) -> None:
        """So many more. Returns when all are in."""
        gate = asyncio.Semaphore(COMING_AT_ONCE)

        async def one(number: int, address: str) -> None:
            async with gate:
                token = await guest(address, f"Listener {number}")
                # Closed all at once in `leave`: one after the other takes minutes.
                me = await connect(address, token).__aenter__()
                self._bots.append(me)
                room = await me.join(room_id)
                self._all.append((me, room.listen()))

        async with asyncio.TaskGroup() as coming:
            for number, address in zip(range(count), cycle(addresses), strict=False):
                coming.create_task(one(number, address))

    async def leave(self) -> None:
        """All at once."""
        await asyncio.gather(*(me.close() for me in self._bots))

    def positions_ms(self) -> list[float]:
        """Where each hears the music at one and the same instant; who hears none is left out."""
        at_ms = local_ms()
        heads = (listener.playhead_at(me.clock.cluster_ms(at_ms)) for me, listener in self._all)
        return [
            head.position_samples * 1_000 / SAMPLE_RATE_HZ for head in heads if head is not None
        ]

    async def spread(self, seconds: float) -> Spread:
        """Look again and again. Everybody has to hear the same track all the time."""
        pairs, ranges = [], []
        for _ in range(int(seconds / LOOK_EVERY_S)):
            await asyncio.sleep(LOOK_EVERY_S)
            places = np.sort(self.positions_ms())
            assert len(places) == len(self._all), f"{len(places)} of {len(self._all)} hear music"
            ranges.append(float(places[-1] - places[0]))
            one, other = np.triu_indices(len(places), 1)
            pairs.append(np.abs(places[one] - places[other]))
        return Spread(
            p95_ms=float(np.percentile(np.concatenate(pairs), 95)),
            range_p95_ms=float(np.percentile(ranges, 95)),
            listeners=len(self._all),
            looks=len(ranges),
        )
