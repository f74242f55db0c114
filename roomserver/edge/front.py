"""The front door: one port for everything. Reads a whole head, then hands the transport over.

`GET /ws` becomes a WebSocket connection, anything else goes to the sidecar's HTTP protocol with
the bytes read so far. Neither of the two has a deadline for heads; this door has.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from roomserver.edge.connection import Connection
from roomserver.edge.wheel import Due

if TYPE_CHECKING:
    from roomserver.edge.edge import Edge

HttpFactory = Callable[[], asyncio.Protocol]
_END: Final = b"\r\n\r\n"


def _answer(status: str) -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n"
        "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\r\n"
    ).encode()


class FrontDoor(asyncio.Protocol):
    """A connection of which we do not know yet what it wants."""

    __slots__ = ("_address", "_due", "_edge", "_head", "_http", "_transport")

    def __init__(self, edge: "Edge", http: HttpFactory | None) -> None:
        self._edge = edge
        self._http = http
        self._head = b""
        self._address = ""
        self._due: Due | None = None
        self._transport: asyncio.Transport

    @classmethod
    def factory(cls, edge: "Edge", http: HttpFactory | None) -> Callable[[], "FrontDoor"]:
        """What `loop.create_server` needs."""
        return lambda: cls(edge, http)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give it a little time to say what it wants."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if isinstance(peer, tuple) and peer else "local"
        if not self._edge.strangers.enter(self._address):
            self._address = ""
            self._transport.write(_answer("503 Service Unavailable"))
            self._transport.close()
            return
        self._due = self._edge.wheel.after(self._edge.pace.head_within_ms, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        """Collect the head."""
        self._head += data
        if _END in self._head:
            self._decide()
        elif len(self._head) > self._edge.pace.head_bytes:
            self._transport.write(_answer("431 Request Header Fields Too Large"))
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone before it said what it wants."""
        self._leave()

    def _leave(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if self._address:
            self._edge.strangers.leave(self._address)
            self._address = ""

    def _decide(self) -> None:
        address, head = self._address, self._head
        line = head.partition(b"\r\n")[0]
        target = line.split(b" ")[1] if line.count(b" ") == 2 else b""
        is_socket = line.startswith(b"GET ") and target.partition(b"?")[0] == b"/ws"
        upgrades = b"upgrade: websocket" in head.partition(_END)[0].lower()
        self._head = b""
        successor: asyncio.Protocol
        if is_socket and upgrades:
            self._leave()
            successor = Connection(self._edge, self._edge.new_conn_id(), address)
        elif self._http is not None:
            self._leave()
            successor = self._http()
        else:
            self._transport.write(_answer("404 Not Found"))
            self._transport.close()
            return
        self._transport.set_protocol(successor)
        successor.connection_made(self._transport)
        successor.data_received(head)
