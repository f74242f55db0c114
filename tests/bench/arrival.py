"""Arrival: 5,000 people join one room at once; the server is started anew and all come back.

A statement counts when PostgreSQL executes it (pg_stat_statements); what the server asks anyway,
people or none, is counted in a quiet spell and taken off.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from protocol.frames import Have
from sql.embedded import EmbeddedPostgres
from sql.pool import Connection, connect
from tests.bench.measure import Server, free_port, metrics
from tests.bench.swarm import Swarm, client_frame
from tests.bench.unisono import chat, guests, new_rooms, opening, unisono

CROWDS = {
    "500 in one room": (500, 1),
    "5,000 in one room": (5_000, 1),
    "5,000 in 500 rooms": (5_000, 500),
}
"""People and rooms."""
MISSED = 5
"""So many events behind everybody is who comes back."""
QUIET_S = 3
BAR_S = 15
BAR_RESUMED = 0.95
PRELOAD = "alter system set shared_preload_libraries = 'pg_stat_statements'"
CALLS = "select coalesce(sum(calls), 0)::int from pg_stat_statements"
HEADS = "select room_id, lineage, last_seq from room_homes"
RESUMES = "unisono_resumes_total"


class Way(NamedTuple):
    """One arrival of all."""

    seconds: float
    statements: float
    """Without those that the server asks anyway."""


class Run(NamedTuple):
    """They come; then the server is started anew and they come back."""

    came: Way
    back: Way
    resumed: float
    """The share of those who came back that needed no snapshot."""


@asynccontextmanager
async def counting() -> AsyncIterator[tuple[str, Connection]]:
    """A PostgreSQL that counts statements: its URL, and a connection to ask it."""
    with TemporaryDirectory(prefix="unisono-bench-") as folder:
        postgres = EmbeddedPostgres(Path(folder))
        try:
            connection = await connect(await postgres.start())
            await connection.execute(PRELOAD)
            await connection.close()
            # A library is loaded at the start.
            await postgres.stop()
            url = await postgres.start()
            connection = await connect(url)
            await connection.execute("create extension pg_stat_statements")
            yield url, connection
            await connection.close()
        finally:
            await postgres.stop()


async def measured(database: Connection, arrival: Awaitable[None]) -> Way:
    """How long an arrival takes and what it asks of the database."""
    before = await database.fetchval(CALLS)
    await asyncio.sleep(QUIET_S)
    anyway = (await database.fetchval(CALLS) - before) / QUIET_S
    before, begun = await database.fetchval(CALLS), time.monotonic()
    await arrival
    seconds = time.monotonic() - begun
    return Way(seconds, await database.fetchval(CALLS) - before - anyway * seconds)


async def heads(database: Connection) -> dict[str, Have]:
    """Lineage and last seq of each room."""
    rows = await database.fetch(HEADS)
    return {room_id: Have(lineage=lineage, seq=seq) for room_id, lineage, seq in rows}


async def run(people: int, rooms: int) -> Run:
    """One crowd."""
    each = people // rooms
    swarm = Swarm()
    with TemporaryDirectory(prefix="unisono-bench-") as folder:
        async with counting() as (url, database):
            port = free_port()
            settings = {"DATABASE_URL": url, "UNISONO_METRICS_PORT": str(port)}
            async with unisono(folder, **settings) as running:
                tokens = await guests(running.port, people)
                room_ids = await new_rooms(running.port, tokens[::each])

                def come(running: Server, have: dict[str, Have]) -> Awaitable[None]:
                    def steps(index: int) -> list[tuple[bytes, str]]:
                        room_id = room_ids[index // each]
                        return opening(tokens[index], room_id, have.get(room_id))

                    return swarm.connect(running.port, people, "/ws", steps, at_once=people)

                came = await measured(database, come(running, {}))
                have = await heads(database)
                for number in range(MISSED):
                    for room_id, sender in zip(room_ids, swarm.clients[::each], strict=True):
                        sender.transport.write(client_frame(chat(10 + number, room_id, "x" * 50)))
                total = sum(one.seq + MISSED for one in have.values())
                while sum(one.seq for one in (await heads(database)).values()) < total:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            swarm.close()
            swarm = Swarm()
            async with unisono(folder, **settings) as running:
                back = await measured(database, come(running, have))
                found = await metrics(port)
            swarm.close()
    sources = {name: number for name, number in found.items() if name.startswith(RESUMES)}
    print(sources, flush=True)
    anew = sum(number for name, number in sources.items() if "snapshot" in name)
    assert sum(sources.values()) == people
    return Run(came, back, 1 - anew / people)


async def bench(rounds: int) -> list[str]:
    """Lines of a Markdown table with medians."""
    lines = [
        f"Everybody says hello and joins at once; then the server is started anew, and all come "
        f"back {MISSED} events behind.",
        "",
        "| people | come, s | statements | come back, s | statements | resumed |",
        "|---|---|---|---|---|---|",
    ]
    for name, (people, rooms) in CROWDS.items():
        runs = []
        for _ in range(rounds):
            runs.append(await run(people, rooms))
            print(name, runs[-1], flush=True)
        cells = [
            *(
                f"{median(values):.{digits}f}"
                for values, digits in (
                    ([one.came.seconds for one in runs], 1),
                    ([one.came.statements for one in runs], 0),
                    ([one.back.seconds for one in runs], 1),
                    ([one.back.statements for one in runs], 0),
                )
            ),
            f"{median(one.resumed for one in runs):.1%}",
        ]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return [
        *lines,
        "",
        f"Bars: {BAR_S} s each way, {BAR_RESUMED:.0%} resumed, statements that grow with rooms and "
        "not with people.",
    ]
