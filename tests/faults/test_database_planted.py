"""F10-F14, F24, F25 again, each on a copy of the tree with a bug planted: they must turn red."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest

from sql.migrate import known
from tests.cluster.test_planted import copy_of_the_tree, plant
from tests.faults.test_database import f10, f11, f12, f13
from tests.faults.test_disk import uploads_without_room
from tests.faults.test_services_away import services_away

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

PLANTED: Final = Path(__file__).parent / "database_planted"

Trial = Callable[[str, Path, Path], Awaitable[None]]
"""A fault: of a database (its URL), with a data folder, on a tree."""


async def f14(database_url: str, data_dir: Path, tree: Path) -> None:
    await uploads_without_room(data_dir, tree)


async def f24(database_url: str, data_dir: Path, tree: Path) -> None:
    """Two programs with one migration more begin at once."""
    file = tree / "sql" / "migrations" / f"{known()[-1].version + 1:04}_more.sql"
    file.write_text("select pg_sleep(1); create table plants (name text);")
    environment = {"DATABASE_URL": database_url, "PYTHONPATH": str(tree)}
    both = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "roomserver", "migrate", "--data-dir", str(data_dir)),
            cwd=tree,
            env=os.environ | environment,
            stdout=DEVNULL,
            stderr=DEVNULL,
        )
        for _ in range(2)
    ]
    assert [await one.wait() for one in both] == [0, 0]


RED: Final[dict[str, tuple[Trial, str]]] = {
    "waits_for_ever_for_an_answer": (f10, "somebody waits for ever"),
    "waits_for_ever_for_a_connection": (f11, "somebody waits for ever"),
    "acknowledges_what_failed": (f12, "Violation"),
    "refuses_what_is_in_the_log": (f13, "doubt / went wrong on our side"),
    "keeps_what_did_not_fit": (f14, "something was left"),
    "migrates_without_lock": (f24, "[0, 0]"),
    "stores_on_the_loop": (services_away, ""),
}
"""Patch -> the fault that finds it, and what is said of it; what is seen first is chance."""


def test_every_patch_has_its_fault() -> None:
    assert {path.stem for path in PLANTED.glob("*.patch")} == set(RED)


@pytest.mark.parametrize("name", RED)
async def test_a_planted_bug_turns_the_fault_red(
    name: str, database_url: str, tmp_path: Path
) -> None:
    tree = copy_of_the_tree(tmp_path / "tree")
    plant(tree, PLANTED / f"{name}.patch")
    fault, said = RED[name]
    with pytest.raises((AssertionError, TimeoutError, ExceptionGroup)) as red:
        await fault(database_url, tmp_path / "data", tree)
    found = red.value
    while isinstance(found, ExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, AssertionError | TimeoutError), found
    assert any(words in str(found) for words in said.split(" / "))
