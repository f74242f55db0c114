"""What every fault is tried on: a server as people run it, with bots that go on meanwhile."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from protocol.frames import Ack, Cmd
from sql.pool import connect
from tests.cluster.journal import Received, Sent
from tests.cluster.load import Load
from tests.cluster.server import ROOT, Served
from tests.faults.replayer import Replayer

BOTS = 6
ROOMS = 3
PER_SECOND = 60
ACK_WITHIN_MS = 1_000
"""Of all commands, while something is away that they do not need; a busy machine takes its part."""

Fault = Callable[[Load], Awaitable[None]]
"""Something that goes wrong, from the first command to the last answer."""


@asynccontextmanager
async def scene(
    database_url: str | None,
    data_dir: Path,
    *,
    tree: Path = ROOT,
    bots: int = BOTS,
    rooms: int = ROOMS,
    per_second: float = PER_SECOND,
    under: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    replayer: Replayer | None = None,
) -> AsyncIterator[Load]:
    """Bots in rooms, who have not said anything yet. Without a URL it has its own PostgreSQL."""
    served = Served(
        data_dir, database_url=database_url, tree=tree, under=under, environment=environment
    )
    await served.start()
    try:
        load = Load(served, bots=bots, rooms=rooms, per_second=per_second)
        load.wire.asks.through = replayer
        async with load:
            yield load
    finally:
        await served.kill()


async def fences(load: Load) -> dict[str, int]:
    """How often each room was taken over."""
    database = await connect(load.served.database_url)
    try:
        rows = await database.fetch("select room_id::text, fence from room_homes")
        return {str(room_id): int(fence) for room_id, fence in rows}
    finally:
        await database.close()


def ack_waits_ms(
    load: Load, since_ns: int, until_ns: int | None = None, of: type[object] = object
) -> list[float]:
    """How long the ack of each such command took that was sent in that time, by the wall clock."""
    waits_ms = []
    for journal in load.journals:
        sent = {
            line.frame.id: line.at_ns
            for line in journal.lines
            if isinstance(line, Sent)
            and isinstance(line.frame, Cmd)
            and isinstance(line.frame.cmd, of)
            and since_ns < line.at_ns < (until_ns or time.time_ns())
        }
        for line in journal.lines:
            if isinstance(line, Received) and isinstance(line.frame, Ack) and line.frame.id in sent:
                waits_ms.append((line.at_ns - sent[line.frame.id]) / 1e6)
    assert waits_ms
    return waits_ms
