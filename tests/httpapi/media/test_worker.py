"""The worker process: limits, death, hanging, and who may use it."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from httpapi.media.worker import ProbeWorker
from protocol.errors import ErrorCode, Rejected
from tests.httpapi.media.children import children_running
from tests.httpapi.media.sounds import silent_flac, sound


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A file whose reader waits for ever: a pipe that nobody writes to."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def probes() -> list[psutil.Process]:
    return children_running("httpapi.media.probe")


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110  (other processes set no event of ours)
        await asyncio.sleep(0)


async def started(count: int) -> list[psutil.Process]:
    """So many workers, each of them limited: then it has also asked to die with its parent."""
    await until(lambda: len(probes()) == count and all(map(limited, probes())))
    return probes()


def limited(process: psutil.Process) -> bool:
    return bool(process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0))


async def test_u4_a_file_that_eats_the_processor_is_stopped_by_the_cpu_limit(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(silent_flac(150, told=False))
    with pytest.raises(Rejected) as refusal:
        await ProbeWorker(cpu_s=1).probe(path, name="bomb.flac", max_duration_ms=10**9)
    assert refusal.value.code is ErrorCode.UNSUPPORTED_MEDIA
    assert "limits" in str(refusal.value)
    assert probes() == []


async def test_a_worker_that_hangs_is_killed_at_its_deadline(endless: Path) -> None:
    with pytest.raises(Rejected) as refusal:
        await ProbeWorker(deadline_s=0.5).probe(endless, name="x", max_duration_ms=1_000)
    assert refusal.value.code is ErrorCode.UNSUPPORTED_MEDIA
    assert probes() == []


async def test_a_worker_that_dies_refuses_its_file_and_the_next_one_is_served(
    endless: Path, tmp_path: Path
) -> None:
    worker = ProbeWorker(max_processes=1)
    probing = asyncio.ensure_future(worker.probe(endless, name="x", max_duration_ms=1_000))
    (process,) = await started(1)
    process.kill()
    with pytest.raises(Rejected) as refusal:
        await probing
    assert refusal.value.code is ErrorCode.UNSUPPORTED_MEDIA
    song = tmp_path / "song"
    song.write_bytes(sound("wav", "pcm_s16le"))
    assert (await worker.probe(song, name="s", max_duration_ms=10_000)).duration_ms == 1_000


async def test_at_most_two_run_and_too_many_are_asked_to_come_back(endless: Path) -> None:
    worker = ProbeWorker(max_waiting=3)
    asked = [
        asyncio.ensure_future(worker.probe(endless, name="x", max_duration_ms=1_000))
        for _ in range(3)
    ]
    await started(2)
    assert len(probes()) == 2
    with pytest.raises(Rejected) as refusal:
        await worker.probe(endless, name="x", max_duration_ms=1_000)
    assert refusal.value.code is ErrorCode.UNAVAILABLE
    assert refusal.value.kind.temporary
    for task in asked:
        task.cancel()
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    assert probes() == []


async def test_a_worker_dies_with_the_server(endless: Path) -> None:
    script = (
        "import asyncio, pathlib, sys\n"
        "from httpapi.media.worker import ProbeWorker\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "asyncio.run(ProbeWorker().probe(path, name='x', max_duration_ms=1000))\n"
    )
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(endless))
    try:
        found = await started(1)
    finally:
        server.kill()
        await server.wait()
    await asyncio.to_thread(psutil.wait_procs, found, timeout=5)
    assert not found[0].is_running()


async def test_a_worker_runs_under_limits_and_without_our_environment(
    endless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://u:secret@h/d")
    probing = asyncio.ensure_future(ProbeWorker().probe(endless, name="x", max_duration_ms=1_000))
    (process,) = await started(1)
    assert process.rlimit(psutil.RLIMIT_AS)[1] == 1_536 * 2**20
    assert process.rlimit(psutil.RLIMIT_CPU)[1] == 7
    assert process.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    assert "DATABASE_URL" not in process.environ()
    probing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probing


async def test_the_loop_turns_while_a_file_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(silent_flac(3.9, told=True))
    worker = ProbeWorker()
    probing = asyncio.ensure_future(worker.probe(path, name="long", max_duration_ms=4 * 3_600_000))
    turns = 0
    while not probing.done():
        turns += 1
        await asyncio.sleep(0)
    assert (await probing).duration_ms > 3 * 3_600_000
    assert turns > 1_000
