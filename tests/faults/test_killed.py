"""F1: killed while 20 bots send 200 commands a second over 10 rooms, and started again.

Nothing that was acknowledged is lost, nothing happens twice, everybody sees one order, and the
music plays on where it would have been: the checker holds every bot's journal against the log.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest

from protocol.bot import Room, connect
from protocol.frames import Joined
from tests.cluster.journal import Received
from tests.cluster.load import Load
from tests.cluster.rest import new_room, register, upload
from tests.faults.scene import fences, scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

TAKEN_WITHIN_MS: Final = 5_000
NEAR_MS: Final = 250


async def killed(load: Load) -> None:
    """In the middle of what it does; for a moment nobody hears what is done."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(load.run(for_s=3))
        await load.wait(1)
        await kill(load)
        await load.served.start()


async def kill(load: Load) -> None:
    """What was done last is not told: these commands will be sent again."""
    load.wire.answers.is_black_hole = True
    await load.wait(0.3)
    await load.served.kill()
    load.wire.cut()
    load.wire.answers.is_black_hole = False


async def play(load: Load, stack: AsyncExitStack) -> Room:
    """A room in which a long track plays."""
    url = load.served.url
    owner = await register(url, "listener")
    track = await upload(url, owner, 60_000)
    room_id = await new_room(url, owner, "Quiet room")
    me = await stack.enter_async_context(connect(url, token=owner))
    room = await me.join(room_id)
    await room.add(track)
    return room


def comings(load: Load, since_ns: int) -> list[Joined]:
    """How all of them came into their rooms since then."""
    return [
        line.frame
        for journal in load.journals
        for line in journal.lines
        if isinstance(line, Received) and isinstance(line.frame, Joined) and line.at_ns > since_ns
    ]


async def test_f1_a_server_killed_under_load_loses_nothing(tmp_path: Path) -> None:
    async with (
        AsyncExitStack() as stack,
        scene(None, tmp_path / "data", bots=20, rooms=10, per_second=200) as load,
    ):
        quiet = await play(load, stack)
        running = asyncio.create_task(load.run(for_s=10))
        # A start waits 3 s for those who do not say that they are ready.
        await load.wait(4)
        seats = len(comings(load, 0))
        before = await fences(load)
        begun_ns, begun_ms = time.monotonic_ns(), quiet.position_ms()
        killed_ns = time.time_ns()
        assert begun_ms > 0
        await kill(load)
        await load.served.start()
        listening_ns = time.monotonic_ns()
        while await fences(load) != {room_id: fence + 1 for room_id, fence in before.items()}:
            await load.wait(0.05)
        taken_ms = (time.monotonic_ns() - listening_ns) / 1e6
        await quiet.chat("back")
        late_ms = begun_ms + (time.monotonic_ns() - begun_ns) / 1e6 - quiet.position_ms()
        print(f"taken over in {taken_ms:.0f} ms, the music {late_ms:.1f} ms late")
        assert taken_ms < TAKEN_WITHIN_MS
        assert abs(late_ms) < NEAR_MS
        while len(again := comings(load, killed_ns)) < seats:
            await load.wait(0.05)
        assert [joined.room for joined in again if joined.resumed is None] == []
        await running
        assert await load.verdict() == []
        assert load.sent_again > 20
        assert load.acks > 800
