"""Alive and ready: what is wrong is named, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web

from httpapi import health
from httpapi.app import build_app
from httpapi.media.storage import Storage
from httpapi.services import Services
from protocol.cluster import Message, Party, Ping, Pong
from roomserver.bus.calls import Calls
from roomserver.bus.channels import Channel
from roomserver.bus.directory import Directory
from roomserver.bus.memory import MemoryBus
from roomserver.runtime.clock import ClusterClock
from sql.pool import Database, connect
from tests.httpapi.site import Site

HOME = "node:home"


@pytest.fixture(autouse=True)
def nobody_waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "ANSWER_WITHIN_S", 1.5)


class Node:
    """A node that says how it is."""

    def __init__(self, bus: MemoryBus, *, beat_age_ms: float, standstill_ms: float) -> None:
        self._ages_ms = beat_age_ms, standstill_ms
        self._channel = Channel(bus, HOME, self._receive)

    async def open(self) -> None:
        await self._channel.open()

    def _receive(self, sender: Party, message: Message) -> None:
        assert isinstance(message, Ping)
        self._channel.post(sender, Pong(message.conn, *self._ages_ms))


async def causes(services: Services) -> set[str]:
    """What a sidecar with these services says is wrong."""
    runner = web.AppRunner(build_app(services), shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"http://127.0.0.1:{port}/readyz") as answer,
        ):
            body = await answer.json(content_type=None)
            assert (answer.status == 503) is bool(body.get("details")), body
            return set(body.get("details", ()))
    finally:
        await runner.cleanup()


@asynccontextmanager
async def calling(services: Services, bus: MemoryBus) -> AsyncIterator[Services]:
    """The same sidecar on another bus."""
    calls = Calls(bus, "http:test", Directory(HOME), services.tasks)
    await calls.open()
    yield replace(services, calls=calls)
    await calls.close()


async def test_a_server_that_lacks_nothing_is_alive_and_ready(site: Site) -> None:
    assert (await site.ask("GET", "/healthz")).body == {"status": "ok"}
    assert (await site.ask("GET", "/readyz")).body == {"status": "ok"}


async def test_a_database_that_takes_no_writes_or_is_gone_is_not_ready_but_alive(
    site: Site, database_url: str, database: Database
) -> None:
    name = await site.scalar("select current_database()")
    connection = await connect(database_url)
    try:
        await connection.execute(f'alter database "{name}" set default_transaction_read_only = on')
        others = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1"
        await connection.execute(f"{others} and pid <> pg_backend_pid()", name)
        while "writes" not in (answer := await site.ask("GET", "/readyz")).body["detail"]:
            pass  # The first who asks finds out that the connections are gone.
        assert (answer.status, answer.code) == (503, "unavailable")
        assert answer.body["details"]["database"] == "The database takes no writes"
        assert int(answer.headers["Retry-After"]) == 1
        await connection.execute("set default_transaction_read_only = off")
        await connection.execute(f'alter database "{name}" reset default_transaction_read_only')
        await connection.execute(f"{others} and pid <> pg_backend_pid()", name)
    finally:
        await connection.close()
    while (await site.ask("GET", "/readyz")).status != 200:
        pass
    gone = await Database.open(database_url)
    await gone.close()
    assert await causes(replace(site.services, database=gone)) == {"database"}
    assert (await site.ask("GET", "/healthz")).status == 200


async def test_an_unknown_time_and_a_storage_that_cannot_be_written_are_named(
    site: Site,
) -> None:
    staging = site.services.config.data_dir / "elsewhere"
    broken = Storage.open(staging / "media", staging=staging)
    (staging / "media/incoming").rmdir()
    services = replace(site.services, clock=ClusterClock(), storage=broken)
    assert await causes(services) == {"clock", "storage"}


async def test_bus_node_beat_and_committer_are_told_apart(site: Site) -> None:
    dead, empty = MemoryBus(), MemoryBus()
    async with calling(site.services, dead) as services:
        await dead.close()
        assert await causes(services) == {"bus", "node"}
    async with calling(site.services, empty) as services:
        assert await causes(services) == {"node"}
    for beat_age_ms, standstill_ms, wrong in (
        (900.0, 40.0, set()),
        (6_000.0, 40.0, {"beat"}),
        (900.0, 6_000.0, {"committer"}),
    ):
        bus = MemoryBus()
        await Node(bus, beat_age_ms=beat_age_ms, standstill_ms=standstill_ms).open()
        async with calling(site.services, bus) as services:
            assert await causes(services) == wrong
