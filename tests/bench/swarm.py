"""Many cheap clients in one process: plain sockets that count marks in what they receive.

A mark is `BENCH#<send time in ns>#` in the text of a message. Counting marks in the byte stream
costs the same whatever protocol carries them, so that all servers meet the same clients.
"""

import asyncio
import base64
import os
import re
import time
from collections.abc import Callable
from typing import cast

MARK = b"BENCH#"
_TIME = re.compile(rb"BENCH#(\d+)#")
_LONGEST_MARK = 40
# A ping with four bytes, as our server and the `websockets` library send it. Text in ASCII never
# holds its first byte, so that it can be found without parsing frames.
_PING = re.compile(rb"\x89\x04(.{4})", re.DOTALL)


def marked(size_bytes: int) -> str:
    """A text of `size_bytes` that carries the time of its making."""
    return f"BENCH#{time.monotonic_ns()}#".ljust(size_bytes, "x")


def client_frame(text: str) -> bytes:
    """One masked text frame (RFC 6455, 5.2); the mask is zero, which is allowed."""
    payload = text.encode()
    size = len(payload)
    head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
    return head + b"\0\0\0\0" + payload


class Client(asyncio.Protocol):
    """One socket. `opening` are the texts to send after the upgrade, each when `awaits` came."""

    def __init__(self, swarm: "Swarm", path: str, opening: list[tuple[bytes, str]]) -> None:
        self.swarm = swarm
        self.path = path
        self.opening = opening
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.samples = False
        self.tail = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if not self.ready.done():
            self._open(data)
            return
        if b"\x89" in data:
            for ping in _PING.findall(data):
                self.transport.write(b"\x8a\x84\0\0\0\0" + ping)
        data = self.tail + data
        mark = self.swarm.mark
        found = data.count(mark)
        if found:
            if self.samples:
                now_ns = time.monotonic_ns()
                for sent in _TIME.findall(data):
                    self.swarm.delays_ms.append((now_ns - int(sent)) / 1e6)
            data = data[data.rindex(mark) + len(mark) :]
            self.swarm.count(found)
        # A mark may be cut in two by the stream; what follows a mark is never one.
        self.tail = data[-_LONGEST_MARK:] if mark[:1] in data[-_LONGEST_MARK:] else b""

    def _open(self, data: bytes) -> None:
        self.tail += data
        while self.opening and self.opening[0][0] in self.tail:
            awaited, text = self.opening.pop(0)
            self.tail = self.tail[self.tail.index(awaited) + len(awaited) :]
            if text:
                self.transport.write(client_frame(text))
        if not self.opening:
            self.tail = b""
            self.ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"lost while opening: {self.tail[-300:]!r}"))
        self.swarm.lost += 1


class Swarm:
    """The clients of one run."""

    def __init__(self, mark: bytes = MARK) -> None:
        self.mark = mark
        self.clients: list[Client] = []
        self.received = 0
        self.lost = 0
        self.delays_ms: list[float] = []
        self._goal = 0
        self._reached = asyncio.Event()

    def count(self, found: int) -> None:
        self.received += found
        if self.received >= self._goal:
            self._reached.set()

    async def until(self, received: int) -> None:
        """Wait until so many marks came in, all clients together; at most 60 s."""
        self._goal = received
        self._reached.clear()
        if self.received < received:
            async with asyncio.timeout(60):
                await self._reached.wait()

    async def connect(
        self,
        port: int,
        number: int,
        path: str,
        opening: Callable[[int], list[tuple[bytes, str]]],
        *,
        at_once: int = 50,
    ) -> None:
        """Open `number` more clients, a few at a time."""
        loop = asyncio.get_running_loop()
        for start in range(0, number, at_once):
            wave = []
            for index in range(start, min(number, start + at_once)):
                steps = opening(index)
                _, client = await loop.create_connection(
                    lambda steps=steps: Client(self, path, steps),  # type: ignore[misc]
                    "127.0.0.1",
                    port,
                )
                wave.append(client)
            async with asyncio.timeout(30):
                await asyncio.gather(*(client.ready for client in wave))
            self.clients += wave
        for client in self.clients[:: max(1, number // 50)]:
            client.samples = True

    def close(self) -> None:
        for client in self.clients:
            client.transport.abort()
