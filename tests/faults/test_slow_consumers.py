"""F15: who does not read is let go in time, costs little, holds nobody up, and catches up later."""

import asyncio
from pathlib import Path
from statistics import quantiles
from typing import Final

import psutil
import pytest

from protocol.bot import Room
from tests.cluster.journal import Lost
from tests.cluster.load import Load
from tests.faults.proxy import Proxy
from tests.faults.scene import scene

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(120)]

SLOW: Final = 10
WINDOW_BYTES: Final = 4_096
GONE_WITHIN_S: Final = 10 + 5
"""After the buffers are full, which takes some seconds."""
MEMORY_OF_ONE_BYTES: Final = 2**20
WORDS: Final = "界" * 2_000
"""6 KB: of what comes in a second, a socket's buffers hold no more than a part."""
TALKED_S: Final = 0.03
MOUTHS: Final = 3


async def talk(room: Room, end: asyncio.Event) -> None:
    """Long messages without end, some at once."""
    async with asyncio.TaskGroup() as mouths:
        for _ in range(MOUTHS):
            mouths.create_task(_talk(room, end))


async def _talk(room: Room, end: asyncio.Event) -> None:
    while not end.is_set():
        await room.chat(WORDS)
        try:
            async with asyncio.timeout(TALKED_S):
                await end.wait()
        except TimeoutError:
            continue


def sockets(load: Load) -> int:
    """How many connections of its clients the server has."""
    everything = psutil.Process(load.served.pid).net_connections("tcp")
    ours = [one for one in everything if one.laddr.port == load.served.port and one.raddr]
    return len(ours)


async def slow(load: Load, number: int = 1) -> None:
    """Some stop reading while another talks; they read again when they were let go."""
    before = sockets(load)
    proxy = Proxy(load.served.port, window_bytes=WINDOW_BYTES)
    url = await load.stack.enter_async_context(proxy.opened())
    for n in range(number):
        await load.enter(f"Slow {n}", url, load.rooms[0].room_id)
    end = asyncio.Event()
    talking = asyncio.ensure_future(talk(load.rooms[0], end))
    proxy.answers.is_stalled = True
    try:
        async with asyncio.timeout(GONE_WITHIN_S):
            while sockets(load) > before:
                await load.wait(0.1)
    finally:
        end.set()
        await talking
        proxy.answers.is_stalled = False


async def test_f15_who_does_not_read_is_let_go_holds_nobody_up_and_catches_up_later(
    database_url: str, tmp_path: Path
) -> None:
    async with scene(database_url, tmp_path / "data") as load:
        process = psutil.Process(load.served.pid)
        end = asyncio.Event()
        talking = asyncio.ensure_future(talk(load.rooms[0], end))
        await load.run(for_s=3)
        end.set()
        await talking
        calm_ms, load.waits_ms = quantiles(load.waits_ms, n=100)[98], []
        before_bytes = process.memory_info().rss
        running = asyncio.create_task(load.run(for_s=5))
        await slow(load, SLOW)
        grown_bytes = process.memory_info().rss - before_bytes
        await running
        beside_ms = quantiles(load.waits_ms, n=100)[98]
        print(
            f"ack p99 {calm_ms:.1f} ms alone, {beside_ms:.1f} ms beside {SLOW} who do not read;"
            f" {grown_bytes / SLOW / 1_024:.0f} KiB for each"
        )
        assert await load.verdict() == []
        slow_ones = load.journals[-SLOW:]
        assert all(any(isinstance(line, Lost) for line in one.lines) for one in slow_ones)
        assert not any(
            isinstance(line, Lost) for one in load.journals[:-SLOW] for line in one.lines
        )
        assert beside_ms < 2 * calm_ms + 20
        assert grown_bytes < SLOW * MEMORY_OF_ONE_BYTES
