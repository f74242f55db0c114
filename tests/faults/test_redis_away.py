"""A real server whose bus is a Redis: attacked there (H6), and without it for a while."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import aiohttp
import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisAway

from protocol.bot import guest
from protocol.chat import ChatSend
from protocol.errors import Rejected
from protocol.ids import RoomId
from protocol.users import Person
from roomserver.bus.calls import Calls
from roomserver.bus.directory import Directory, http_party, node_party
from roomserver.bus.redis import RedisBus
from roomserver.bus.seal import Seal
from roomserver.node import NODE_FILE
from roomserver.runtime.config import SigningKey
from roomserver.runtime.tasks import Tasks
from roomserver.runtime.tokens import BUS
from tests.bus.redis_server import RedisServer
from tests.cluster.load import Load
from tests.faults.database_faults import acks, is_alive
from tests.faults.scene import scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

SECRET: Final = "a secret of 32 bytes or some more"
BACK_WITHIN_S: Final = 15
"""The longest pause between two attempts is 5 s."""


@asynccontextmanager
async def another_process(redis: RedisServer, node: str) -> AsyncIterator[Calls]:
    """A sidecar as it would run elsewhere: it shares Redis and the keys with the server."""
    keys = (SigningKey("first", SECRET.encode()).derived(BUS),)
    bus, tasks = RedisBus(redis.url, Seal(lambda: keys)), Tasks("elsewhere")
    bus.start()
    calls = Calls(bus, http_party("elsewhere"), Directory(node), tasks)
    await calls.open()
    yield calls
    await calls.close()
    await bus.close()
    await tasks.close()


async def readiness(load: Load, wanted: int) -> str:
    """What /readyz says as soon as it has this status."""
    async with aiohttp.ClientSession() as client, asyncio.timeout(BACK_WITHIN_S):
        while True:
            async with client.get(f"{load.served.url}/readyz") as answer:
                if answer.status == wanted:
                    return await answer.text()


async def chat_is_seen(load: Load, calls: Calls, person: Person, room_id: RoomId) -> None:
    """Somebody says something in another process; bots and REST hear it here."""
    content = f"from elsewhere after {load.acks} acks"
    await calls.submit(room_id, person, ChatSend(content=content))
    (room,) = [room for room in load.rooms if room.room_id == room_id]
    await room.wait_for(lambda room: any(m.content == content for m in room.snapshot.chat))
    headers = {"Authorization": f"Bearer {await guest(load.served.url, 'Reader')}"}
    async with aiohttp.ClientSession(headers=headers) as client:
        url = f"{load.served.url}/api/rooms/{room_id}/messages"
        async with client.get(url) as answer:
            assert content in await answer.text()


async def test_h6_a_redis_that_is_attacked_and_killed_hurts_no_room_and_comes_back_into_use(
    database_url: str, tmp_path: Path
) -> None:
    # A path of its own: that of a Unix socket may have 107 bytes.
    with TemporaryDirectory() as folder, RedisServer(Path(folder)) as redis:
        environment = {"REDIS_URL": redis.url, "UNISONO_SIGNING_KEYS": f"first:{SECRET}"}
        data_dir = tmp_path / "data"
        async with scene(database_url, data_dir, environment=environment) as load:
            node = node_party((data_dir / NODE_FILE).read_text())
            room_id = load.rooms[0].room_id
            await load.enter("Far", load.served.url, room_id)
            person = Person(user_id=load.journals[-1].user_id, display_name="Far")
            async with another_process(redis, node) as calls, asyncio.TaskGroup() as tasks:
                running = tasks.create_task(load.run(for_s=8))
                await chat_is_seen(load, calls, person, room_id)
                attack = tasks.create_task(shout(redis, node))
                await acks(load, 30)
                await chat_is_seen(load, calls, person, room_id)
                attack.cancel()
                redis.kill()
                assert '"bus"' in await readiness(load, 503)
                await is_alive(load)
                await acks(load, 30)
                with pytest.raises(Rejected, match="did not answer"):
                    await calls.submit(room_id, person, ChatSend(content="lost"), timeout_ms=500)
                redis.start()
                await readiness(load, 200)
                await chat_is_seen(load, calls, person, room_id)
                await running
            assert await load.verdict() == []
        told = [line for line in load.served.log.splitlines() if "not sealed" in line]
        assert len(told) == 2, "once for each reason"


async def shout(redis: RedisServer, node: str) -> None:
    """Everything that somebody without a key can say to a node, as fast as Redis takes it."""
    forged = Seal(lambda: [b"f" * 32])
    # It may be killed while somebody shouts.
    async with Redis.from_url(redis.url) as attacker:
        with suppress(RedisAway):
            while True:
                for data in (b"\xc1", bytes(100_000), forged.seal(node, b"\x93")):
                    await attacker.publish(f"unisono:{node}", data)
                await asyncio.sleep(0)
