"""Planted bugs are patches of slow tests: one that does not fit any more is seen here at once."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATCHES = sorted(ROOT.glob("tests/**/*.patch"))


def test_there_are_some() -> None:
    assert len(PATCHES) >= 10


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_planted_bug_fits_the_code(patch: Path) -> None:
    # Outside any repository `git apply` looks at the files alone: a copy without .git will do.
    said = subprocess.run(
        ["git", "apply", "--check", "--unsafe-paths", f"--directory={ROOT}", str(patch)],
        cwd="/", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
