"""The real server, for the bots that are tried against it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from protocol.bot import guest
from tests.cluster.rest import new_room
from tests.cluster.server import Served
from tests.protocol.talk import Talk


@pytest.fixture(scope="session")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a server of this test run listens."""
    folder: Path = tmp_path_factory.mktemp("served")
    with asyncio.Runner() as runner:
        served = Served(folder / "data")
        runner.run(served.start())
        yield served.url
        runner.run(served.stop())


@pytest.fixture
async def token(base_url: str) -> str:
    """A guest's."""
    return await guest(base_url, "Echo")


@pytest.fixture
async def room_id(base_url: str, token: str) -> AsyncIterator[str]:
    """A new public room of that guest's."""
    yield await new_room(base_url, token, "Kitchen")


@pytest.fixture
def talk() -> Talk:
    """In the room."""
    talk = Talk()
    talk.connect()
    talk.join()
    return talk
