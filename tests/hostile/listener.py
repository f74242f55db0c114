"""A client of bare bytes that understands everything it is told."""

import asyncio
import zlib
from typing import Final

from protocol.close_codes import CloseCode
from protocol.encodings import Encoding
from protocol.frames import AnyServerFrame
from tests.hostile.framings import CLOSE, DEFLATED, FIN, PING, PONG, one_frame

HEAD: Final = (
    "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: {}\r\n\r\n"
)
WITHIN_S: Final = 30


class Listener:
    """One WebSocket. Raises what the decoder raises if the server misspeaks."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, encoding: Encoding
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._encoding = encoding
        self._is_mute = False
        self.close_code: int | None = None
        """Why the server closed; ABNORMAL if it did not say."""

    @classmethod
    async def open(cls, port: int, encoding: Encoding) -> "Listener":
        """Shake hands."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD.format(encoding.subprotocol).encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        return cls(reader, writer, encoding)

    def send(self, data: bytes) -> None:
        """Bytes as they are."""
        self._writer.write(data)

    async def next(self) -> AnyServerFrame | None:
        """What the server says next; None at the end."""
        while self.close_code is None:
            try:
                async with asyncio.timeout(WITHIN_S):
                    first, payload = await self._frame()
            except (asyncio.IncompleteReadError, ConnectionResetError):
                self.close_code = CloseCode.ABNORMAL
                break
            opcode = first & 0x0F
            if opcode == CLOSE:
                self.close_code = int.from_bytes(payload[:2], "big")
            elif opcode == PING and not self._is_mute:
                self.send(one_frame(FIN | PONG, payload))
            elif opcode not in (PING, PONG):
                if first & DEFLATED:
                    payload = zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff")
                return self._encoding.decode_server_frame(payload)
        return None

    def send_no_more(self) -> None:
        """Half-close; pings are not answered any more."""
        self._writer.write_eof()
        self._is_mute = True

    def close(self) -> None:
        """Go without a goodbye."""
        self._writer.transport.abort()

    async def _frame(self) -> tuple[int, bytes]:
        first, size = await self._reader.readexactly(2)
        if size >= 126:
            size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8), "big")
        return first, await self._reader.readexactly(size)
