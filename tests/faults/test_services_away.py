"""F25: a service that the server uses does not answer. Rooms do not notice.

So far these are the storage of media, where it is an S3 server, and Sentry.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.cluster.rest import register, tone
from tests.cluster.server import ROOT
from tests.faults.database_faults import is_alive
from tests.faults.scene import ACK_WITHIN_MS, ack_waits_ms, scene
from tests.faults.test_disk import send
from tests.httpapi.media.s3 import serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

GOES_ON_WITHIN_S: Final = 6


@asynccontextmanager
async def silence() -> AsyncIterator[int]:
    """A port that takes connections and says nothing."""

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            pass
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def services_away(database_url: str, data_dir: Path, tree: Path) -> None:
    """Uploads wait for a storage that hangs, errors for a Sentry that does, and people chat."""
    with serving() as s3:
        async with silence() as port:
            environment = s3.environment | {
                "UNISONO_STORAGE_URL": s3.place(),
                "UNISONO_SENTRY_DSN": f"http://key@127.0.0.1:{port}/1",
            }
            async with scene(database_url, data_dir, tree=tree, environment=environment) as load:
                token = await register(load.served.url, "uploader")
                async with asyncio.TaskGroup() as tasks:
                    with s3.stalled():
                        since_ns = time.time_ns()
                        uploads = [
                            tasks.create_task(send(load, token, tone(200 + n))) for n in range(8)
                        ]
                        async with asyncio.timeout(GOES_ON_WITHIN_S):
                            await load.run(for_s=2)
                            await is_alive(load)
                        assert not any(upload.done() for upload in uploads)
                        assert max(ack_waits_ms(load, since_ns)) < ACK_WITHIN_MS
                assert {upload.result()[0] for upload in uploads} == {201}
                assert await load.verdict() == []


async def test_f25_rooms_do_not_notice_that_storage_and_sentry_hang(
    database_url: str, tmp_path: Path
) -> None:
    await services_away(database_url, tmp_path / "data", ROOT)
