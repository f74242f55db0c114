"""20 bots send 200 commands a second over 10 rooms, and nothing goes wrong.

Nothing that was acknowledged is lost, nothing happens twice, everybody sees one order, and the
music plays where the schedule says: the checker holds every bot's journal against the log.
"""

from pathlib import Path

import pytest

from tests.faults.scene import scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]


async def test_nothing_happens_to_a_server_that_is_left_alone(tmp_path: Path) -> None:
    async with scene(None, tmp_path / "data", bots=20, rooms=10, per_second=200) as load:
        await load.run(for_s=4)
        assert await load.verdict() == []
        assert load.acks > 600
