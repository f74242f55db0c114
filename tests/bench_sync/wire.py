"""A wire that is as slow as one says, in a process of its own: a busy bench must not jitter it.

`python -m tests.bench_sync.wire PORT THERE BACK` forwards to a port of this machine and prints
its own address. THERE and BACK are as `50+-30`: each piece of bytes is late by a time of its own
between 20 and 80 ms. On its stdin, `down` cuts all connections and lets nobody through, `up` lets
them through again. It ends with its stdin.
"""

import asyncio
import subprocess
import sys
from typing import Final

from tests.faults.proxy import Proxy, Way

AT_ONCE: Final = "0+-0"


async def main(port: int, there: str, back: str) -> None:
    """Forward until stdin ends."""
    proxy = Proxy(port)
    for way, late in ((proxy.asks, there), (proxy.answers, back)):
        _set(way, late)
    words = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(words), sys.stdin
    )
    async with proxy.opened() as address:
        print(address, flush=True)
        while word := (await words.readline()).decode().strip():
            proxy.refuses = word == "down"
            if proxy.refuses:
                proxy.cut()


def _set(way: Way, late: str) -> None:
    middle, spread = late.split("+-")
    way.latency_ms, way.jitter_ms = float(middle), float(spread)


class Wire:
    """The process, from outside."""

    def __init__(self, port: int, *, there: str = AT_ONCE, back: str = AT_ONCE) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench_sync.wire", str(port), there, back],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()

    def say(self, word: str) -> None:
        """`down`: nobody gets through, and who was through is cut; `up`."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def close(self) -> None:
        self._process.communicate()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
