"""The bus over a real Redis: the contract, and what becomes of it when Redis is away."""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from roomserver.bus import outgoing
from roomserver.bus import redis as redis_bus
from roomserver.bus.api import Bus
from roomserver.bus.metrics import LOST
from roomserver.bus.outgoing import Outgoing
from roomserver.bus.redis import RedisBus
from roomserver.bus.seal import ENVELOPE_MAX_BYTES
from roomserver.runtime import loop
from tests.bus.contract import WAIT_S, BusContract, Inbox
from tests.bus.redis_server import RedisServer, bus_at
from tests.faults.proxy import Proxy, Take

PROBED_EVERY_S = 0.3


class TestRedisBus(BusContract):
    @pytest.fixture
    async def ends(self, redis: RedisServer) -> AsyncIterator[tuple[Bus, Bus]]:
        one, other = bus_at(redis.url), bus_at(redis.url)
        yield one, other
        await one.close()
        await other.close()


@asynccontextmanager
async def far_and_near(redis: RedisServer) -> AsyncIterator[tuple[RedisBus, Proxy, RedisBus]]:
    """An end behind a network that fails, that network, and an end next to Redis."""
    network = Proxy(redis.socket)
    async with network.opened() as place:
        far, near = bus_at(place.replace("http:", "redis:")), bus_at(redis.url)
        try:
            yield far, network, near
        finally:
            await far.close()
            await near.close()


