"""The sidecar as one object: the command line starts it and hangs it behind the front door."""

import asyncio

from aiohttp import web

from httpapi.app import build_app
from httpapi.media.storage import Storage
from httpapi.services import Services
from roomserver.bus.calls import Calls
from roomserver.runtime.clock import ClusterClock
from roomserver.runtime.config import Config
from roomserver.runtime.limits import Limiter
from roomserver.runtime.tasks import Tasks
from roomserver.runtime.tokens import Tokens
from sql.pool import Database

SHUT_DOWN_WITHIN_S = 5


class Sidecar:
    """REST, page and media of one process."""

    def __init__(
        self,
        config: Config,
        database: Database,
        clock: ClusterClock,
        tokens: Tokens,
        limiter: Limiter,
        calls: Calls,
        tasks: Tasks,
    ) -> None:
        self.services = Services(
            config=config,
            database=database,
            clock=clock,
            tokens=tokens,
            limiter=limiter,
            calls=calls,
            storage=Storage.open(config.storage_url, staging=config.data_dir / "staging"),
            tasks=tasks,
        )
        # No access lines: they carry whole URLs.
        self._runner = web.AppRunner(
            build_app(self.services),
            access_log=None,
            shutdown_timeout=SHUT_DOWN_WITHIN_S,
        )

    async def start(self) -> None:
        """Bring the app up; it listens on no port of its own."""
        await self._runner.setup()

    def protocol(self) -> asyncio.Protocol:
        """One HTTP connection, for the front door."""
        server = self._runner.server
        assert server is not None, "the sidecar was not started"
        return server()

    async def stop(self) -> None:
        """Let requests end, then the app's own parts."""
        await self._runner.cleanup()
