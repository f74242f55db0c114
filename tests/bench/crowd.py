"""Crowd: one room of 1,000 in which people talk; 2,000 small rooms beside 50 at one rate."""

import asyncio
import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

from tests.bench.latency import ACK, Delays, paced
from tests.bench.measure import free_port, metrics, percentile
from tests.bench.swarm import Swarm, client_frame, marked
from tests.bench.unisono import chat, guests, new_room, new_rooms, opening, unisono

CROWD = 1_000
SPEAKERS = 50
CHATS_PER_S = 50
SIZE_BYTES = 200
SECONDS = 20
DELIVERY_BAR_MS, LAG_BAR_MS = 300, 50

EACH = 3
"""People in each of many rooms."""
MANY, FEW = 2_000, 50
PER_PERSON_PER_S = 0.2
RATIO_BAR = 3
SETTLE_S = 5
"""The first pings and the first minute of a database are not like the others."""
LAG = "unisono_loop_lag_seconds_bucket"


class Loud(NamedTuple):
    """One room in which people talk."""

    delivery: Delays
    lag_ms: float
    """p99 of how late the loop woke: the upper end of its bucket."""


def lag_ms(before: dict[str, float], after: dict[str, float]) -> float:
    """The bucket of the loop's lag below which 99 % of the looks between two readings lie."""
    buckets = sorted(
        (float(name.partition('le="')[2].partition('"')[0]), number - before[name])
        for name, number in after.items()
        if name.startswith(LAG)
    )
    return next(upper for upper, number in buckets if number >= 0.99 * buckets[-1][1]) * 1e3


async def loud() -> Loud:
    """1,000 people, of whom 50 talk in turn; everybody hears everything."""
    port = free_port()
    async with unisono(UNISONO_METRICS_PORT=str(port)) as running:
        tokens = await guests(running.port, CROWD)
        room_id = await new_room(running.port, tokens[0])
        swarm = Swarm()
        await swarm.connect(
            running.port, CROWD, "/ws", lambda index: opening(tokens[index], room_id)
        )
        await asyncio.sleep(SETTLE_S)
        before, number = await metrics(port), CHATS_PER_S * SECONDS
        begin = time.monotonic()
        for index in range(number):
            await asyncio.sleep(max(0.0, begin + index / CHATS_PER_S - time.monotonic()))
            speaker = swarm.clients[index % SPEAKERS * (CROWD // SPEAKERS)]
            text = chat(10 + index, room_id, marked(SIZE_BYTES))
            speaker.transport.write(client_frame(text))
        await swarm.until(number * CROWD)
        after = await metrics(port)
        assert swarm.received == number * CROWD, "every message reaches everybody once"
        assert swarm.lost == 0
        swarm.close()
    delays = swarm.delays_ms
    return Loud(Delays(percentile(delays, 0.5), percentile(delays, 0.99)), lag_ms(before, after))


async def talk(rooms: int) -> Delays:
    """So many rooms of three; all together say as much as 2,000 would."""
    async with unisono() as running:
        people = rooms * EACH
        tokens = await guests(running.port, people)
        room_ids = await new_rooms(running.port, tokens[::EACH])
        senders = [Swarm(mark=ACK) for _ in range(people)]

        def steps(index: int) -> Callable[[int], list[tuple[bytes, str]]]:
            return lambda _: opening(tokens[index], room_ids[index // EACH])

        for first in range(0, people, SPEAKERS):
            wave = range(first, min(first + SPEAKERS, people))
            await asyncio.gather(
                *(senders[i].connect(running.port, 1, "/ws", steps(i)) for i in wave)
            )
        await asyncio.sleep(SETTLE_S)
        found = await paced(
            senders,
            lambda which, number: chat(100 + number, room_ids[which // EACH], "x" * SIZE_BYTES),
            per_second=round(MANY * EACH * PER_PERSON_PER_S),
        )
        for sender in senders:
            sender.close()
        return found


async def bench(rounds: int) -> list[str]:
    """Lines of Markdown tables with medians."""
    louds, many, few = [], [], []
    for _ in range(rounds):
        louds.append(await loud())
        print(louds[-1], flush=True)
        few.append(await talk(FEW))
        many.append(await talk(MANY))
        print("few", few[-1], "many", many[-1], flush=True)
    p99 = median(run.delivery.p99_ms for run in louds)
    lag = median(run.lag_ms for run in louds)
    many_ms, few_ms = (
        Delays(median(run.p50_ms for run in runs), median(run.p99_ms for run in runs))
        for runs in (many, few)
    )
    return [
        f"One room of {CROWD:,}, {CHATS_PER_S} messages of {SIZE_BYTES} bytes a second by "
        f"{SPEAKERS} of them: delivery p99 {p99:.0f} ms (bar ≤ {DELIVERY_BAR_MS}), p99 of the "
        f"loop's lag below {lag:.0f} ms (bar ≤ {LAG_BAR_MS}).",
        "",
        f"| {MANY * EACH * PER_PERSON_PER_S:,.0f} commands/s together | ack p50 ms | p99 ms |",
        "|---|---|---|",
        f"| {FEW} rooms of {EACH} | {few_ms.p50_ms:.2f} | {few_ms.p99_ms:.2f} |",
        f"| {MANY:,} rooms of {EACH} | {many_ms.p50_ms:.2f} | {many_ms.p99_ms:.2f} |",
        "",
        f"p99: {many_ms.p99_ms / few_ms.p99_ms:.2f} × (bar ≤ {RATIO_BAR}).",
    ]
