"""A node behind the front door on a real port, which has no rooms to keep when nobody is there."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from roomserver.bus.memory import MemoryBus
from roomserver.edge.front import FrontDoor
from roomserver.home.pace import Pace
from roomserver.node import Node
from roomserver.runtime.config import SigningKey, load
from roomserver.runtime.limits import Limiter
from roomserver.runtime.passwords import Passwords
from roomserver.runtime.tokens import Tokens
from sql.pool import Database
from tests.hostile.town import Town


@pytest.fixture
async def town(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    tokens = Tokens([SigningKey("test", b"k" * 32)])
    config = load({}, data_dir=tmp_path, limits_factor=0)
    bus = MemoryBus()
    pace = Pace(grace_ms=0, vacant_ms=0, linger_ms=0)
    node = Node(config, database, database_url, bus, tokens, Limiter(0), Passwords(), pace=pace)
    # Nothing that was put off is put off for long.
    node.edge.pace = replace(
        node.edge.pace,
        head_within_ms=2_000,
        hello_within_ms=2_000,
        pong_within_ms=2_000,
        ping_every_ms=2_000,
        close_within_ms=2_000,
    )
    await node.start()
    door = FrontDoor.factory(node.edge, None)
    server = await asyncio.get_running_loop().create_server(door, "127.0.0.1", 0, backlog=1_000)
    yield Town(node, database, tokens, server.sockets[0].getsockname()[1])
    server.close()
    await node.stop()
    await bus.close()
