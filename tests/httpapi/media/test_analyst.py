"""The process that analyses: what it gives back, its limits, its death, who may go first."""

import asyncio
import os
from pathlib import Path

import numpy as np
import psutil
import pytest

from httpapi.media.analyst import analyse
from httpapi.media.child import ChildFailed
from httpapi.media.segments import SEGMENT_SAMPLES, Segment
from protocol.errors import ErrorCode, Rejected
from tests.httpapi.media.children import children_running
from tests.httpapi.media.sounds import sound
from tests.httpapi.media.test_segments import decoded

SAMPLES = SEGMENT_SAMPLES + 12_345


@pytest.fixture
def piece(tmp_path: Path) -> Path:
    path = tmp_path / "piece"
    path.write_bytes(sound("flac", "flac", samples=SAMPLES))
    return path


class Kept(list[Segment]):
    """The segments that came."""

    async def keep(self, segment: Segment) -> None:
        self.append(segment)


def analyses() -> list[psutil.Process]:
    return children_running("httpapi.media.analysis")


async def running() -> psutil.Process:
    """The process, once it is limited."""
    while not any(c.nice() == 1 for c in analyses()):  # noqa: ASYNC110  (it sets no event)
        await asyncio.sleep(0)
    return analyses()[0]


async def test_one_pass_gives_loudness_outline_and_segments(piece: Path) -> None:
    kept = Kept()
    heard = await analyse(piece, duration_samples=SAMPLES, niceness=1, keep=kept.keep)
    # A tone of amplitude 0.2 on both channels.
    assert heard.true_peak_db == pytest.approx(-14, abs=0.1)
    assert heard.integrated_lufs == pytest.approx(-14, abs=1)
    assert len(heard.outline) == 1_000
    assert set(heard.outline) <= {50, 51}
    assert [segment.number for segment in kept] == [0, 1]
    joined = np.concatenate([decoded(segment.flac) for segment in kept])
    tone = 0.2 * np.sin(np.arange(SAMPLES) * 2 * np.pi * 330 / 48_000)
    assert len(joined) == SAMPLES
    assert np.abs(joined[:, 0] - tone * 32_768).max() <= 1


async def test_it_goes_behind_everybody_else_under_limits_and_without_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://u:secret@h/d")
    endless = tmp_path / "pipe"
    os.mkfifo(endless)
    task = asyncio.ensure_future(
        analyse(endless, duration_samples=48_000, niceness=1, keep=Kept().keep)
    )
    process = await running()
    assert process.rlimit(psutil.RLIMIT_AS)[1] == 1_536 * 2**20
    assert process.rlimit(psutil.RLIMIT_CPU)[1] == 30
    assert process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    assert process.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    assert "DATABASE_URL" not in process.environ()
    # A session of its own would be weighed as a whole, whatever its niceness.
    assert os.getsid(process.pid) == os.getsid(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert analyses() == []


async def test_a_process_that_is_killed_has_failed_and_is_no_verdict_on_the_file(
    tmp_path: Path,
) -> None:
    endless = tmp_path / "pipe"
    os.mkfifo(endless)
    task = asyncio.ensure_future(
        analyse(endless, duration_samples=48_000, niceness=1, keep=Kept().keep)
    )
    (await running()).kill()
    with pytest.raises(ChildFailed):
        await task


async def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page"
    path.write_bytes(b"<html></html>" * 100)
    with pytest.raises(Rejected) as refusal:
        await analyse(path, duration_samples=48_000, niceness=1, keep=Kept().keep)
    assert refusal.value.code is ErrorCode.UNSUPPORTED_MEDIA
