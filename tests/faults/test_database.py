"""F10-F13: what people notice of a PostgreSQL in trouble is a pause, and refusals to try again.

Bots talk on meanwhile, and the checker holds their journals against the log. The same faults on a
copy of the tree with a bug planted turn red.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest

from tests.cluster.database_wire import DatabaseWire
from tests.cluster.server import ROOT
from tests.faults.database_faults import exhausted, in_doubt, killed_and_stopped, refused
from tests.faults.scene import scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

PLANTED: Final = Path(__file__).parent / "database_planted"

Trial = Callable[[str, Path, Path], Awaitable[None]]
"""A fault on a database (URL), with a data folder, on a tree. Raises AssertionError."""


async def f10(database_url: str, data_dir: Path, tree: Path) -> None:
    async with scene(None, data_dir, tree=tree) as load:
        await killed_and_stopped(load)
        assert await load.verdict() == []
        assert load.acks > 100


async def f11(database_url: str, data_dir: Path, tree: Path) -> None:
    async with scene(database_url, data_dir, tree=tree) as load:
        await exhausted(load)
        assert await load.verdict() == []


async def f12(database_url: str, data_dir: Path, tree: Path) -> None:
    async with scene(database_url, data_dir, tree=tree) as load:
        await refused(load)
        assert await load.verdict() == []
        assert load.acks > 50


async def f13(database_url: str, data_dir: Path, tree: Path) -> None:
    wire = DatabaseWire(database_url)
    async with wire.opened() as wired_url, scene(wired_url, data_dir, tree=tree) as load:
        await in_doubt(load, wire)
        assert await load.verdict() == []


async def test_f10_a_database_killed_or_standing_still_loses_nothing_and_holds_up_nobody(
    database_url: str, tmp_path: Path
) -> None:
    await f10(database_url, tmp_path / "data", ROOT)


async def test_f11_without_a_free_connection_a_request_is_refused_within_2_s(
    database_url: str, tmp_path: Path
) -> None:
    await f11(database_url, tmp_path / "data", ROOT)


async def test_f12_what_the_database_refuses_for_now_is_tried_again_under_the_same_name(
    database_url: str, tmp_path: Path
) -> None:
    await f12(database_url, tmp_path / "data", ROOT)


async def test_f13_what_became_of_a_command_is_told_only_when_the_log_says_so(
    database_url: str, tmp_path: Path
) -> None:
    await f13(database_url, tmp_path / "data", ROOT)
