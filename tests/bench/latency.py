"""Latency: from sending a command to its ack, 50 rooms of 10 people, 200 commands a second.

The peer is a `websockets` handler that inserts one row, durably, and answers.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from roomserver.runtime.loop import freeze_garbage
from sql.embedded import EmbeddedPostgres
from tests.bench.measure import free_port, percentile, server
from tests.bench.swarm import Swarm, client_frame, marked
from tests.bench.unisono import chat, guests, new_rooms, opening, unisono

ROOMS, PEOPLE_EACH = 50, 10
PER_SECOND = 200
SECONDS = 10
ACK = b'"type":"ack"'


class Delays(NamedTuple):
    """Milliseconds from send to ack."""

    p50_ms: float
    p99_ms: float


async def paced(
    senders: list[Swarm], speak: Callable[[int, int], str], per_second: int = PER_SECOND
) -> Delays:
    """Send at an even pace, whatever the server does, one sender after the other.

    Each sender is a swarm of one whose mark is the ack: the delay runs from the instant at which
    the command was due, so that a stalled server is not spared (no coordinated omission).
    """
    delays_ms: list[float] = []
    everything = asyncio.Event()

    def acked(due: list[float]) -> Callable[[int], None]:
        def count(found: int) -> None:
            now = time.monotonic()
            for _ in range(found):
                delays_ms.append((now - due.pop(0)) * 1e3)
            if len(delays_ms) == per_second * SECONDS:
                everything.set()

        return count

    waiting: list[list[float]] = [[] for _ in senders]
    for sender, due in zip(senders, waiting, strict=True):
        sender.count = acked(due)  # type: ignore[method-assign]
    # The pauses of thousands of clients in one process are not the server's.
    freeze_garbage()
    begin = time.monotonic()
    for number in range(per_second * SECONDS):
        due = begin + number / per_second
        if (wait := due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        which = number % len(senders)
        waiting[which].append(due)
        senders[which].clients[0].transport.write(client_frame(speak(which, number)))
    async with asyncio.timeout(30):
        await everything.wait()
    return Delays(percentile(delays_ms, 0.5), percentile(delays_ms, 0.99))


async def ours() -> Delays:
    """Unisono: 50 rooms, each with one sender and nine who listen."""
    async with unisono() as running:
        tokens = await guests(running.port, ROOMS * PEOPLE_EACH)
        room_ids = await new_rooms(running.port, tokens[::PEOPLE_EACH])
        senders, listeners = [], Swarm()
        for index, room_id in enumerate(room_ids):
            own = tokens[index * PEOPLE_EACH : (index + 1) * PEOPLE_EACH]
            sender = Swarm(mark=ACK)
            await sender.connect(
                running.port, 1, "/ws", lambda _, own=own, room_id=room_id: opening(own[0], room_id)
            )
            senders.append(sender)
            await listeners.connect(
                running.port,
                PEOPLE_EACH - 1,
                "/ws",
                lambda who, own=own, room_id=room_id: opening(own[who + 1], room_id),
            )
        return await chatter(senders, room_ids)()


def chatter(senders: list[Swarm], room_ids: list[str]) -> Callable[[], Awaitable[Delays]]:
    """Has each sender chat in its room, at the pace of `paced`; may be called again."""
    begins = itertools.count(100_000, 100_000)

    async def talk() -> Delays:
        begin = next(begins)
        return await paced(
            senders, lambda which, number: chat(begin + number, room_ids[which], "x" * 200)
        )

    return talk


async def peer() -> Delays:
    """One row, one fsync, one answer."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="unisono-bench-"))
        postgres = EmbeddedPostgres(Path(folder))
        url = await postgres.start()
        stack.push_async_callback(postgres.stop)
        port = free_port()
        await stack.enter_async_context(
            server("-m", "tests.bench.peers.insert_one", str(port), url, port=port)
        )
        senders = [Swarm() for _ in range(ROOMS)]
        for sender in senders:
            await sender.connect(port, 1, "/ws", lambda _: [(b"\r\n\r\n", "")])
        return await paced(senders, lambda which, number: marked(200))


async def bench(rounds: int) -> list[str]:
    """Alternate ours and the peer; lines of a Markdown table with medians."""
    runs: dict[str, list[Delays]] = {"Unisono": [], "websockets + one INSERT": []}
    for _ in range(rounds):
        for name, contender in zip(runs, (ours, peer), strict=True):
            runs[name].append(await contender())
            print(name, runs[name][-1], flush=True)
    mid = {
        name: Delays(median(run.p50_ms for run in some), median(run.p99_ms for run in some))
        for name, some in runs.items()
    }
    lines = ["| server | p50 ms | p99 ms |", "|---|---|---|"]
    lines += [
        f"| {name} | {delays.p50_ms:.2f} | {delays.p99_ms:.2f} |" for name, delays in mid.items()
    ]
    mine, other = mid.values()
    return [
        *lines,
        "",
        f"p50: {mine.p50_ms / other.p50_ms:.2f} × the peer (bar ≤ 2); "
        f"p99: {mine.p99_ms / other.p99_ms:.2f} × the peer (bar ≤ 4).",
    ]
