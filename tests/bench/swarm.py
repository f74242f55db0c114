"""Many cheap clients in one process: plain sockets that count marks in what they receive.

A mark is `MARK<send time in ns>#` in the text of a message. Counting marks in the byte stream
costs the same whatever protocol carries them, so that all servers meet the same clients. The
clients share the cores with the server that they measure: what they do for each read is little.
"""

import asyncio
import base64
import os
import re
import select
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import cast

MARK = b"BENCHMARK" * 4
"""Long, and of letters that are rare around it: whoever looks for it skips most of the bytes."""
_STAMPED = 35
"""SO_TIMESTAMPNS of Linux: the kernel tells when what is read arrived."""
_READ_BYTES = 256 * 1024
_ROUND_BYTES = 16 * 1024
"""Of one client in one round; what is left comes in the next."""
_TIME = re.compile(MARK + rb"(\d+)#")
# A ping with four bytes, as our server and the `websockets` library send it. Text in ASCII never
# holds its first byte, so that it can be found without parsing frames.
_PING = re.compile(rb"\x89\x04(.{4})", re.DOTALL)
# Engine.IO, the protocol below Socket.IO, has pings of its own: a text of one letter.
_ENGINE_PING = b"\x81\x012"


def marked(size_bytes: int) -> str:
    """A text of `size_bytes` that carries the time of its making."""
    return f"{MARK.decode()}{time.time_ns()}#".ljust(size_bytes, "x")


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
        self.is_ready = False
        self._socket: socket.socket | None = None
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
        if b"\x89" in data:
            for ping in _PING.findall(data):
                self.transport.write(b"\x8a\x84\0\0\0\0" + ping)
        elif data == _ENGINE_PING:
            self.transport.write(client_frame("3"))
        if not self.is_ready:
            self._open(data)
            return
        if self.tail:
            data = self.tail + data
            self.tail = b""
        swarm = self.swarm
        mark = swarm.mark
        found = data.count(mark)
        if data[-1] in mark:
            # The stream may have cut a mark in two.
            self.tail = data[data.rfind(mark) + len(mark) if found else 0 :][1 - len(mark) :]
        swarm.count(found)

    def _open(self, data: bytes) -> None:
        self.tail += data
        while self.opening and self.opening[0][0] in self.tail:
            awaited, text = self.opening.pop(0)
            self.tail = self.tail[self.tail.index(awaited) + len(awaited) :]
            if text:
                self.transport.write(client_frame(text))
        if not self.opening:
            self.tail = b""
            self.is_ready = True
            self.ready.set_result(None)

    def sample(self) -> None:
        """From now on note when messages arrive: the kernel tells it. Not when they are read: a
        reader elsewhere would not wait for the thousand others of this process."""
        self.transport.pause_reading()
        self._socket = socket.socket(
            fileno=os.dup(self.transport.get_extra_info("socket").fileno())
        )
        self._socket.setsockopt(socket.SOL_SOCKET, _STAMPED, 1)
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._read)

    def _read(self) -> None:
        data, ancillary, _, _ = self._socket.recvmsg(_READ_BYTES, 64)
        if not data:
            self.close()
            return
        came_ns = time.time_ns()
        for _, _, stamp in ancillary:
            seconds, ns = struct.unpack("qq", stamp)
            came_ns = seconds * 1_000_000_000 + ns
        self.swarm.delays_ms += [(came_ns - int(sent)) / 1e6 for sent in _TIME.findall(data)]
        self.data_received(data)

    @property
    def is_sampled(self) -> bool:
        """Whether it notes when messages arrive."""
        return self._socket is not None

    def close(self) -> None:
        """End the connection; its sampling before it, or the loop polls what is no longer open."""
        self._stop_sampling()
        self.transport.abort()

    def _stop_sampling(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_sampling()
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
        self._rounds: asyncio.TimerHandle | None = None
        self._readable: select.epoll | None = None
        self._by_descriptor: dict[int, Client] = {}

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
        loop, before = asyncio.get_running_loop(), len(self.clients)
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
        step = max(1, number // 50)
        for client in self.clients[before + step // 2 :: step]:
            client.sample()

    def read_in_rounds(self, every_ms: int) -> None:
        """From now on read all clients every few ms, but for the sampled, instead of each as soon
        as something came for it. People elsewhere would not wake a core of this machine for each
        message: a thousand wakings take it from the server, and from its database.
        """
        self._readable = select.epoll()
        for client in self.clients:
            if not client.is_sampled:
                client.transport.pause_reading()
                descriptor = client.transport.get_extra_info("socket").fileno()
                self._by_descriptor[descriptor] = client
                self._readable.register(descriptor, select.EPOLLIN)
        self._round(self._readable, every_ms / 1_000)

    def _round(self, readable: select.epoll, every_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._rounds = loop.call_later(every_s, self._round, readable, every_s)
        for descriptor, _ in readable.poll(0):
            client, data = self._by_descriptor[descriptor], b""
            with suppress(ConnectionError):
                data = os.read(descriptor, _ROUND_BYTES)
            if data:
                client.data_received(data)
            else:
                client.close()

    def close(self) -> None:
        """End all connections."""
        if self._rounds is not None:
            self._rounds.cancel()
        if self._readable is not None:
            self._readable.close()
        for client in self.clients:
            client.close()
