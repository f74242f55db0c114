"""F26: no descriptor is left, or no memory: who is here stays, and it passes.

Strangers take all descriptors that they can get, and then the database ends the connections that
it has: what the server itself needs is not given to strangers.
"""

import asyncio
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil
import pytest

from protocol.bot import guest
from sql.pool import connect
from tests.cluster.load import Load
from tests.cluster.rest import post
from tests.faults.scene import scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

DESCRIPTORS: Final = 256
FEW_DESCRIPTORS: Final = ("prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}")
STRANGERS: Final = 400
FEW_STRANGERS: Final = 20
TIMES: Final = 40
ROOM_BYTES: Final = 24 * 2**20
"""Less than one password takes."""


@contextmanager
def strangers(port: int, number: int) -> Iterator[None]:
    """Connections that say nothing."""
    crowd = [socket.socket() for _ in range(number)]
    try:
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        yield
    finally:
        for one in crowd:
            one.close()


async def exhausted(load: Load) -> None:
    """Strangers take everything; meanwhile the server loses what it has of its database."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(load.run(for_s=4))
        await load.wait(1)
        with strangers(load.served.port, STRANGERS):
            await load.wait(0.5)
            # Again and again: now and then a batch is under way.
            for _ in range(TIMES):
                await end_connections(load.served.database_url)
                with strangers(load.served.port, FEW_STRANGERS):
                    await load.wait(0.04)


async def end_connections(database_url: str) -> None:
    """An administrator's `pg_terminate_backend` for everybody else."""
    database = await connect(database_url)
    try:
        await database.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    finally:
        await database.close()


async def test_f26_strangers_who_take_all_descriptors_leave_enough_for_the_server(
    database_url: str, tmp_path: Path
) -> None:
    async with scene(database_url, tmp_path / "data", under=FEW_DESCRIPTORS) as load:
        await exhausted(load)
        assert await load.verdict() == []
        assert load.acks > 100
        await guest(load.served.url, "Newcomer")
        log = load.served.log
        assert "Traceback" not in log
        assert "Too many open files" not in log
        assert log.count("no descriptor is left") == 1


async def test_f26_memory_that_is_not_given_is_a_refusal_and_the_rooms_go_on(
    database_url: str, tmp_path: Path
) -> None:
    async with scene(database_url, tmp_path / "data") as load:
        running = asyncio.create_task(load.run(for_s=4))
        await load.wait(1)
        before = resource.prlimit(load.served.pid, resource.RLIMIT_AS)
        most_bytes = psutil.Process(load.served.pid).memory_info().vms + ROOM_BYTES
        resource.prlimit(load.served.pid, resource.RLIMIT_AS, (most_bytes, before[1]))
        owner: dict[str, object] = {"login": "owner", "password": "correct horse battery"}
        # Not 401: that there was no memory says nothing about the password.
        with pytest.raises(OSError, match="503"):
            await post(load.served.url, "/auth/login", owner)
        await load.wait(1)
        resource.prlimit(load.served.pid, resource.RLIMIT_AS, before)
        await post(load.served.url, "/auth/login", owner)
        await running
        assert await load.verdict() == []
        assert "Traceback" not in load.served.log
