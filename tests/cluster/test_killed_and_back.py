"""Killed while 20 bots send 200 commands a second over 10 rooms, and started again.

Nothing that was acknowledged is lost, nothing happens twice, everybody sees one order, and the
music plays where the schedule says: the checker holds every bot's journal against the log.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cluster.load import Load
from tests.cluster.server import Served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A whole server with its own PostgreSQL."""
    served = Served(tmp_path / "data")
    await served.start()
    yield served
    await served.kill()


async def test_nothing_happens_to_a_server_that_is_left_alone(served: Served) -> None:
    async with Load(served, bots=20, rooms=10, per_second=200) as load:
        await load.run(for_s=4)
        assert await load.verdict() == []
        assert load.acks > 600


async def test_a_server_killed_under_load_loses_nothing(served: Served) -> None:
    async with Load(served, bots=20, rooms=10, per_second=200) as load:
        running = asyncio.create_task(load.run(for_s=14))
        for _ in range(2):
            await load.wait(3)
            # For a moment what is done is not told: these commands will be sent again.
            load.wire.answers_lost = True
            await load.wait(0.3)
            await served.kill()
            load.wire.answers_lost = False
            await served.start()
        await running
        assert await load.verdict() == []
        assert load.sent_again > 20
        assert load.acks > 1_400


async def test_a_database_killed_under_load_loses_nothing(served: Served) -> None:
    async with Load(served, bots=20, rooms=10, per_second=200) as load:
        running = asyncio.create_task(load.run(for_s=14))
        for _ in range(2):
            await load.wait(3)
            killed = served.postgres_pid()
            os.kill(killed, signal.SIGKILL)
        await running
        assert served.postgres_pid() != killed
        assert await load.verdict() == []
        assert load.acks > 1_400