@asynccontextmanager
async def away(network: Proxy, log: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Nobody gets through, and who is behind it has noticed."""
    network.refuses = True
    network.cut()
    log.clear()
    await turns_until(lambda: "Redis is away" in log.messages)
    yield
    network.refuses = False


async def turns_until(done: Callable[[], bool]) -> None:
    """Let the loop turn until it is so."""
    async with asyncio.timeout(WAIT_S):
        while True:
            if done():
                return
            await asyncio.sleep(0)


async def hears_itself(bus: RedisBus) -> None:
    async with asyncio.timeout(WAIT_S):
        await bus.echo()


async def test_what_is_said_while_redis_is_away_waits_a_little_and_the_newest_gets_through(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(redis_bus, "PAUSE_MAX_S", 0.05)
    monkeypatch.setattr(redis_bus, "OPEN_WITHIN_S", 0.05)
    monkeypatch.setattr(outgoing, "WAITING_MAX", 100)
    received, late = Inbox(), Inbox()
    stale, full = LOST.labels("stale"), LOST.labels("full")
    async with far_and_near(redis) as (far, network, near):
        await near.open("node:near", received.take)
        await hears_itself(far)
        async with away(network, caplog):
            was_stale, patience = stale._value.get(), pytest.MonkeyPatch()
            patience.setattr(outgoing, "STALE_AFTER_S", -1)
            await far.open("http:far", late.take)
            far.publish("node:near", b"too late for anybody")
            network.refuses = False
            await turns_until(lambda: stale._value.get() > was_stale)
            patience.undo()
        await hears_itself(far)
        assert received.received == []
        async with away(network, caplog):
            was_full = full._value.get()
            for number in range(150):
                far.publish("node:near", b"%d" % number)
            assert full._value.get() - was_full == 50
        async with asyncio.timeout(WAIT_S):
            while b"149" not in received.received:
                await near.echo()
        assert received.received[-99:] == [b"%d" % number for number in range(51, 150)]
        while not late.received:
            near.publish("http:far", b"welcome back")
            await near.echo()


async def test_a_black_hole_is_noticed_and_left(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_bus, "PROBE_EVERY_S", PROBED_EVERY_S)
    received, broken = Inbox(), LOST.labels("broken")
    async with far_and_near(redis) as (far, network, near):
        await far.open("node:far", received.take)
        was_broken = broken._value.get()
        connections = network.connections
        network.asks.is_black_hole = network.answers.is_black_hole = True
        while network.connections == connections:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(2 * PROBED_EVERY_S):
                    await far.echo()
        network.asks.is_black_hole = network.answers.is_black_hole = False
        assert broken._value.get() > was_broken, "what was under way is counted"
        await hears_itself(far)
        near.publish("node:far", b"found again")
        assert await received.until(1) == [b"found again"]


async def test_who_hears_nothing_is_left_though_all_it_says_is_taken_and_who_hears_others_is_not(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_bus, "PROBE_EVERY_S", PROBED_EVERY_S)
    lost, received = b"unisono:", Inbox()

    def without_lost(take: Take) -> Take:
        return lambda data: None if b"message" in data and lost in data else take(data)

    async with far_and_near(redis) as (far, network, near):
        network.answers.through = without_lost
        lost = b"unisono:bus:"
        await far.open("node:far", received.take)
        begun_s, connections = asyncio.get_running_loop().time(), network.connections
        while asyncio.get_running_loop().time() < begun_s + 6 * PROBED_EVERY_S:
            near.publish("node:far", b"news")
            await near.echo()
        assert network.connections == connections, "its own words may be behind others'"
        await turns_until(lambda: network.connections > connections)
        lost = b"nothing"
        await hears_itself(far)


class Wire:
    """What stands between a bus and Redis; knows which connection is for what."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self.carrying = 0
        self.ends: dict[bytes, asyncio.StreamWriter] = {}
        """The side of the bus of the connection on which this was last said."""

    async def carry(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        self.carrying += 1
        answers, far = await asyncio.open_unix_connection(self._target)
        await asyncio.gather(
            self._pass(reader, far, b"PUBLISH", near),
            self._pass(answers, near, b"subscribe", near),
        )
        self.carrying -= 1

    async def _pass(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        mark: bytes,
        near: asyncio.StreamWriter,
    ) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                if mark in data:
                    self.ends[mark] = near
                target.write(data)
        target.close()

    def reset(self, mark: bytes) -> None:
        """Lose that connection by a reset."""
        transport = self.ends[mark].transport
        with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as near:
            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


def test_a_connection_that_is_reset_or_babbles_is_replaced_and_the_process_goes_on(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    # On the loop of the server, which refuses to write where a connection was reset.
    async def main() -> None:
        received, wire = Inbox(), Wire(redis.socket)
        server = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
        far = bus_at(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        near = bus_at(redis.url)
        try:
            await near.open("node:near", received.take)
            await hears_itself(far)
            wire.reset(b"PUBLISH")
            for _ in range(3):
                await near.echo()
            far.publish("node:near", b"into the void")
            await turns_until(lambda: "Redis is back" in caplog.messages)
            wire.ends[b"subscribe"].write(b":5\r\n")
            await turns_until(lambda: caplog.messages.count("Redis is back") == 2)
            far.publish("node:near", b"here again")
            assert await received.until(1) == [b"here again"]
        finally:
            await far.close()
            await near.close()
            server.close()
            await turns_until(lambda: wire.carrying == 0)

    loop.run(main())
    [told] = [line for line in caplog.records if line.message == "the link to Redis failed"]
    assert told.exc_info is not None and told.exc_info[0] is TypeError


async def test_a_word_leaves_first_and_large_envelopes_push_out_the_oldest(
    redis: RedisServer,
) -> None:
    queue, full, oversize = Outgoing(), LOST.labels("full"), LOST.labels("oversize")
    was_full, was_oversize = full._value.get(), oversize._value.get()
    queue.put_word("bus:own", b"hello?")
    for number in range(6):
        queue.put("node:b", bytes([number]) * ENVELOPE_MAX_BYTES)
    assert full._value.get() - was_full == 2, "32 MiB wait, not 48"
    batches = [await queue.batch() for _ in range(4)]
    assert [(to, envelope[:1]) for batch in batches for to, envelope in batch] == [
        ("bus:own", b"h"),
        *(("node:b", bytes([number])) for number in range(2, 6)),
    ]
    bus = bus_at(redis.url)
    bus.publish("node:b", bytes(ENVELOPE_MAX_BYTES + 1))
    await bus.close()
    assert oversize._value.get() - was_oversize == 1
