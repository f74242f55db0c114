"""Fan-out: what it costs to bring one 200-byte chat message to each of 1,000 people.

Ours is durable before it is seen; the peers keep nothing. All speak to the same swarm, under
uvloop, without compression.
"""

import asyncio
import json
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

from tests.bench.measure import Server, free_port, percentile, server
from tests.bench.swarm import Swarm, client_frame, marked
from tests.bench.unisono import chat, guests, new_room, opening, unisono

PEOPLE = 1_000
SIZE_BYTES = 200
SETTLE_S = 3
ROUND_MS = 2
"""How often all clients are read."""


class Run(NamedTuple):
    """One measured run."""

    python_us: float
    """CPU of the Python process per delivered message."""
    postgres_us: float
    p99_ms: float


Speak = Callable[[int, str], str]
"""(number of the message, text) -> what the sender puts on the wire."""


async def measure(running: Server, swarm: Swarm, speak: Speak, messages: int, flight: int) -> Run:
    """Send `messages`, keeping `flight` of them on the way; every one must reach everybody."""
    sender = swarm.clients[0].transport
    swarm.received, swarm.delays_ms = 0, []
    before = running.cost()
    for number in range(messages):
        sender.write(client_frame(speak(number, marked(SIZE_BYTES))))
        if number + 1 >= flight:
            await swarm.until((number + 2 - flight) * PEOPLE)
    await swarm.until(messages * PEOPLE)
    cost = running.cost().since(before)
    assert swarm.received == messages * PEOPLE, "every message reaches everybody once"
    assert swarm.lost == 0
    deliveries = messages * PEOPLE
    return Run(
        cost.python_s / deliveries * 1e6,
        cost.postgres_s / deliveries * 1e6,
        percentile(swarm.delays_ms, 0.99),
    )


async def _both(running: Server, swarm: Swarm, speak: Callable[[int], Speak]) -> tuple[Run, Run]:
    # Ours pings newcomers in their first seconds; what is asked is the steady state.
    await asyncio.sleep(SETTLE_S)
    swarm.read_in_rounds(ROUND_MS)
    await measure(running, swarm, speak(2), 5, 1)  # warm
    one = await measure(running, swarm, speak(1_000), 60, 1)
    ten = await measure(running, swarm, speak(10_000), 200, 10)
    swarm.close()
    return one, ten


async def ours() -> tuple[Run, Run]:
    """Unisono: through the whole durable path."""
    async with unisono() as running:
        tokens = await guests(running.port, PEOPLE)
        room_id = await new_room(running.port, tokens[0])
        swarm = Swarm()
        await swarm.connect(
            running.port, PEOPLE, "/ws", lambda index: opening(tokens[index], room_id)
        )
        return await _both(
            running, swarm, lambda base: lambda number, text: chat(base + number, room_id, text)
        )


async def plain_peer(module: str) -> tuple[Run, Run]:
    """A peer that passes on whatever text it is sent."""
    port = free_port()
    async with server("-m", f"tests.bench.peers.{module}", str(port), port=port) as running:
        swarm = Swarm()
        await swarm.connect(port, PEOPLE, "/ws", lambda _: [(b"\r\n\r\n", "")])
        return await _both(running, swarm, lambda _: lambda number, text: text)


async def socketio_peer() -> tuple[Run, Run]:
    """python-socketio, WebSocket transport from the start (Engine.IO 4)."""
    port = free_port()
    async with server("-m", "tests.bench.peers.socketio_app", str(port), port=port) as running:
        swarm = Swarm()
        steps = [(b"\r\n\r\n", ""), (b"0{", "40"), (b"40{", "")]
        path = "/socket.io/?EIO=4&transport=websocket"
        await swarm.connect(port, PEOPLE, path, lambda _: list(steps))
        return await _both(
            running, swarm, lambda _: lambda number, text: "42" + json.dumps(["chat", text])
        )


OURS = "Unisono (durable)"
CONTENDERS = {
    OURS: ours,
    "websockets.broadcast": lambda: plain_peer("broadcast"),
    "aiohttp": lambda: plain_peer("aiohttp_app"),
    "FastAPI + uvicorn": lambda: plain_peer("fastapi_app"),
    "python-socketio": socketio_peer,
}


async def bench(rounds: int) -> list[str]:
    """Alternate all contenders `rounds` times; lines of a Markdown table with medians."""
    runs: dict[str, list[tuple[Run, Run]]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name, contender in CONTENDERS.items():
            runs[name].append(await contender())
            print(name, *runs[name][-1], flush=True)

    def mid(name: str, which: int, field: int) -> float:
        return median(pair[which][field] for pair in runs[name])

    peers = [name for name in CONTENDERS if name != OURS]
    lines = [
        "| server | one in flight, Python µs | PostgreSQL µs | p99 ms | ten in flight, Python µs "
        "| PostgreSQL µs | p99 ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in CONTENDERS:
        cells = [mid(name, which, field) for which in (0, 1) for field in (0, 1, 2)]
        lines.append("| " + " | ".join([name, *(f"{cell:.2f}" for cell in cells)]) + " |")
    for which, label, bar in ((0, "one in flight", "≤ 1.0"), (1, "ten in flight", "≤ 0.20")):
        best = min(mid(name, which, 0) for name in peers)
        ratio = mid(OURS, which, 0) / best
        lines += ["", f"{label}: {ratio:.2f} × the best peer (bar {bar})."]
    p99_ms, soonest_ms = mid(OURS, 1, 2), min(mid(name, 1, 2) for name in peers)
    lines += ["", f"ten in flight, p99: {p99_ms:.1f} ms (bar ≤ 30), best peer {soonest_ms:.0f}."]
    return lines
