"""Memory: what a person costs who has joined and says nothing, beside peers that only hold sockets.

RSS of the server's Python process with everybody there for a minute, less RSS with nobody there.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from statistics import median
from typing import NamedTuple

from tests.bench.measure import Server, free_port, server
from tests.bench.swarm import Swarm
from tests.bench.unisono import guests, new_rooms, opening, unisono

PEOPLE = 5_000
EACH = 10
"""People in each of many rooms."""
STAY_S = 60
KIB = 1_024
BAR_KIB = 12

Opening = Callable[[int], list[tuple[bytes, str]]]


class Contender(NamedTuple):
    """A running server with nobody there, and how each person comes in."""

    running: Server
    path: str
    opening: Opening


@asynccontextmanager
async def ours(each: int) -> AsyncIterator[Contender]:
    """Unisono, with so many people in each room. The accounts exist before anybody comes."""
    async with unisono() as running:
        tokens = await guests(running.port, PEOPLE)
        rooms = await new_rooms(running.port, tokens[::each])
        yield Contender(running, "/ws", lambda index: opening(tokens[index], rooms[index // each]))


@asynccontextmanager
async def peer(module: str, path: str, steps: list[tuple[bytes, str]]) -> AsyncIterator[Contender]:
    """A server that only holds sockets."""
    port = free_port()
    async with server("-m", f"tests.bench.peers.{module}", str(port), port=port) as running:
        yield Contender(running, path, lambda _: list(steps))


UPGRADED = [(b"\r\n\r\n", "")]
SOCKETIO = [(b"\r\n\r\n", ""), (b"0{", "40"), (b"40{", "")]
CONTENDERS: dict[str, Callable[[], AbstractAsyncContextManager[Contender]]] = {
    "Unisono, one room": lambda: ours(PEOPLE),
    f"Unisono, {PEOPLE // EACH} rooms of {EACH}": lambda: ours(EACH),
    "websockets": lambda: peer("broadcast", "/ws", UPGRADED),
    "aiohttp": lambda: peer("aiohttp_app", "/ws", UPGRADED),
    "FastAPI + uvicorn": lambda: peer("fastapi_app", "/ws", UPGRADED),
    "python-socketio": lambda: peer(
        "socketio_app", "/socket.io/?EIO=4&transport=websocket", SOCKETIO
    ),
}
AT_ONCE = 3
"""So many contenders at a time: a process may not have descriptors for more clients."""


async def each_kib(contender: Contender) -> float:
    """KiB a person."""
    running = contender.running
    before = running.rss_bytes()
    swarm = Swarm()
    await swarm.connect(running.port, PEOPLE, contender.path, contender.opening)
    await asyncio.sleep(STAY_S)
    assert swarm.lost == 0, "all are still there"
    grown = running.rss_bytes() - before
    swarm.close()
    return grown / PEOPLE / KIB


async def together(names: Sequence[str]) -> list[float]:
    """KiB a person with each of these contenders. Memory does not mind neighbours."""
    async with AsyncExitStack() as stack:
        there = [await stack.enter_async_context(CONTENDERS[name]()) for name in names]
        return await asyncio.gather(*map(each_kib, there))


async def bench(rounds: int) -> list[str]:
    """Lines of a Markdown table with medians."""
    runs: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for first in range(0, len(CONTENDERS), AT_ONCE):
            names = list(CONTENDERS)[first : first + AT_ONCE]
            for name, kib in zip(names, await together(names), strict=True):
                runs[name].append(kib)
                print(name, f"{kib:.1f}", flush=True)
    lines = [
        f"{PEOPLE:,} people who have joined and are silent, after {STAY_S} s. Peers know no rooms.",
        "",
        "| server | KiB a person | bar |",
        "|---|---|---|",
    ]
    for name, found in runs.items():
        bar = f"≤ {BAR_KIB}" if name.startswith("Unisono") else ""
        lines.append(f"| {name} | {median(found):.1f} | {bar} |")
    return lines
