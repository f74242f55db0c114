"""Everything in one process on one port: database, node, sidecar, page."""

import asyncio
import errno
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

from httpapi.metrics import served
from httpapi.sidecar import Sidecar
from roomserver.bus.api import Bus
from roomserver.bus.calls import Calls
from roomserver.bus.directory import http_party
from roomserver.bus.memory import MemoryBus
from roomserver.bus.redis import RedisBus
from roomserver.bus.seal import Seal
from roomserver.edge.front import FrontDoor
from roomserver.edge.metrics import refresh as refresh_edge
from roomserver.home.metrics import refresh as refresh_home
from roomserver.node import Node
from roomserver.runtime.config import Config, ConfigError
from roomserver.runtime.keys import KeyFile, signing_keys
from roomserver.runtime.limits import Limiter
from roomserver.runtime.loop import on_stop_signals, tend_garbage
from roomserver.runtime.metrics import Watch
from roomserver.runtime.passwords import Passwords
from roomserver.runtime.tasks import OnCrash, Tasks
from roomserver.runtime.tokens import Tokens
from roomserver.runtime.watchdog import Watchdog
from sql.embedded import EmbeddedPostgres
from sql.migrate import migrate
from sql.pool import Database

BACKLOG: Final = 1_024

_log: Final = logging.getLogger(__name__)


class CannotServe(RuntimeError):
    """Something outside of this program is in the way; the text says what to do."""


def bind(host: str, port: int, setting: str = "--port") -> socket.socket:
    """Take a port before anything is started. Raises CannotServe, which names the `setting`."""
    listener: socket.socket | None = None
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, proto)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        return listener
    except OSError as error:
        if listener is not None:
            listener.close()
        place = f"{host}:{port}"
        if error.errno == errno.EADDRINUSE:
            raise CannotServe(
                f"Another program listens on {place}. Stop it, or choose another {setting}"
                f"{' (0 takes any free one)' if setting == '--port' else ''}."
            ) from None
        raise CannotServe(f"Cannot listen on {place}: {error.strerror or error}.") from None


def metrics_socket(config: Config) -> socket.socket | None:
    """The port of /metrics, if there is to be one. Raises CannotServe."""
    if config.metrics_port is None:
        return None
    return bind(config.host, config.metrics_port, "UNISONO_METRICS_PORT")


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


@asynccontextmanager
async def bus_of(config: Config, tokens: Tokens, on_crash: OnCrash) -> AsyncIterator[Bus]:
    """What parties talk over: Redis if there is one, which may be away. Raises ConfigError."""
    if config.redis_url is None:
        bus: Bus = MemoryBus()
    else:
        seal = Seal(lambda: tokens.bus_keys)
        try:
            bus = over_redis = RedisBus(config.redis_url, seal, on_crash=on_crash)
        except (ValueError, TypeError):
            # What they say may quote the password.
            form = "cannot be read; it looks like redis://:password@host:6379/0"
            raise ConfigError("REDIS_URL", form) from None
        over_redis.start()
    try:
        yield bus
    finally:
        await bus.close()


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
        listener = bind(config.host, config.port)
        stack.callback(listener.close)
        metrics_listener = metrics_socket(config)
        if metrics_listener is not None:
            stack.callback(metrics_listener.close)
        tasks = Tasks("serve", on_crash=crashed)
        stack.push_async_callback(tasks.close)
        url = await stack.enter_async_context(database_of(config, tasks))
        database = await Database.open(url)
        stack.push_async_callback(database.close)
        tokens, limiter = Tokens(keys), Limiter(config.limits_factor)
        bus = await stack.enter_async_context(bus_of(config, tokens, crashed))
        passwords = Passwords()
        stack.callback(passwords.close)
        if not config.signing_keys:
            tasks.spawn("signing keys", KeyFile(config, tokens).follow(), essential=True)
        node = Node(config, database, url, bus, tokens, limiter, passwords, on_crash=crashed)
        await node.start()
        stack.push_async_callback(node.stop)
        calls = Calls(bus, http_party(node.id), node.directory, tasks)
        await calls.open()
        stack.push_async_callback(calls.close)
        sidecar = Sidecar(config, database, node.clock, tokens, limiter, passwords, calls, tasks)
        await sidecar.start()
        stack.push_async_callback(sidecar.stop)
        loop = asyncio.get_running_loop()
        door = FrontDoor.factory(node.edge, sidecar.protocol)
        server = await loop.create_server(door, sock=listener, backlog=BACKLOG)
        stack.callback(server.close)
        if metrics_listener is not None:
            refresh = (partial(refresh_edge, node.edge), partial(refresh_home, node.home))
            await stack.enter_async_context(served(metrics_listener, database, refresh))
            tasks.spawn("watch", Watch().run(), essential=True)
        address = address_of(config, listener)
        _announce(f"Unisono is listening on {address}")
        if config.demo:
            tasks.spawn("demo", _demo(sidecar, address))
        tasks.spawn("garbage", tend_garbage(), essential=True)
        tasks.spawn("watchdog", Watchdog().run(), essential=True)
        await stop.wait()
        _log.info("stopping")
    return 1 if failed else 0


async def _demo(sidecar: Sidecar, address: str) -> None:
    path = await sidecar.make_demo()
    _announce(f"The demo room is at {address}{path}")


def _announce(line: str) -> None:
    """Tell whoever started the server, unless a full disk is in the way."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        raise  # Nobody is there any more.
    except OSError as error:
        _log.warning("stdout takes nothing", extra={"error": str(error), "line": line})
