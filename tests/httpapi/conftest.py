"""A node, a sidecar and the front door on a real port, over a database of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from argon2 import PasswordHasher

from httpapi.app import build_app
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
from roomserver.runtime.passwords import Passwords
from roomserver.runtime.tasks import Tasks
from roomserver.runtime.tokens import Tokens
from sql.pool import Database
from tests.canary import HeardHasher
from tests.httpapi.media.s3 import S3, serving
from tests.httpapi.site import Site
from tests.httpapi.statements import CountedDatabase, Statements

EASY = HeardHasher(time_cost=1, memory_cost=8, parallelism=1)
"""The real thing, with next to no work in it."""

OpenSite = Callable[..., AbstractAsyncContextManager[Site]]


@pytest.fixture
def open_site(database: Database, database_url: str, tmp_path: Path) -> OpenSite:
    """Start a server with settings; limits and jobs are off unless they say so.

    Analysis does step back, but not so far that a busy machine never comes to it.
    """

    @asynccontextmanager
    async def opened(hasher: PasswordHasher = EASY, **settings: object) -> AsyncIterator[Site]:
        quiet = {"data_dir": tmp_path, "limits_factor": 0, "media_workers": 0, "media_niceness": 1}
        config = load({}, **(quiet | settings))
        tokens = Tokens([SigningKey("test", b"k" * 32)])
        limiter = Limiter(config.limits_factor)
        async with AsyncExitStack() as stack:
            bus, tasks = MemoryBus(), Tasks("test")
            stack.push_async_callback(bus.close)
            stack.push_async_callback(tasks.close)
            passwords = Passwords(hasher)
            stack.callback(passwords.close)
            node = Node(config, database, database_url, bus, tokens, limiter, passwords)
            await node.start()
            stack.push_async_callback(node.stop)
            calls = Calls(bus, http_party(node.id), node.directory, tasks)
            await calls.open()
            stack.push_async_callback(calls.close)
            statements = Statements()
            services = Services(
                config=config,
                database=CountedDatabase.beside(database),
                clock=node.clock,
                tokens=tokens,
                limiter=limiter,
                calls=calls,
                storage=Storage.open(config.storage_url, staging=tmp_path / "staging"),
                tasks=tasks,
                passwords=passwords,
            )
            app = build_app(services)
            app.middlewares.insert(0, statements.count)
            runner = web.AppRunner(app, shutdown_timeout=1)
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
            yield Site(f"http://127.0.0.1:{port}", client, services, database, statements, node)
            statements.within_bounds()

    return opened


@pytest.fixture
async def site(open_site: OpenSite) -> AsyncIterator[Site]:
    """A server with the default settings and without limits."""
    async with open_site() as site:
        yield site


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """One S3 server for all tests of a process: it takes seconds to start."""
    with serving() as server:
        yield server
