"""Clock: how far a bot's cluster time is from the database's, near by and behind slow wires.

From 6 s after a bot has joined. Wires are late by a time of chance, evenly spread and each way for
itself. The database's clock is this machine's, so that the error is what the bot's clock and the
node's are wrong together.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import NamedTuple

from protocol.bot import connect
from protocol.client_clock import PROBE_FAST_FOR_MS
from tests.bench.measure import percentile
from tests.bench.unisono import guests, new_room, unisono
from tests.faults.proxy import Proxy

BOTS = 20
LOOK_FOR_S = 20
LOOK_EVERY_S = 0.1


class Case(NamedTuple):
    """What a wire is like, and how far off a bot behind it may be."""

    title: str
    late_ms: float
    jitter_ms: float
    bar_ms: float


CASES = (
    Case("loopback", 0, 0, 0.5),
    Case("50 ± 30 ms each way", 50, 30, 4),
    Case("100 ± 50 ms each way", 100, 50, 6),
)


async def errors_ms(case: Case) -> list[float]:
    """How far off the bots were, each time we looked; without a sign."""
    async with unisono() as running, AsyncExitStack() as stack:
        tokens = await guests(running.port, BOTS)
        room_id = await new_room(running.port, tokens[0])
        address = f"http://127.0.0.1:{running.port}"
        if case.late_ms:
            proxy = Proxy(running.port)
            for way in (proxy.asks, proxy.answers):
                way.latency_ms, way.jitter_ms = case.late_ms, case.jitter_ms
            address = await stack.enter_async_context(proxy.opened())
        bots = [await stack.enter_async_context(connect(address, token)) for token in tokens]
        await asyncio.gather(*(bot.join(room_id) for bot in bots))
        await asyncio.sleep(PROBE_FAST_FOR_MS / 1_000)
        found = []
        for _ in range(round(LOOK_FOR_S / LOOK_EVERY_S)):
            await asyncio.sleep(LOOK_EVERY_S)
            found += [abs(bot.clock.now_ms() - time.time_ns() / 1e6) for bot in bots]
        return found


async def bench(rounds: int) -> list[str]:
    """Lines of a Markdown table; the rounds are other bots, not other medians."""
    lines = [
        f"{BOTS * rounds} bots in a room, looked at every {LOOK_EVERY_S * 1e3:.0f} ms from "
        f"{PROBE_FAST_FOR_MS / 1e3:.0f} s after they joined, for {LOOK_FOR_S} s.",
        "",
        "| wire | p50 ms | p95 ms | bar |",
        "|---|---|---|---|",
    ]
    for case in CASES:
        found = [error for _ in range(rounds) for error in await errors_ms(case)]
        p50, p95 = percentile(found, 0.5), percentile(found, 0.95)
        lines.append(f"| {case.title} | {p50:.2f} | {p95:.2f} | ≤ {case.bar_ms} |")
        print(lines[-1], flush=True)
    return lines
