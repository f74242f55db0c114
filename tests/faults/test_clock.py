"""F17: the clock of the machine is set 2 h ahead, and back again, while music plays.

The database's clock jumps with it: cluster time does not. Nobody is signed out, no ban ends, no
limit opens, and each track ends at the instant that was agreed.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest

from protocol.bot import Login, Rejected, connect
from protocol.errors import ErrorCode
from protocol.moderation import MemberBan
from tests.cluster.journal import Connected
from tests.cluster.rest import new_room, register, upload
from tests.faults.machine_clock import MachineClock
from tests.faults.scene import scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

NEAR_MS: Final = 250
BAN_MS: Final = 3_600_000
JUMPS_S: Final = (7_200, 0)


@pytest.fixture
async def clock(database_url: str, tmp_path: Path) -> MachineClock:
    return await MachineClock.of(database_url, tmp_path / "data")


async def test_f17_a_clock_that_is_set_ends_nothing_and_starts_nothing(
    clock: MachineClock, database_url: str, tmp_path: Path
) -> None:
    async with (
        scene(database_url, tmp_path / "data", environment=clock.environment()) as load,
        AsyncExitStack() as stack,
    ):
        url = load.served.url
        token = await register(url, "host")
        me = await stack.enter_async_context(connect(url, token=token))
        quiet = await me.join(await new_room(url, token, "Quiet room"))
        login = await Login.guest(url, "Banned")
        rude = await stack.enter_async_context(connect(url, token=login))
        await rude.join(quiet.room_id)
        await quiet.do(MemberBan(user_id=rude.user.user_id, duration_ms=BAN_MS))
        await quiet.add(await upload(url, token, 60_000))
        running = asyncio.create_task(load.run(for_s=10))
        # A start waits 3 s for those who do not say that they are ready.
        await load.wait(4)
        begun_ns, begun_ms = time.monotonic_ns(), quiet.position_ms()
        assert begun_ms > 0
        for ahead_s in JUMPS_S:
            await clock.set_ahead(ahead_s)
            await load.wait(1.5)
            # The token has run out, or was made in what is now the future; the login has not.
            login.expire()
            again = await stack.enter_async_context(connect(url, token=login))
            with pytest.raises(Rejected) as shut:
                await again.join(quiet.room_id)
            assert shut.value.code is ErrorCode.BANNED
            await quiet.chat("still here")
            late_ms = begun_ms + (time.monotonic_ns() - begun_ns) / 1e6 - quiet.position_ms()
            print(f"{ahead_s} s ahead: the music {late_ms:.1f} ms late")
            assert abs(late_ms) < NEAR_MS
        await running
        assert await load.verdict() == []
        for journal in load.journals:
            assert sum(isinstance(line, Connected) for line in journal.lines) == 1
        assert "the database's clock jumped" in load.served.log
        assert "Traceback" not in load.served.log
