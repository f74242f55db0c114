"""The page about bots: its program runs as it stands there."""

import asyncio
import os
import re
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from protocol.bot import connect, guest
from tests.cluster.rest import new_room
from tests.cluster.server import ROOT, Served


def program() -> str:
    """The program of docs/bots.md."""
    page = (ROOT / "docs/bots.md").read_text("utf-8")
    (found,) = re.findall(r"```python\n(.*?)\n *```", page, re.S)
    return textwrap.dedent(found)


@pytest.fixture
async def fresh_url(tmp_path: Path) -> AsyncIterator[str]:
    """A server of the test's own: the program takes the first room there is."""
    served = Served(tmp_path / "data")
    await served.start()
    yield served.url
    await served.stop()


async def test_the_echo_bot_of_the_docs_answers(fresh_url: str, tmp_path: Path) -> None:
    token = await guest(fresh_url, "Ann")
    room_id = await new_room(fresh_url, token, "Kitchen")
    (tmp_path / "echo.py").write_text(program())
    bot = await asyncio.create_subprocess_exec(
        sys.executable,
        str(tmp_path / "echo.py"),
        fresh_url,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert bot.stdout is not None
    try:
        async with asyncio.timeout(20):
            assert (await bot.stdout.readline()).startswith(b"in Kitchen")
        async with connect(fresh_url, token=token) as ann:
            room = await ann.join(room_id)
            await room.chat("anybody?")
            said = await room.wait_for(
                lambda room: [m for m in room.snapshot.chat if m.by.display_name == "Echo"]
            )
            assert said[0].content == "Ann said: anybody?"
    finally:
        bot.kill()
        await bot.communicate()
