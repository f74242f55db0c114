"""One socket: bytes in, messages out. No task, no future, no timer of its own.

    transport -> ServerProtocol (websockets, Sans-I/O) -> Dialogue
    Hub, Dialogue -> prebuilt frames -> Outbox -> transport

The front door has read the head already and hands the transport over. What the WebSocket protocol
itself wants to say (handshake, pong, close) comes out of `data_to_send`; frames of ours are built
once for many readers and written straight to the transport while the connection is open.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, Final, cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import CONNECTING, OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from protocol.close_codes import CloseCode
from protocol.encodings import ENCODINGS, JSON, Encoding
from protocol.frames import MAX_FRAME_BYTES
from roomserver.edge import origins
from roomserver.edge.answers import answer, security_headers
from roomserver.edge.budget import Budget
from roomserver.edge.deflate import EXTENSION, is_wide
from roomserver.edge.dialogue import Dialogue
from roomserver.edge.framing import framed
from roomserver.edge.keepalive import Keepalive
from roomserver.edge.metrics import CLOSES, DROPPED, PAUSED
from roomserver.edge.outbox import Outbox
from roomserver.edge.wheel import Due

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import Struct

    from roomserver.edge.edge import Edge

SPOKEN: Final = {encoding.subprotocol: encoding for encoding in ENCODINGS.values()}
FRAGMENTS: Final = 64
"""A message in more pieces than this is an attack."""
BITE_BYTES: Final = 8 * 1024
"""As much is parsed at a time, so that a flood is noticed after a thousand frames."""

_quiet: Final = logging.getLogger("websockets.edge")
_quiet.setLevel(logging.CRITICAL)


class _Protocol(ServerProtocol):
    # A method, not the argument of that name: the library would bind it to the object for good,
    # a cycle that only the garbage collector could undo.
    def select_subprotocol(self, subprotocols: "Sequence[Subprotocol]") -> Subprotocol | None:
        # Of those that we speak, the one that the client would like best.
        return next((spoken for spoken in subprotocols if spoken in SPOKEN), None)


class Connection(asyncio.Protocol):
    """A WebSocket from handshake to end."""

    __slots__ = (
        "_budget", "_close_due", "_edge", "_is_stranger", "_keepalive", "_outbox", "_parts",
        "_slow_due", "_ws", "address", "conn_id", "cookie", "dialogue", "encoding", "is_open",
        "paused", "transport",
    )  # fmt: skip

    def __init__(self, edge: "Edge", conn_id: str, address: str) -> None:
        self._edge = edge
        self.conn_id = conn_id
        self.address = address
        """Counted among the strangers until hello is accepted."""
        self.encoding: Encoding = JSON
        """Agreed on in the handshake."""
        self.cookie: str | None = None
        self.is_open = False
        self.paused = False
        """Live events would only pile up; the hub leaves them out and brings them later."""
        self.dialogue = Dialogue(edge, self)
        self._ws = _Protocol(max_size=MAX_FRAME_BYTES, extensions=[EXTENSION], logger=_quiet)
        self._budget = Budget(edge.pace.frames_per_second)
        self._keepalive = Keepalive(self, edge.wheel, edge.pace)
        self._parts: list[bytes] | None = None
        self._outbox: Outbox | None = None
        self._slow_due: Due | None = None
        self._close_due: Due | None = None
        self._is_stranger = True
        self.transport: asyncio.Transport

    @property
    def rtt_ms(self) -> float | None:
        """The last round trip that we measured ourselves; None before the first pong."""
        return self._keepalive.rtt_ms

    @property
    def inflates(self) -> bool:
        """Whether the reader takes compressed messages, and back to any distance."""
        return any(is_wide(extension) for extension in self._ws.extensions)

    # What asyncio tells us.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport over from the front door."""
        # uvloop's transports keep the interface without inheriting from it.
        self.transport = cast(asyncio.Transport, transport)
        self._edge.opened(self)

    def data_received(self, data: bytes) -> None:
        """Feed the protocol; act on what it found."""
        if self.is_open and len(data) > BITE_BYTES:
            for start in range(0, len(data), BITE_BYTES):
                self._bite(data[start : start + BITE_BYTES])
        else:
            self._bite(data)

    def eof_received(self) -> bool:
        """The peer sends no more: asyncio closes the transport after this."""
        self.is_open = False
        self._ws.receive_eof()
        self._send_protocol()
        return False

    def pause_writing(self) -> None:
        """The peer reads too slowly: live events stop until it has caught up."""
        self.paused = True
        PAUSED.inc()
        if self._slow_due is None:
            self._slow_due = self._edge.wheel.after(self._edge.pace.slow_after_ms, self.too_slow)

    def resume_writing(self) -> None:
        """The peer has caught up: bring the rest of what is large, then what it missed."""
        if self._slow_due is not None:
            self._slow_due.cancel()
            self._slow_due = None
        self.paused = False
        self._pump()
        if self.is_open and not self.paused:
            self._edge.hub.caught_up(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end. Nothing may keep this object alive afterwards, not even itself."""
        self.is_open = False
        self.accepted()
        self._keepalive.close()
        if self._slow_due is not None:
            self._slow_due.cancel()
        self._outbox = None
        self._edge.sockets.leave(self.address)
        self._edge.closed(self)
        self.dialogue.close()
        self._ws.parser.close()
        # What it raised holds its frames, and they hold it.
        for error in (self._ws.parser_exc, self._ws.handshake_exc):
            if error is not None:
                error.__traceback__ = error.__context__ = error.__cause__ = None
        self._ws.parser_exc = self._ws.handshake_exc = None
        del self._keepalive

    # What others ask of us.

    def write(self, frames: bytes) -> None:
        """Write prebuilt frames, if the connection is open."""
        if not self.is_open or self.transport.is_closing():
            return
        pace = self._edge.pace
        if self._outbox is not None or len(frames) > pace.piece_bytes:
            if self._outbox is None:
                self._outbox = Outbox(frames, pace.piece_bytes)
            else:
                self._outbox.add(frames)
            if not self.paused:
                self._pump()
        else:
            self.transport.write(frames)
        if self.paused:
            late_bytes = self._outbox.late_bytes if self._outbox else 0
            if late_bytes + self.transport.get_write_buffer_size() > pace.slow_bytes:
                self.too_slow()

    def send(self, frame: "Struct") -> None:
        """Encode and write one frame for this connection alone."""
        self.write(self.spelt(frame))

    def spelt(self, frame: "Struct") -> bytes:
        """One message for this connection alone, framed."""
        return framed(self.encoding.encode(frame), self.encoding)

    def ping(self, data: bytes) -> None:
        """Ask whether somebody is there."""
        if self.is_open:
            self._ws.send_ping(data)
            self._send_protocol()

    def end(self, code: CloseCode, reason: str = "") -> None:
        """Close politely, and for good after `close_within_ms`."""
        if self.is_open:
            self.is_open = False
            CLOSES.labels(str(int(code))).inc()
            # `fail` also ends our side of the stream and throws away what still comes, unparsed:
            # a flood costs nothing more. The parser may have failed by itself on later bytes.
            if self._ws.state is OPEN:
                self._ws.fail(int(code), reason)
            self._send_protocol()

    def too_slow(self) -> None:
        """Tell it, though it will hardly read it, and let go."""
        DROPPED.inc()
        self.end(CloseCode.TOO_SLOW, "too slow")
        self.drop()

    def drop(self) -> None:
        """Let go at once."""
        # uvloop raises on a write after this; what is not open is not written to.
        self.is_open = False
        self.transport.abort()

    def welcomed(self) -> None:
        """The hello was accepted: from now on keep the line alive and measure it."""
        self.accepted()
        self._keepalive.start()

    def accepted(self) -> None:
        """No stranger any more, and no longer in a hurry."""
        if self._close_due is not None:
            self._close_due.cancel()
            self._close_due = None
        if self._is_stranger:
            self._is_stranger = False
            self._edge.strangers.leave(self.address)

    # The WebSocket protocol.

    def _bite(self, data: bytes) -> None:
        ws = self._ws
        begins = ws.state is CONNECTING
        if not (begins or self.is_open):
            return
        ws.receive_data(data)
        events = ws.events_received()
        if begins and not events:
            # Not HTTP: the library would answer too, but without our headers.
            self._refuse_head()
        for event in events:
            if isinstance(event, Frame):
                self._frame(event)
            elif isinstance(event, Request):
                self._upgrade(event)
        self._send_protocol()

    def _refuse_head(self) -> None:
        self._ws.data_to_send()
        self.transport.write(answer("400 Bad Request", is_https=self._edge.config.is_https))
        self.transport.close()

    def _upgrade(self, request: Request) -> None:
        refusal = origins.refusal(request, self._edge.config.public_url)
        if refusal is not None:
            response = self._ws.reject(*refusal)
        else:
            response = self._ws.accept(request)
            if request.headers.get("Origin") is not None:
                self.cookie = request.headers.get("Cookie")
        for name, value in security_headers(self._edge.config.is_https):
            response.headers[name] = value
        self._ws.send_response(response)
        self.is_open = self._ws.state is OPEN
        self.encoding = SPOKEN.get(self._ws.subprotocol or "", JSON)
        self._send_protocol()
        if self.is_open:
            # Nobody may stay without saying who it is.
            self._close_due = self._edge.wheel.after(
                self._edge.pace.hello_within_ms, lambda: self.end(CloseCode.NO_HELLO, "no hello")
            )

    def _frame(self, frame: Frame) -> None:
        if not self.is_open:
            return
        if self._edge.limited and not self._budget.take():
            self.end(CloseCode.RATE_LIMITED, "too many frames")
            return
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY:
                if (frame.opcode is Opcode.BINARY) is self.encoding.is_binary:
                    self._message(frame)
                else:
                    expected = "binary" if self.encoding.is_binary else "text"
                    self.end(CloseCode.UNSUPPORTED_DATA, f"{expected} messages only")
            case Opcode.CONT:
                self._message(frame)
            case Opcode.PONG:
                if self._keepalive.pong(bytes(frame.data)):
                    self._edge.hub.measured(self)
            case Opcode.CLOSE:
                self.is_open = False

    def _message(self, frame: Frame) -> None:
        if frame.fin and self._parts is None:
            self.dialogue.receive(bytes(frame.data))
            return
        parts = self._parts = self._parts or []
        parts.append(bytes(frame.data))
        if len(parts) > FRAGMENTS:
            self.end(CloseCode.TOO_BIG, "too many fragments")
        elif frame.fin:
            self._parts = None
            self.dialogue.receive(b"".join(parts))

    def _send_protocol(self) -> None:
        """Write what the protocol has to say; b"" means that we are done writing."""
        said = self._ws.data_to_send()
        transport = self.transport
        if not said or transport.is_closing():
            return
        if self._ws.state is OPEN and self._outbox is not None:
            self._outbox.add(b"".join(said))
            return
        self._flush_outbox()
        transport.write(b"".join(said))
        if said[-1] == b"" and transport.can_write_eof():
            transport.write_eof()
        if self._ws.close_expected():
            self.is_open = False
            if self._close_due is not None:
                self._close_due.cancel()
            self._close_due = self._edge.wheel.after(
                self._edge.pace.close_within_ms, transport.abort
            )

    def _pump(self) -> None:
        """Write pieces of what is large until the transport has enough, or all of it is out."""
        outbox = self._outbox
        while outbox is not None and not self.paused:
            if self.transport.is_closing():
                return
            self.transport.write(outbox.pop())
            if not outbox:
                outbox = self._outbox = None

    def _flush_outbox(self) -> None:
        outbox, self._outbox = self._outbox, None
        while outbox:
            self.transport.write(outbox.pop())
