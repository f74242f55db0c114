"""One socket: bytes in, messages out. No task, no future, no timer of its own.

    transport -> ServerProtocol (websockets, Sans-I/O) -> Dialogue
    Hub, Dialogue -> prebuilt frames -> transport

The front door has read the head already and hands the transport over. What the WebSocket protocol
itself wants to say (handshake, pong, close) comes out of `data_to_send`; frames of ours are built
once for many readers and written straight to the transport while the connection is open.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from protocol.close_codes import CloseCode
from protocol.codec import encode
from protocol.frames import MAX_FRAME_BYTES
from roomserver.edge import origins
from roomserver.edge.budget import Budget
from roomserver.edge.dialogue import Dialogue
from roomserver.edge.framing import text_frame
from roomserver.edge.wheel import Due
from roomserver.runtime.clock import monotonic_ns

if TYPE_CHECKING:
    from msgspec import Struct

    from roomserver.edge.edge import Edge

SUBPROTOCOL: Final = Subprotocol("unisono.v1.json")
FRAGMENTS: Final = 64
"""A message in more pieces than this is an attack."""

_quiet: Final = logging.getLogger("websockets.edge")
_quiet.setLevel(logging.CRITICAL)


class Connection(asyncio.Protocol):
    """A WebSocket from handshake to end."""

    __slots__ = (
        "_budget", "_close_due", "_edge", "_parts", "_ping_due", "_ping_sent_ns", "_pings",
        "_pong_due", "_slow_due", "_ws", "address", "conn_id", "cookie", "dialogue", "is_open",
        "paused", "rtt_ms", "transport",
    )  # fmt: skip

    def __init__(self, edge: "Edge", conn_id: str, address: str) -> None:
        self._edge = edge
        self.conn_id = conn_id
        self.address = address
        self.cookie: str | None = None
        self.rtt_ms: float | None = None
        """The last round trip that we measured ourselves; None before the first pong."""
        self.is_open = False
        self.paused = False
        self.dialogue = Dialogue(edge, self)
        self._ws = ServerProtocol(
            subprotocols=[SUBPROTOCOL],
            select_subprotocol=lambda _, offered: SUBPROTOCOL if SUBPROTOCOL in offered else None,
            max_size=MAX_FRAME_BYTES,
            logger=_quiet,
        )
        self._budget = Budget(edge.pace.frames_per_second)
        self._parts: list[bytes] = []
        self._pings = 0
        self._ping_sent_ns = 0
        self._ping_due: Due | None = None
        self._pong_due: Due | None = None
        self._slow_due: Due | None = None
        self._close_due: Due | None = None
        self.transport: asyncio.Transport

    # What asyncio tells us.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport over from the front door."""
        # uvloop's transports keep the interface without inheriting from it.
        self.transport = cast(asyncio.Transport, transport)
        self._edge.opened(self)

    def data_received(self, data: bytes) -> None:
        """Feed the protocol; act on what it found."""
        ws = self._ws
        ws.receive_data(data)
        for event in ws.events_received():
            if isinstance(event, Request):
                self._upgrade(event)
            elif isinstance(event, Frame):
                self._frame(event)
            if self.transport.is_closing():
                return
        self._send_protocol()

    def eof_received(self) -> bool:
        """The peer sends no more."""
        self._ws.receive_eof()
        self._send_protocol()
        return False

    def pause_writing(self) -> None:
        """The peer reads too slowly: live events stop until it has caught up."""
        self.paused = True
        self._slow_due = self._edge.wheel.after(self._edge.pace.slow_after_ms, self.too_slow)

    def resume_writing(self) -> None:
        """The peer has caught up: bring what it missed."""
        self.paused = False
        self._cancel("_slow_due")
        self._edge.hub.caught_up(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end. Nothing may keep this object alive afterwards."""
        self.is_open = False
        for due in ("_ping_due", "_pong_due", "_slow_due", "_close_due"):
            self._cancel(due)
        self._parts.clear()
        self.dialogue.close()
        self._edge.closed(self)

    # What others ask of us.

    def write(self, frames: bytes) -> None:
        """Write prebuilt frames, if the connection is open."""
        if self.is_open and not self.transport.is_closing():
            self.transport.write(frames)
            if self.paused and self.transport.get_write_buffer_size() > self._edge.pace.slow_bytes:
                self.too_slow()

    def send(self, frame: "Struct") -> None:
        """Encode and write one frame for this connection alone."""
        self.write(text_frame(encode(frame)))

    def end(self, code: CloseCode, reason: str = "") -> None:
        """Close politely, and for good after `close_within_ms`."""
        if self.is_open:
            self.is_open = False
            self._ws.send_close(int(code), reason)
            self._send_protocol()

    def too_slow(self) -> None:
        """Tell it, though it will hardly read it, and let go."""
        self.end(CloseCode.TOO_SLOW, "too slow")
        self._drop()

    def expect_hello(self) -> None:
        """Nobody may stay without saying who it is."""
        self._close_due = self._edge.wheel.after(
            self._edge.pace.hello_within_ms, lambda: self.end(CloseCode.NO_HELLO, "no hello")
        )

    def welcomed(self) -> None:
        """The hello was accepted: from now on keep the line alive and measure it."""
        self._cancel("_close_due")
        self._later_ping()

    # The WebSocket protocol.

    def _upgrade(self, request: Request) -> None:
        refusal = origins.refusal(request, self._edge.config.public_url)
        if refusal is not None:
            response = self._ws.reject(*refusal)
        else:
            response = self._ws.accept(request)
            if request.headers.get("Origin") is not None:
                self.cookie = request.headers.get("Cookie")
        for name, value in origins.SECURITY_HEADERS:
            response.headers[name] = value
        self._ws.send_response(response)
        self.is_open = self._ws.state is OPEN
        self._send_protocol()
        if self.is_open:
            self.expect_hello()

    def _frame(self, frame: Frame) -> None:
        if not self.is_open:
            return
        if self._edge.limited and not self._budget.take():
            self.end(CloseCode.RATE_LIMITED, "too many frames")
            return
        match frame.opcode:
            case Opcode.TEXT | Opcode.CONT:
                self._text(frame)
            case Opcode.PONG:
                self._pong(frame)
            case Opcode.BINARY:
                self.end(CloseCode.UNSUPPORTED_DATA, "text frames only")
            case Opcode.CLOSE:
                self.is_open = False

    def _text(self, frame: Frame) -> None:
        if frame.fin and not self._parts:
            self.dialogue.receive(bytes(frame.data))
            return
        self._parts.append(bytes(frame.data))
        if len(self._parts) > FRAGMENTS:
            self.end(CloseCode.TOO_BIG, "too many fragments")
        elif frame.fin:
            whole, self._parts = b"".join(self._parts), []
            self.dialogue.receive(whole)

    def _later_ping(self) -> None:
        pace = self._edge.pace
        early = pace.ping_early_ms
        delay_ms = early[self._pings] if self._pings < len(early) else pace.ping_every_ms
        self._ping_due = self._edge.wheel.after(delay_ms, self._ping)

    def _ping(self) -> None:
        if not self.is_open:
            return
        self._pings += 1
        self._ping_sent_ns = monotonic_ns()
        self._ws.send_ping(self._pings.to_bytes(4, "big"))
        self._pong_due = self._edge.wheel.after(self._edge.pace.pong_within_ms, self._drop)
        self._send_protocol()

    def _pong(self, frame: Frame) -> None:
        if self._pong_due is None or bytes(frame.data) != self._pings.to_bytes(4, "big"):
            return
        self._cancel("_pong_due")
        self.rtt_ms = (monotonic_ns() - self._ping_sent_ns) / 1e6
        self._edge.hub.measured(self)
        self._later_ping()

    def _drop(self) -> None:
        # uvloop raises on a write after this; what is not open is not written to.
        self.is_open = False
        self.transport.abort()

    def _send_protocol(self) -> None:
        """Write what the protocol has to say; b"" means that we are done writing."""
        transport = self.transport
        for data in self._ws.data_to_send():
            if transport.is_closing():
                break
            if data:
                transport.write(data)
            elif transport.can_write_eof():
                transport.write_eof()
        if self._ws.close_expected():
            self.is_open = False
            if self._close_due is None or self._close_due.call is None:
                self._close_due = self._edge.wheel.after(
                    self._edge.pace.close_within_ms, transport.abort
                )

    def _cancel(self, name: str) -> None:
        due: Any = getattr(self, name)
        if due is not None:
            due.cancel()
            setattr(self, name, None)
