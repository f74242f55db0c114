"""F14: a disk that is full. Uploads are refused and leave nothing; what is written to the database
waits, what is read goes on; and once there is room again, so does everything.

The disks are small ones of the test's own, in memory.
"""

import asyncio
import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from sql.faults import FAULTS
from sql.pool import connect
from tests.cluster.load import Load
from tests.cluster.rest import new_room, register, tone
from tests.cluster.server import ROOT, START_WITHIN_S
from tests.faults.database_faults import acks, is_alive
from tests.faults.scene import ACK_WITHIN_MS, ack_waits_ms, scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

MEDIA_MB: Final = 4
POSTGRES_MB: Final = 96
LOGS_MB: Final = 1
PAGE_BYTES: Final = 4_096
"""What a file has begun is its own, also on a disk that is full."""
TOO_LONG_MS: Final = 60_000
"""5.5 MB of sound."""


@contextmanager
def small_disk(folder: Path, size_mb: int) -> Iterator[None]:
    """A disk of that size in place of a folder, while the block lasts."""
    folder.mkdir(parents=True)
    size = f"size={size_mb}m,mode=0700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        # Lazily: the last process of a killed server may still be ending.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave no byte free; returns the file that takes it all."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65_536))
        except OSError:
            return ballast


async def send(load: Load, token: str, data: bytes) -> tuple[int, str]:
    """Upload a track; status and code."""
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(data), filename="tone.wav", content_type="audio/wav")
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{load.served.url}/api/tracks/uploads"
    async with (
        aiohttp.ClientSession(headers=headers) as client,
        client.post(url, data=form) as answer,
    ):
        return answer.status, (await answer.json(content_type=None)).get("code", "")


async def status(load: Load, path: str) -> int:
    async with aiohttp.ClientSession() as client, client.get(load.served.url + path) as answer:
        return answer.status


async def uploads_without_room(data_dir: Path, tree: Path) -> None:
    """Too much for the disk, at once and when it is full already."""
    media = data_dir / "media"
    with small_disk(media, MEDIA_MB):
        # Nobody analyses: the renditions of the load's own tracks would come in between.
        idle = {"UNISONO_MEDIA_WORKERS": "0"}
        async with scene(None, data_dir, tree=tree, environment=idle) as load:
            token = await register(load.served.url, "uploader")
            before = sorted(media.rglob("*"))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(load.run(for_s=1.5))
                assert await send(load, token, tone(TOO_LONG_MS)) == (507, "storage_full")
                assert sorted(media.rglob("*")) == before, "something was left"
                ballast = fill(media)
                assert await send(load, token, tone(500)) == (507, "storage_full")
                assert await status(load, "/readyz") == 503
                await acks(load, 20)
            ballast.unlink()
            assert sorted(media.rglob("*")) == before, "something was left"
            assert (await send(load, token, tone(500)))[0] == 201
            assert await load.verdict() == []


async def test_f14_an_upload_that_does_not_fit_leaves_nothing_and_holds_up_nobody(
    tmp_path: Path,
) -> None:
    await uploads_without_room(tmp_path / "data", ROOT)


async def test_f14_while_the_databases_disk_is_full_it_is_read_and_then_all_goes_on(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "data"
    disk = data_dir / "postgres"
    with small_disk(disk, POSTGRES_MB):
        async with scene(None, data_dir) as load:
            owner = await register(load.served.url, "landlord")
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(load.run(for_s=8))
                await acks(load, 20)
                # First no table can grow; what there is can be read.
                ballast = fill(disk)
                await stands_still(load)
                await is_alive(load)
                assert await status(load, "/api/rooms") == 200
                ballast.unlink()
                await acks(load, 20)
                # Then the log of PostgreSQL itself has no room: it crashes, and may not come back.
                ballast = fill(disk)
                connection = await connect(load.served.database_url)
                with pytest.raises(FAULTS):
                    for _ in range(8):
                        await connection.execute(
                            "select pg_switch_wal(), pg_logical_emit_message(true, '', '')"
                        )
                connection.terminate()
                while await status(load, "/readyz") != 503:
                    await load.wait(0.1)
                await is_alive(load)
                ballast.unlink()
            assert await load.verdict() == []
            await new_room(load.served.url, owner, "Another room")


async def test_f14_a_full_disk_for_logs_neither_ends_nor_holds_up_the_server(
    database_url: str, tmp_path: Path
) -> None:
    disk, elsewhere = tmp_path / "logs", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with small_disk(disk, LOGS_MB):
        # The log lies beside the data folder, and only the log is on this disk.
        data_dir = disk / "data"
        data_dir.symlink_to(elsewhere)
        environment = {"UNISONO_LOG_LEVEL": "debug"}
        async with scene(database_url, data_dir, environment=environment) as load:
            log = data_dir.with_suffix(".log")
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(load.run(for_s=3))
                ballast, since_ns = fill(disk), time.time_ns()
                await acks(load, 60)
                written = log.stat().st_size
                for _ in range(100):
                    assert await status(load, "/healthz") == 200
                assert await status(load, "/readyz") == 200
                assert log.stat().st_size < written + PAGE_BYTES, "the disk was not full"
                ballast.unlink()
                while "lines of the log were lost" not in load.served.log:
                    assert await status(load, "/healthz") == 200
            assert max(ack_waits_ms(load, since_ns)) < ACK_WITHIN_MS
            assert await load.verdict() == []


async def test_f14_a_server_with_no_room_for_its_first_word_starts_and_ends_in_order(
    database_url: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    full = os.open("/dev/full", os.O_WRONLY)
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "roomserver", "serve", "--port", str(port)),
        *("--data-dir", str(tmp_path / "data")),
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url, "UNISONO_LOG_LEVEL": "debug"},
        stdout=full,
        stderr=full,
    )
    os.close(full)
    try:
        async with asyncio.timeout(START_WITHIN_S), aiohttp.ClientSession() as client:
            answered = 0
            while answered != 200:
                assert server.returncode is None, "it ended"
                with suppress(aiohttp.ClientConnectorError):
                    async with client.get(f"http://127.0.0.1:{port}/readyz") as answer:
                        answered = answer.status
        server.terminate()
        assert await server.wait() == 0
    finally:
        if server.returncode is None:
            server.kill()
            await server.wait()


async def stands_still(load: Load) -> None:
    """Wait until nothing is acknowledged any more."""
    async with asyncio.timeout(10):
        before = -1
        while load.acks != before:
            before = load.acks
            await load.wait(0.7)
