"""A fault proxy: TCP between a client and a server, with all that a network does to it.

Each direction is a `Way` of its own, and what is set on it counts from the next byte on:

    latency, jitter   each piece comes later by `latency_ms` ± `jitter_ms`, uniform and independent
                      each way; never before one that was sent earlier
    bandwidth         `bytes_per_s`
    black hole        what is said is lost, its end too; nobody is told
    stall             what is said waits, until the sender's own buffers are full
    half-close        the receiver hears the end, the other direction goes on
    cut               all connections are lost at once, both ways
    strand            the clients lose theirs, the server hears nothing of it
    refuse            nobody gets through

`through` lets a test look at, or meddle with, what goes one way.
"""

import asyncio
import random
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, cast

WINDOW_BYTES: Final = 262_144
"""What may be under way in one direction of a connection before its sender has to wait."""


Take = Callable[[bytes], None]


class Way:
    """One direction of all connections of a proxy."""

    def __init__(self) -> None:
        self.through: Callable[[Take], Take] | None = None
        """Makes, for each new connection, what its bytes go through; gets where they go on."""
        self.latency_ms = 0.0
        self.jitter_ms = 0.0
        self.bytes_per_s = float("inf")
        self.is_black_hole = False
        self.passed_bytes = 0
        self._is_stalled = False
        self._ends: set[_End] = set()

    @property
    def is_stalled(self) -> bool:
        """Whether nothing is taken from the sender."""
        return self._is_stalled

    @is_stalled.setter
    def is_stalled(self, stalled: bool) -> None:
        self._is_stalled = stalled
        for end in self._ends:
            end.look()

    def half_close(self) -> None:
        """Tell the receivers that no more will come; what does come is lost."""
        for end in list(self._ends):
            end.half_close()


class _End(asyncio.Protocol):
    """One side of a connection: what it hears goes to its peer, by its way."""

    def __init__(
        self, way: Way, chance: random.Random, begin: "Callable[[_End], None] | None" = None
    ) -> None:
        self._way = way
        self._chance = chance
        self._begin = begin
        self._take = self._send if way.through is None else way.through(self._send)
        self.is_stranded = False
        self._loop = asyncio.get_running_loop()
        self._under_way: deque[bytes] = deque()
        self._under_way_bytes = 0
        self._last_s = 0.0
        self._is_over = False
        self._is_reading = True
        self._peer_is_full = False
        self.peer: _End | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._way._ends.add(self)
        self.look()
        if self._begin is not None:
            self._begin(self)

    def data_received(self, data: bytes) -> None:
        self._way.passed_bytes += len(data)
        self._take(data)

    def eof_received(self) -> bool:
        self._send(b"")
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._way._ends.discard(self)
        if self.peer is not None and not self._way.is_black_hole and not self.is_stranded:
            self.peer.abort()

    def pause_writing(self) -> None:
        assert self.peer is not None
        self.peer._peer_is_full = True
        self.peer.look()

    def resume_writing(self) -> None:
        assert self.peer is not None
        self.peer._peer_is_full = False
        self.peer.look()

    @property
    def is_gone(self) -> bool:
        """Whether its side has no connection any more."""
        return self.transport is None or self.transport.is_closing()

    def abort(self) -> None:
        """Be gone."""
        if self.transport is not None:
            self.transport.abort()

    def half_close(self) -> None:
        """Tell the peer that this was all."""
        self._pass(b"")

    def look(self) -> None:
        """Read, or do not, as things are."""
        is_full = self._peer_is_full or self._under_way_bytes > WINDOW_BYTES
        wanted = self.peer is not None and not self._way.is_stalled and not is_full
        if self.transport is None or self.is_gone or wanted is self._is_reading:
            return
        self._is_reading = wanted
        if wanted:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()

    def _send(self, data: bytes) -> None:
        way, now_s = self._way, self._loop.time()
        if way.is_black_hole:
            return
        late_ms = way.latency_ms + self._chance.uniform(-way.jitter_ms, way.jitter_ms)
        at_s = max(self._last_s, now_s + late_ms / 1_000) + len(data) / way.bytes_per_s
        if at_s <= now_s and not self._under_way:
            self._pass(data)
            return
        self._last_s = at_s
        self._under_way.append(data)
        self._under_way_bytes += len(data)
        self._loop.call_at(at_s, self._arrive)
        self.look()

    def _arrive(self) -> None:
        # The first of those under way, whichever timer this is: two may be due at once.
        data = self._under_way.popleft()
        self._under_way_bytes -= len(data)
        self._pass(data)
        self.look()

    def _pass(self, data: bytes) -> None:
        far = None if self.peer is None else self.peer.transport
        if far is None or far.is_closing() or self._is_over:
            return
        if data:
            far.write(data)
            return
        self._is_over = True
        far.write_eof()
        if self.peer is not None and self.peer._is_over:
            # Both have said all they had to say.
            far.close()
            self.abort()


class Proxy:
    """Forwards to a port of this machine, or to a Unix socket."""

    def __init__(
        self, target: int | Path, *, seed: int = 1, window_bytes: int | None = None
    ) -> None:
        """`window_bytes`: how much of an answer the system takes before it is read."""
        self._target = target
        self._window_bytes = window_bytes
        self._chance = random.Random(seed)
        self._connecting: set[asyncio.Task[None]] = set()
        self.asks = Way()
        """From the clients to the server."""
        self.answers = Way()
        """From the server to the clients."""
        self.connections = 0
        """How many got through since the beginning."""
        self.refuses = False
        """Nobody gets through."""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[str]:
        """The address of this end, as that of a web server."""
        server = await asyncio.get_running_loop().create_server(self._near, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            await self._close(server)

    @asynccontextmanager
    async def opened_at(self, path: Path) -> AsyncIterator[None]:
        """Listen at a Unix socket; its path may have 107 bytes."""
        server = await asyncio.get_running_loop().create_unix_server(self._near, path)
        try:
            yield
        finally:
            await self._close(server)

    def cut(self) -> None:
        """Lose all connections at once, without a goodbye."""
        for end in [*self.asks._ends, *self.answers._ends]:
            end.abort()

    def strand(self) -> None:
        """Lose the clients' connections; what becomes of the server's is its own affair."""
        for end in list(self.asks._ends):
            end.is_stranded = True
            end.abort()

    async def _close(self, server: asyncio.Server) -> None:
        server.close()
        self.refuses = True
        self.cut()
        await asyncio.gather(*self._connecting)
        await server.wait_closed()

    def _near(self) -> _End:
        return _End(self.asks, self._chance, self._begin)

    def _begin(self, near: _End) -> None:
        task = asyncio.ensure_future(self._connect(near))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _reach(self, port: int) -> socket.socket:
        far = socket.socket()
        far.setblocking(False)
        if self._window_bytes is not None:
            far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._window_bytes)
        try:
            await asyncio.get_running_loop().sock_connect(far, ("127.0.0.1", port))
        except OSError:
            far.close()
            raise
        return far

    async def _connect(self, near: _End) -> None:
        def make() -> _End:
            far = _End(self.answers, self._chance)
            far.peer = near
            return far

        loop, target = asyncio.get_running_loop(), self._target
        far: _End | None = None
        try:
            if isinstance(target, int) and not self.refuses:
                _, far = await loop.create_connection(make, sock=await self._reach(target))
            elif isinstance(target, Path) and not self.refuses:
                _, far = await loop.create_unix_connection(make, str(target))
        except OSError:
            far = None
        if far is None or self.refuses or near.is_gone:
            near.abort()
            if far is not None:
                far.abort()
            return
        self.connections += 1
        near.peer = far
        near.look()
