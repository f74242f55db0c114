"""One node: the only place that builds home and edge, and orders their start and stop."""

import logging
import os
from typing import Final, get_args
from uuid import UUID, uuid4

from protocol.close_codes import CloseCode
from protocol.cluster import FromHome, Message, Party, ToHome
from protocol.ids import NodeId
from roomserver.authenticator import LoginAuthenticator
from roomserver.bus.api import Bus
from roomserver.bus.channels import Channel
from roomserver.bus.directory import Directory, node_party
from roomserver.edge.edge import Edge
from roomserver.home.pace import Pace
from roomserver.home.table import Home
from roomserver.runtime.clock import ClusterClock
from roomserver.runtime.config import Config, ConfigError
from roomserver.runtime.limits import Limiter
from roomserver.runtime.passwords import Passwords
from roomserver.runtime.tasks import OnCrash, Tasks
from roomserver.runtime.tokens import Tokens
from sql.pool import Database

TO_HOME: Final = get_args(ToHome)
FROM_HOME: Final = get_args(FromHome)
NODE_FILE: Final = "node-id"

_log: Final = logging.getLogger(__name__)


def node_id(config: Config) -> NodeId:
    """This node's name, made on first start. Kept, so that it takes its own rooms back at once.

    Raises ConfigError if the file holds something else.
    """
    path = config.data_dir / NODE_FILE
    config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o711)
    if not path.exists():
        draft = path.with_name(f"{NODE_FILE}.{os.getpid()}")
        draft.write_text(str(uuid4()))
        draft.replace(path)
    try:
        return str(UUID(path.read_text().strip()))
    except (OSError, ValueError) as error:
        raise ConfigError(str(path), f"holds no node id ({error}); remove it") from None


class Node:
    """Home and edge of one process, on one end of the bus.

    `on_crash(name, error)` is called when a part that must run has ended.
    """

    def __init__(
        self,
        config: Config,
        database: Database,
        database_url: str,
        bus: Bus,
        tokens: Tokens,
        limiter: Limiter,
        passwords: Passwords,
        *,
        pace: Pace | None = None,
        on_crash: OnCrash | None = None,
    ) -> None:
        self.id = node_id(config)
        self.party = node_party(self.id)
        self.clock = ClusterClock()
        self.directory = Directory(self.party)
        self._tasks = Tasks("node", on_crash=on_crash)
        self._channel = Channel(bus, self.party, self._receive)
        self.home = Home(
            database,
            database_url,
            self.clock,
            self._channel,
            self.id,
            passwords,
            pace=pace,
            on_crash=on_crash,
        )
        self._authenticator = LoginAuthenticator(config, database, tokens, self._end_login)
        self.edge = Edge(
            config,
            self.clock,
            self._channel,
            self.directory,
            self._authenticator,
            limiter,
            self._tasks,
            digests=lambda address: tokens.digests.of(address),
        )

    async def start(self) -> None:
        """Bring home and edge up. Raises what the database raises if it cannot be reached."""
        await self._channel.open()
        # Who was signed out while this node was down must not come in.
        await self._authenticator.poll()
        await self.home.start()
        self._tasks.spawn("revocations", self._authenticator.run(), essential=True)

    async def stop(self) -> None:
        """Send everybody away, then finish and store what is under way."""
        await self.edge.close(drain=True)
        await self.home.close()
        self._channel.close()
        await self._tasks.close()

    def _receive(self, sender: Party, message: Message) -> None:
        if isinstance(message, TO_HOME):
            self.home.receive(sender, message)
        elif isinstance(message, FROM_HOME):
            self.edge.receive(sender, message)
        else:
            _log.warning("a message for nobody", extra={"kind": type(message).__name__})

    def _end_login(self, login_id: str | None, user_id: str | None) -> None:
        self.edge.end_login(login_id, user_id, CloseCode.CREDENTIALS)
