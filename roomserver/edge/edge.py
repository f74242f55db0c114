"""An edge: the sockets that this node holds."""

import logging
import secrets
from collections import defaultdict
from collections.abc import Callable
from typing import Final

from protocol.close_codes import CloseCode
from protocol.cluster import Message, Party
from protocol.errors import Rejected
from protocol.frames import Error, Hello, Reconnect
from protocol.ids import ConnectionId, LoginId, UserId
from roomserver.bus.channels import Channel
from roomserver.bus.directory import Directory
from roomserver.edge.connection import Connection
from roomserver.edge.headcount import Headcount
from roomserver.edge.hub import Hub
from roomserver.edge.pace import Pace
from roomserver.edge.ports import Authenticator
from roomserver.edge.router import Router
from roomserver.edge.turnstile import Turnstile
from roomserver.edge.wheel import Wheel
from roomserver.runtime.clock import ClusterClock, monotonic_ns
from roomserver.runtime.config import Config
from roomserver.runtime.limits import Limiter
from roomserver.runtime.loop import spare_descriptor
from roomserver.runtime.tasks import Tasks

_log: Final = logging.getLogger(__name__)

SAY_FULL_EVERY_MS: Final = 10_000
RECONNECT_AFTER_MS: Final = 1_000
"""People come back after this, and up to twice as much: not all at the same instant."""


def no_digests(address: str) -> tuple[str, ...]:
    """Homes are told nothing of where people come from: nobody can be banned by address."""
    return ()


class Edge:
    """Wires the parts together and knows every connection."""

    def __init__(
        self,
        config: Config,
        clock: ClusterClock,
        channel: Channel,
        directory: Directory,
        authenticator: Authenticator,
        limiter: Limiter,
        tasks: Tasks,
        *,
        digests: Callable[[str], tuple[str, ...]] = no_digests,
        pace: Pace | None = None,
    ) -> None:
        self.config = config
        self.clock = clock
        self.channel = channel
        self.directory = directory
        self.limiter = limiter
        self.digests = digests
        self.pace = pace or Pace()
        self.limited = config.limits_factor > 0
        self.wheel = Wheel(self.pace.tick_ms)
        self.turnstile = Turnstile()
        self.strangers = Headcount(None)
        """Who has not said yet who it is."""
        self.sockets = Headcount(None)
        """Open WebSockets, strangers too."""
        self.visitors = Headcount(None)
        """HTTP connections that came straight to us, not through a proxy of ours."""
        if self.limited:
            per_address = config.connections_per_address
            self.strangers = Headcount(self.pace.heads_per_address, self.pace.heads_in_all)
            self.sockets, self.visitors = Headcount(per_address), Headcount(per_address)
        self.hub = Hub(self)
        self.router = Router(self)
        self.connections: dict[ConnectionId, Connection] = {}
        self._spare_descriptor = spare_descriptor()
        self._said_full_ns = 0
        self._authenticator = authenticator
        self._tasks = tasks
        self._of_user: defaultdict[UserId, dict[str, Connection]] = defaultdict(dict)

    @property
    def connection_count(self) -> int:
        """How many sockets are open."""
        return len(self.connections)

    @property
    def user_count(self) -> int:
        """How many users they belong to."""
        return len(self._of_user)

    def receive(self, sender: Party, message: Message) -> None:
        """Something a home said over the bus."""
        self.router.receive(sender, message)

    def new_conn_id(self) -> ConnectionId:
        """A name for a new connection."""
        return secrets.token_hex(8)

    def has_place(self, descriptor: int) -> bool:
        """Whether a connection that has this descriptor leaves enough for the server itself."""
        if descriptor < self._spare_descriptor:
            return True
        now_ns = monotonic_ns()
        if now_ns - self._said_full_ns > SAY_FULL_EVERY_MS * 1e6:
            self._said_full_ns = now_ns
            _log.warning("no descriptor is left for more connections: see the hard limit")
        return False

    def opened(self, connection: Connection) -> None:
        """A handshake begins."""
        self.connections[connection.conn_id] = connection

    def closed(self, connection: Connection) -> None:
        """A connection is gone."""
        self.router.forget(connection.conn_id)
        self.connections.pop(connection.conn_id, None)
        caller = connection.dialogue.caller
        if caller is not None:
            own = self._of_user[caller.person.user_id]
            for client_id, other in list(own.items()):
                if other is connection:
                    del own[client_id]
            if not own:
                del self._of_user[caller.person.user_id]

    def authenticate(self, connection: Connection, hello: Hello) -> None:
        """Find out who says hello; the answer goes to the dialogue."""
        self._tasks.spawn("hello", self._hello(connection, hello))

    def end_login(self, login_id: LoginId | None, user_id: UserId | None, code: CloseCode) -> None:
        """A login (or all of a user's) was ended: so are its sockets."""
        for connection in list(self.connections.values()):
            caller = connection.dialogue.caller
            if caller is not None and (
                caller.login_id == login_id or caller.person.user_id == user_id
            ):
                # Nobody is coming back as this login: no grace.
                connection.dialogue.depart(explicit=True)
                connection.end(code, "the login was ended")

    async def close(self, *, drain: bool) -> None:
        """Close every socket; `drain`: tell people first when to come back."""
        for connection in list(self.connections.values()):
            if drain:
                after_ms = RECONNECT_AFTER_MS + secrets.randbelow(RECONNECT_AFTER_MS)
                connection.send(Reconnect(after_ms=after_ms))
            connection.end(CloseCode.SERVICE_RESTART, "the server stops")
            connection.transport.close()
        self.wheel.close()

    async def _hello(self, connection: Connection, hello: Hello) -> None:
        try:
            caller = await self._authenticator.authenticate(hello, connection.cookie)
        except Rejected as refusal:
            connection.send(Error(code=refusal.code, message=str(refusal)))
            away = refusal.kind.temporary
            connection.end(CloseCode.SERVICE_RESTART if away else CloseCode.CREDENTIALS)
            return
        except Exception:
            _log.exception("a hello was not handled")
            connection.end(CloseCode.INTERNAL_ERROR)
            return
        connection.cookie = None
        if not connection.is_open:
            return
        own = self._of_user[caller.person.user_id]
        replaced = own.pop(hello.client_id, None)
        if replaced is None and self.limited and len(own) >= self.config.connections_per_user:
            replaced = own.pop(next(iter(own)))
        own[hello.client_id] = connection
        if replaced is not None:
            replaced.end(CloseCode.REPLACED, "a newer connection took over")
        connection.welcomed()
        connection.dialogue.welcome(caller, hello.client_id)
