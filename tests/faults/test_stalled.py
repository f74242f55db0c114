"""F21: stopped for 3 s as a whole, while bots talk and short tracks follow each other.

The server keeps its rooms and its connections, each track ends and begins at the instant that was
agreed before, and the log says that everything stood still.
"""

import asyncio
import os
import signal
from pathlib import Path
from typing import Final

import pytest

from protocol.errors import ErrorCode
from tests.cluster.journal import Connected
from tests.cluster.load import Load
from tests.faults.scene import fences, scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

LOADED_S: Final = 4.5
"""After so long a track plays: a start waits 3 s for those who do not say that they are ready."""
STALL_S: Final = 3


async def stalled(load: Load) -> None:
    """Everything stands, and goes on."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(load.run(for_s=LOADED_S + STALL_S + 1))
        await load.wait(LOADED_S)
        os.kill(load.served.pid, signal.SIGSTOP)
        await load.wait(STALL_S)
        os.kill(load.served.pid, signal.SIGCONT)


async def test_f21_a_server_that_was_stopped_for_3_s_goes_on_as_if_it_had_not(
    database_url: str, tmp_path: Path
) -> None:
    async with scene(database_url, tmp_path / "data") as load:
        before = await fences(load)
        await stalled(load)
        assert await load.verdict() == []
        assert await fences(load) == before
        for journal in load.journals:
            assert sum(isinstance(line, Connected) for line in journal.lines) == 1
        assert ErrorCode.UNAVAILABLE not in load.refusals
        assert "the event loop stood still" in load.served.log
