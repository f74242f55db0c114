"""F16: a peer that is gone without a word, and one that comes back before the server knows.

Who is gone is gone for all in time. Who comes back at once takes the place of its own ghost:
nobody sees a departure, an arrival, or two of the same person, also when the ghost is given up.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from protocol.bot import Room, connect
from protocol.frames import Presence
from protocol.ids import RoomId
from roomserver.bus.memory import MemoryBus
from roomserver.edge.front import FrontDoor
from roomserver.edge.pace import Pace as EdgePace
from roomserver.home.pace import Pace as HomePace
from roomserver.node import Node
from roomserver.runtime.config import SigningKey, load
from roomserver.runtime.limits import Limiter
from roomserver.runtime.passwords import Passwords
from roomserver.runtime.tokens import Tokens
from sql.pool import Database
from tests.cluster.journal import Lost, Received
from tests.cluster.load import Load
from tests.faults.proxy import Proxy
from tests.faults.scene import scene
from tests.home.stage import person
from tests.hostile.town import Town

ANN, BEN = person("Ann"), person("Ben")
STEP_MS: Final = 500
"""The distance of pings, the wait for a pong, and the grace, for those who cannot wait."""
PROMISED_MS: Final = 45_000


@pytest.fixture
async def town(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    tokens = Tokens([SigningKey("test", b"k" * 32)])
    config = load({}, data_dir=tmp_path, limits_factor=0)
    bus = MemoryBus()
    pace = HomePace(grace_ms=STEP_MS)
    node = Node(config, database, database_url, bus, tokens, Limiter(0), Passwords(), pace=pace)
    node.edge.pace = replace(
        node.edge.pace, ping_every_ms=STEP_MS, ping_early_ms=(), pong_within_ms=STEP_MS
    )
    await node.start()
    door = FrontDoor.factory(node.edge, None)
    server = await asyncio.get_running_loop().create_server(door, "127.0.0.1", 0)
    yield Town(node, database, tokens, server.sockets[0].getsockname()[1])
    server.close()
    await node.stop()
    await bus.close()


def test_f16_who_is_gone_without_a_word_is_gone_for_all_in_45_s() -> None:
    edge, home = EdgePace(), HomePace()
    assert edge.ping_every_ms + edge.pong_within_ms + home.grace_ms <= PROMISED_MS


async def test_f16_a_peer_behind_a_black_hole_is_gone_after_ping_pong_and_grace(
    town: Town,
) -> None:
    room_id: RoomId = await town.open_room(ANN)
    proxy = Proxy(town.port)
    async with AsyncExitStack() as stack:
        far_url = await stack.enter_async_context(proxy.opened())
        near_url = f"http://127.0.0.1:{town.port}"
        ben = await stack.enter_async_context(connect(near_url, token=town.hello(BEN).token))
        hall: Room = await ben.join(room_id)
        ann = await stack.enter_async_context(connect(far_url, token=town.hello(ANN).token))
        await ann.join(room_id)
        await hall.wait_for(lambda room: ANN.user_id in room.present)
        proxy.asks.is_black_hole = proxy.answers.is_black_hole = True
        begun_ns = time.monotonic_ns()
        await hall.wait_for(lambda room: ANN.user_id not in room.present)
        took_ms = (time.monotonic_ns() - begun_ns) / 1e6
        assert STEP_MS < took_ms < 3 * STEP_MS + 1_000
        assert town.node.edge.connection_count == 1


async def stranded(load: Load) -> None:
    """Everybody changes the network: the server hears nothing of it."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(load.run(for_s=3))
        await load.wait(1)
        load.wire.answers.is_black_hole = True
        await load.wait(0.3)
        load.wire.strand()
        load.wire.answers.is_black_hole = False


@pytest.mark.slow
@pytest.mark.timeout(90)
async def test_f16_who_comes_back_at_once_takes_the_place_of_its_ghost(
    database_url: str, tmp_path: Path
) -> None:
    async with scene(database_url, tmp_path / "data") as load:
        await stranded(load)
        assert await load.verdict() == []
        assert load.sent_again > 0
        own = {journal.user_id for journal in load.journals}
        for journal in load.journals:
            assert sum(isinstance(line, Lost) for line in journal.lines) == 1
            for line in journal.lines:
                if isinstance(line, Received) and isinstance(line.frame, Presence):
                    assert not own & set(line.frame.gone)
                    assert line.frame.count <= len(own)
        assert all(len(room.present) == room.count for room in load.rooms)
