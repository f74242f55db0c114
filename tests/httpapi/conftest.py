"""A node, a sidecar and the front door on a real port, over a database of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from argon2 import PasswordHasher

from httpapi.app import build_app
from httpapi.auth.passwords import Passwords
from httpapi.connections import factory
from httpapi.media.storage import Storage
from httpapi.services import Services
from roomserver.bus.calls import Calls
from roomserver.bus.directory import http_party
from roomserver.bus.memory import MemoryBus
from roomserver.edge.front import FrontDoor
from roomserver.node import Node
from roomserver.runtime.config import SigningKey, load
from roomserver.runtime.limits import Limiter
from roomserver.runtime.tasks import Tasks
from roomserver.runtime.tokens import Tokens
from sql.pool import Database
from tests.httpapi.site import Site

OpenSite = Callable[..., AbstractAsyncContextManager[Site]]


@pytest.fixture
def open_site(database: Database, database_url: str, tmp_path: Path) -> OpenSite:
    """Start a server with settings; limits are off unless they say otherwise."""

    @asynccontextmanager
    async def opened(**settings: object) -> AsyncIterator[Site]:
        config = load({}, **({"data_dir": tmp_path, "limits_factor": 0} | settings))
        tokens = Tokens([SigningKey("test", b"k" * 32)])
        limiter = Limiter(config.limits_factor)
        async with AsyncExitStack() as stack:
            bus, tasks = MemoryBus(), Tasks("test")
            stack.push_async_callback(bus.close)
            stack.push_async_callback(tasks.close)
            node = Node(config, database, database_url, bus, tokens, limiter)
            await node.start()
            stack.push_async_callback(node.stop)
            calls = Calls(bus, http_party(node.id), node.directory, tasks)
            await calls.open()
            stack.push_async_callback(calls.close)
            services = Services(
                config=config,
                database=database,
                clock=node.clock,
                tokens=tokens,
                limiter=limiter,
                calls=calls,
                storage=Storage.open(config.storage_url),
                tasks=tasks,
                # The real thing, with next to no work in it.
                passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
            )
            runner = web.AppRunner(build_app(services), shutdown_timeout=1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            assert runner.server is not None
            server = await asyncio.get_running_loop().create_server(
                FrontDoor.factory(node.edge, factory(runner.server)), "127.0.0.1", 0
            )
            stack.callback(server.close)
            port = server.sockets[0].getsockname()[1]
            client = await stack.enter_async_context(
                aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
            )
            yield Site(f"http://127.0.0.1:{port}", client, services, database)

    return opened


@pytest.fixture
async def site(open_site: OpenSite) -> AsyncIterator[Site]:
    """A server with the default settings and without limits."""
    async with open_site() as site:
        yield site
