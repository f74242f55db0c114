"""The front door: one port for everything. Reads a whole head, then hands the transport over.

`GET /ws` becomes a WebSocket connection, anything else goes to the sidecar's HTTP protocol with
the bytes read so far. Neither of the two has a deadline for heads; this door has.
"""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from roomserver.edge.answers import answer
from roomserver.edge.connection import Connection
from roomserver.edge.wheel import Due
from roomserver.runtime.addresses import Address, client_address, is_trusted, peer_address

if TYPE_CHECKING:
    from roomserver.edge.edge import Edge

HttpFactory = Callable[[Callable[[], None]], asyncio.Protocol]
"""Makes the protocol of one HTTP connection; it must call what it is given when that is lost."""
_END: Final = b"\r\n\r\n"
_SOCKET: Final = re.compile(rb"GET /ws(\?[^ ]*)? HTTP/")
_FORWARDED: Final = re.compile(rb"(?im)^x-forwarded-for:[ \t]*([^\r\n]*)")


class FrontDoor(asyncio.Protocol):
    """A connection of which we do not know yet what it wants."""

    __slots__ = ("_due", "_edge", "_head", "_http", "_peer", "_stranger", "_transport")

    def __init__(self, edge: "Edge", http: HttpFactory | None) -> None:
        self._edge = edge
        self._http = http
        self._head = b""
        self._peer: Address | None = None
        self._stranger: str | None = None
        self._due: Due | None = None
        self._transport: asyncio.Transport

    @classmethod
    def factory(cls, edge: "Edge", http: HttpFactory | None) -> Callable[[], "FrontDoor"]:
        """What `loop.create_server` needs."""
        return lambda: cls(edge, http)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give it a little time to say what it wants."""
        self._transport = cast(asyncio.Transport, transport)
        if not self._edge.has_place(transport.get_extra_info("socket").fileno()):
            self._refuse("503 Service Unavailable")
            return
        self._peer = peer_address(transport.get_extra_info("peername"))
        # Everybody behind a proxy of ours has the proxy's address; the head will tell the real one.
        trusted = self._edge.config.trusted_proxies
        if is_trusted(self._peer, trusted) or self._enter(client_address(self._peer, (), ())):
            due_ms = self._edge.pace.head_within_ms
            self._due = self._edge.wheel.after(due_ms, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        """Collect the head."""
        if self._transport.is_closing():
            return
        seen = len(self._head)
        # Empty lines before a request are none (RFC 9112, section 2.2): who sends nothing else is
        # still in need of a head.
        self._head += data if seen else data.lstrip(b"\r\n")
        end = self._head.find(_END, max(0, seen - len(_END) + 1))
        most = self._edge.pace.head_bytes
        if end > most or (end < 0 and len(self._head) > most):
            self._refuse("431 Request Header Fields Too Large")
        elif end >= 0:
            self._decide(end + len(_END))

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone before it said what it wants."""
        self._hand_over()

    def _enter(self, address: str) -> bool:
        if self._edge.strangers.enter(address):
            self._stranger = address
            return True
        self._refuse("503 Service Unavailable")
        return False

    def _refuse(self, status: str) -> None:
        self._transport.write(answer(status, is_https=self._edge.config.is_https))
        self._transport.close()

    def _in_time(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _hand_over(self) -> None:
        self._in_time()
        if self._stranger is not None:
            self._edge.strangers.leave(self._stranger)
            self._stranger = None

    def _decide(self, end: int) -> None:
        head, self._head = self._head, b""
        if _SOCKET.match(head):
            self._ask_in(head[:end], head[end:])
        elif self._http is None:
            self._refuse("404 Not Found")
        else:
            self._to_http(head)

    def _to_http(self, head: bytes) -> None:
        # Through a proxy of ours come many people over few connections, in any order.
        address, visitors = self._stranger, self._edge.visitors
        if address is not None and not visitors.enter(address):
            self._refuse("503 Service Unavailable")
            return
        self._hand_over()
        gone = _nothing if address is None else partial(visitors.leave, address)
        assert self._http is not None
        successor = self._http(gone)
        self._transport.set_protocol(successor)
        successor.connection_made(self._transport)
        successor.data_received(head)

    def _ask_in(self, head: bytes, rest: bytes) -> None:
        if self._stranger is None:
            forwarded = [value.decode("latin-1") for value in _FORWARDED.findall(head)]
            address = client_address(self._peer, forwarded, self._edge.config.trusted_proxies)
            if not self._enter(address):
                return
        self._transport.pause_reading()
        # It has said what it wants; it waits for us from here on.
        self._in_time()
        self._edge.turnstile.wait(lambda: self._to_socket(head, rest))

    def _to_socket(self, head: bytes, rest: bytes) -> None:
        if self._stranger is None or self._transport.is_closing():
            # Gone.
            return
        if not self._edge.sockets.enter(self._stranger):
            self._refuse("503 Service Unavailable")
            return
        # The connection stays a stranger until its hello is accepted.
        stranger, self._stranger = self._stranger, None
        self._hand_over()
        self._transport.resume_reading()
        successor = Connection(self._edge, self._edge.new_conn_id(), stranger)
        self._transport.set_protocol(successor)
        successor.connection_made(self._transport)
        # Alone: what a client sends before our answer must not be read before it either.
        successor.data_received(head)
        if rest and not self._transport.is_closing():
            successor.data_received(rest)


def _nothing() -> None:
    """Nobody counted."""
