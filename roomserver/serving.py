"""Everything in one process on one port: database, node, sidecar, page."""

import asyncio
import errno
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from httpapi.sidecar import Sidecar
from roomserver.bus.calls import Calls
from roomserver.bus.directory import http_party
from roomserver.bus.memory import MemoryBus
from roomserver.edge.front import FrontDoor
from roomserver.node import Node
from roomserver.runtime.config import Config
from roomserver.runtime.keys import signing_keys
from roomserver.runtime.limits import Limiter
from roomserver.runtime.loop import on_stop_signals, tend_garbage
from roomserver.runtime.tasks import Tasks
from roomserver.runtime.tokens import Tokens
from sql.embedded import EmbeddedPostgres
from sql.migrate import migrate
from sql.pool import Database

BACKLOG: Final = 1_024

_log: Final = logging.getLogger(__name__)


class CannotServe(RuntimeError):
    """Something outside of this program is in the way; the text says what to do."""


def bind(config: Config) -> socket.socket:
    """Take the port before anything is started. Raises CannotServe."""
    listener: socket.socket | None = None
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, proto)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        return listener
    except OSError as error:
        if listener is not None:
            listener.close()
        place = f"{config.host}:{config.port}"
        if error.errno == errno.EADDRINUSE:
            raise CannotServe(
                f"Another program listens on {place}. Stop it, or choose another --port"
                " (0 takes any free one)."
            ) from None
        raise CannotServe(f"Cannot listen on {place}: {error.strerror or error}.") from None


def address_of(config: Config, listener: socket.socket) -> str:
    """Where people find the page."""
    if config.public_url is not None:
        return config.public_url
    host, port = listener.getsockname()[:2]
    host = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@asynccontextmanager
async def database_of(config: Config, tasks: Tasks) -> AsyncIterator[str]:
    """The URL of a database at the current schema: an external one, or one of our own."""
    if config.database_url is not None:
        await migrate(config.database_url)
        yield config.database_url
        return
    postgres = EmbeddedPostgres(config.data_dir / "postgres")
    url = await postgres.start()
    try:
        tasks.spawn("postgres", postgres.keep_running(), essential=True)
        await migrate(url)
        yield url
    finally:
        await postgres.stop()


async def serve(config: Config) -> int:
    """Run until a stop signal, or until a part that must run has failed. Returns the exit code.

    Raises CannotServe, ConfigError, or an error of the database that says what to do.
    """
    stop = asyncio.Event()
    failed: list[str] = []

    def crashed(name: str, error: BaseException) -> None:
        if stop.is_set():
            return  # Parts end while the server stops.
        _log.critical("a part of the server ended", extra={"part": name, "error": repr(error)})
        failed.append(name)
        stop.set()

    on_stop_signals(lambda signal: stop.set())
    keys = signing_keys(config)
    async with AsyncExitStack() as stack:
        listener = bind(config)
        stack.callback(listener.close)
        tasks = Tasks("serve", on_crash=crashed)
        stack.push_async_callback(tasks.close)
        url = await stack.enter_async_context(database_of(config, tasks))
        database = await Database.open(url)
        stack.push_async_callback(database.close)
        bus = MemoryBus()
        stack.push_async_callback(bus.close)
        tokens, limiter = Tokens(keys), Limiter(config.limits_factor)
        node = Node(config, database, url, bus, tokens, limiter, on_crash=crashed)
        await node.start()
        stack.push_async_callback(node.stop)
        calls = Calls(bus, http_party(node.id), node.directory, tasks)
        await calls.open()
        stack.push_async_callback(calls.close)
        sidecar = Sidecar(config, database, node.clock, tokens, limiter, calls, tasks)
        await sidecar.start()
        stack.push_async_callback(sidecar.stop)
        loop = asyncio.get_running_loop()
        door = FrontDoor.factory(node.edge, sidecar.protocol)
        server = await loop.create_server(door, sock=listener, backlog=BACKLOG)
        stack.callback(server.close)
        address = address_of(config, listener)
        print(f"Unisono is listening on {address}", flush=True)
        if config.demo:
            tasks.spawn("demo", _demo(sidecar, address))
        tasks.spawn("garbage", tend_garbage(), essential=True)
        await stop.wait()
        _log.info("stopping")
    return 1 if failed else 0


async def _demo(sidecar: Sidecar, address: str) -> None:
    path = await sidecar.make_demo()
    print(f"The demo room is at {address}{path}", flush=True)
