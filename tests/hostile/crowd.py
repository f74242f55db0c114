"""A crowd of a process of its own that comes and says nothing:

    python -m tests.hostile.crowd PORT NUMBER

Prints `{"opened": …, "refused": …, "stayed_ms": …}` when the server has let go of all of them:
how many it let in, and how long the one stayed that stayed longest.
"""

import asyncio
import sys
import time
from contextlib import suppress
from typing import Final, cast

import msgspec

from roomserver.runtime.loop import raise_descriptor_limit, run
from tests.hostile.listener import HEAD

ADDRESSES: Final = 64
AT_ONCE: Final = 25
EVERY_S: Final = 0.01
"""All are there before the first has to go, and no faster."""
WITHIN_S: Final = 60
OPENINGS: Final = (
    b"",
    b"GET / HTTP/1.1\r\nHost: x\r\nX-",
    b"\r\n\r\n",
    # A whole handshake, but no hello.
    HEAD.encode(),
)


class Tally(msgspec.Struct):
    """What became of them."""

    opened: int = 0
    refused: int = 0
    stayed_ms: float = 0


class Silent(asyncio.Protocol):
    """One of them."""

    def __init__(self, tally: Tally, opening: bytes) -> None:
        self._tally = tally
        self._opening = opening
        self._since_s = time.monotonic()
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._tally.opened += 1
        cast(asyncio.Transport, transport).write(self._opening)

    def data_received(self, data: bytes) -> None:
        self._tally.refused += data.startswith(b"HTTP/1.1 503 ")

    def eof_received(self) -> bool:
        self._is_told()
        # It does not even close when it is told to go.
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_told()

    def _is_told(self) -> None:
        if not self.gone.done():
            stayed_ms = (time.monotonic() - self._since_s) * 1_000
            self._tally.stayed_ms = max(self._tally.stayed_ms, stayed_ms)
            self.gone.set_result(None)


async def come(port: int, number: int) -> Tally:
    """All of them, until the last is gone."""
    tally, loop = Tally(), asyncio.get_running_loop()
    crowd: list[Silent] = []

    async def one(n: int) -> None:
        _, silent = await loop.create_connection(
            lambda: Silent(tally, OPENINGS[n // ADDRESSES % len(OPENINGS)]),
            "127.0.0.1",
            port,
            local_addr=(f"127.0.1.{n % ADDRESSES + 1}", 0),
        )
        crowd.append(silent)

    begun_s = time.monotonic()
    for start in range(0, number, AT_ONCE):
        due_s = begun_s + start / AT_ONCE * EVERY_S
        with suppress(TimeoutError):
            async with asyncio.timeout(due_s - time.monotonic()):
                await asyncio.Event().wait()
        await asyncio.gather(*map(one, range(start, min(number, start + AT_ONCE))))
    async with asyncio.timeout(WITHIN_S):
        await asyncio.gather(*(silent.gone for silent in crowd))
    return tally


if __name__ == "__main__":
    raise_descriptor_limit()
    print(msgspec.json.encode(run(come(*map(int, sys.argv[1:])))).decode())
