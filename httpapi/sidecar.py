"""The sidecar as a part of a process: opens what it owns, hands out connections, closes again."""

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import web

from httpapi.app import build_app
from httpapi.connections import factory
from httpapi.demo.seed import seed
from httpapi.media.storage import Storage
from httpapi.services import Services
from roomserver.bus.calls import Calls
from roomserver.runtime.clock import ClusterClock
from roomserver.runtime.config import Config
from roomserver.runtime.limits import Limiter
from roomserver.runtime.passwords import Passwords
from roomserver.runtime.tasks import Tasks
from roomserver.runtime.tokens import Tokens
from sql.pool import Database

SHUTDOWN_WITHIN_S: Final = 5.0
STAGING: Final = "uploads"


class Sidecar:
    """REST, page and media of one process. What it is given, others close."""

    def __init__(
        self,
        config: Config,
        database: Database,
        clock: ClusterClock,
        tokens: Tokens,
        limiter: Limiter,
        passwords: Passwords,
        calls: Calls,
        tasks: Tasks,
    ) -> None:
        storage = Storage.open(config.storage_url, staging=config.data_dir / STAGING)
        self.services = Services(
            config=config,
            database=database,
            clock=clock,
            tokens=tokens,
            limiter=limiter,
            passwords=passwords,
            calls=calls,
            storage=storage,
            tasks=tasks,
        )
        self._runner = web.AppRunner(
            build_app(self.services),
            handle_signals=False,
            shutdown_timeout=SHUTDOWN_WITHIN_S,
        )

    async def start(self) -> None:
        """Get ready to serve."""
        await self._runner.setup()

    async def stop(self) -> None:
        """Let the requests under way finish, for at most 5 s."""
        await self._runner.cleanup()

    def protocol(self, gone: Callable[[], None]) -> asyncio.Protocol:
        """A protocol for one connection; what was read of it already goes to `data_received`.

        `gone` is called when the connection is lost.
        """
        server = self._runner.server
        if server is None:
            raise RuntimeError("the sidecar was not started")
        return factory(server)(gone)

    async def make_demo(self) -> str:
        """Make the demo room if there is none; returns the path of its page once music plays."""
        return f"/rooms/{(await seed(self.services)).room_id}"
