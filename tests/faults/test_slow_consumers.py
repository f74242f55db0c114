"""F15: who does not read is let go in time, costs little, holds nobody up, and catches up later."""

import asyncio
import time
from pathlib import Path
from statistics import quantiles
from typing import Final

import psutil
import pytest

from protocol.bot import Room
from protocol.chat import ChatSend
from tests.cluster.journal import Lost
from tests.cluster.load import Load
from tests.faults.proxy import Proxy
from tests.faults.scene import ack_waits_ms, scene

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
PER_SECOND: Final = 100
CALM_S: Final = 5


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
    async with scene(database_url, tmp_path / "data", per_second=PER_SECOND) as load:
        process = psutil.Process(load.served.pid)
        calm_ns, end = time.time_ns(), asyncio.Event()
        talking = asyncio.ensure_future(talk(load.rooms[0], end))
        await load.run(for_s=CALM_S)
        end.set()
        await talking
        before_bytes, slow_ns = process.memory_info().rss, time.time_ns()
        running = asyncio.create_task(load.run(for_s=CALM_S))
        await slow(load, SLOW)
        grown_bytes, gone_ns = process.memory_info().rss - before_bytes, time.time_ns()
        await running
        # Until they are gone: what they missed is then read by this process too, and costs it time.
        calm_ms, beside_ms = (
            quantiles(ack_waits_ms(load, *times, of=ChatSend), n=100)[98]
            for times in ((calm_ns, slow_ns), (slow_ns, gone_ns))
        )
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
        assert grown_bytes < SLOW * MEMORY_OF_ONE_BYTES
        assert beside_ms < 2 * calm_ms + 20
