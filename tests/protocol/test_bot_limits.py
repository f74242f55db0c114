"""A bot that says too much, on a server with its limits on."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from protocol.bot import ErrorCode, Rejected, Room, connect, guest
from protocol.chat import ChatSend
from tests.cluster.rest import new_room
from tests.cluster.server import Served


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """A room on a server that counts: five messages in five seconds."""
    served = Served(tmp_path / "data", limits_factor=1)
    await served.start()
    token = await guest(served.url, "Chatterbox")
    room_id = await new_room(served.url, token, "Kitchen")
    async with connect(served.url, token=token) as me:
        yield await me.join(room_id)
    await served.stop()


async def test_all_is_said_in_the_end_and_once_unless_there_is_no_patience(room: Room) -> None:
    said = [asyncio.ensure_future(room.chat(f"{number}")) for number in range(8)]
    await room.wait_for(lambda room: len(room.snapshot.chat) == 5)
    with pytest.raises(Rejected) as refusal:
        await room.do(ChatSend(content="now!"), patience_ms=0)
    assert refusal.value.code is ErrorCode.RATE_LIMITED
    assert refusal.value.retry_after_ms is not None
    with pytest.raises(Rejected) as too_long:
        await room.do(ChatSend(content="soon"), patience_ms=refusal.value.retry_after_ms / 2)
    assert too_long.value.code is ErrorCode.RATE_LIMITED
    await asyncio.gather(*said)
    contents = [message.content for message in room.snapshot.chat]
    assert contents[:5] == ["0", "1", "2", "3", "4"]
    assert sorted(contents) == [f"{number}" for number in range(8)]
