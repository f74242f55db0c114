"""F19: commands that come twice, late, in another order, and again after a reconnect.

Each happens once. What means an entry that is gone by then is refused as a conflict.
"""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from protocol.errors import ErrorCode
from protocol.frames import Ack, Reject
from tests.cluster.journal import Received
from tests.cluster.load import Load
from tests.faults.replayer import Replayer
from tests.faults.scene import scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]


async def sent_again(load: Load) -> None:
    """Everything comes as it likes; twice everybody has to come back."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(load.run(for_s=4))
        for _ in range(2):
            await load.wait(1)
            load.wire.cut()


def answers(load: Load) -> Counter[str]:
    """How often the server said yes or no."""
    frames = [
        line.frame
        for journal in load.journals
        for line in journal.lines
        if isinstance(line, Received)
    ]
    told = (
        f.code if isinstance(f, Reject) else "ack" for f in frames if isinstance(f, Ack | Reject)
    )
    return Counter(told)


async def test_f19_whatever_comes_again_happens_once(database_url: str, tmp_path: Path) -> None:
    replayer = Replayer()
    async with scene(database_url, tmp_path / "data", replayer=replayer) as load:
        await sent_again(load)
        # The last ones come 2 s late.
        await load.wait(2.2)
        assert await load.verdict() == []
        told = answers(load)
    print(f"{replayer.repeated} came again, {replayer.swapped} were overtaken: {told}")
    assert replayer.repeated > 100 < told["ack"]
    assert replayer.swapped > 20
    assert told[ErrorCode.CONFLICT] > 0
    assert told[ErrorCode.INTERNAL] == 0
