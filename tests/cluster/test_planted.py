"""The checker finds what it is there to find: bugs planted in a copy of the tree.

Each patch in `planted/` takes away one of the things that keep the promises. The same troubles
that the tree as it is comes through unharmed must then turn the checker red.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cluster.server import ROOT
from tests.cluster.trouble import Trouble

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]

PLANTED = Path(__file__).parent / "planted"
RED = {
    "publish_before_commit": {"unseen"},
    "no_dedupe": {"twice"},
    "fence_ignored": {"ghost"},
    "last_seq_not_compared": {"gap"},
    "snapshot_of_uncommitted_state": {"snapshot"},
}
"""Patch -> what the checker must say, among other things."""


def copy_of_the_tree(folder: Path) -> Path:
    """The packages alone; tests and checker stay those of this tree."""
    for package in ("protocol", "sql", "roomserver", "httpapi"):
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    return folder


def plant(folder: Path, patch: Path) -> None:
    """Apply a patch, which must fit the tree as it is today."""
    subprocess.run(
        ["git", "apply", "--unsafe-paths", f"--directory={folder}", str(patch)],
        cwd="/",
        check=True,
    )


def test_every_patch_has_its_verdict() -> None:
    assert {path.stem for path in PLANTED.glob("*.patch")} == set(RED)


async def test_the_tree_as_it_is_comes_through(database_url: str, tmp_path: Path) -> None:
    verdict = await Trouble(database_url, tmp_path / "data").run()
    assert verdict.violations == []
    assert verdict.unfinished == []


@pytest.mark.parametrize("name", RED)
async def test_a_planted_bug_turns_the_checker_red(
    name: str, database_url: str, tmp_path: Path
) -> None:
    tree = copy_of_the_tree(tmp_path / "tree")
    plant(tree, PLANTED / f"{name}.patch")
    verdict = await Trouble(database_url, tmp_path / "data", tree).run()
    assert RED[name] <= {violation.name for violation in verdict.violations}, verdict
