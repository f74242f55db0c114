"""A wire between a server and its PostgreSQL: what the committer says can be held back in it.

A batch that is held, whose connection is then lost, and which PostgreSQL gets to see later all
the same: that is the unknown outcome which no timing of a real network would give reliably.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

COMMITTER = b"application_name\0committer\0"


class _Link:
    """One connection of the server's and its other half to PostgreSQL."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.near = near
        self.far = far
        self.is_committer = False
        self.kept = bytearray()
        self.answered = asyncio.Event()


class DatabaseWire:
    """Forwards to the Unix socket that a URL names."""

    def __init__(self, database_url: str) -> None:
        self._parts = urlsplit(database_url)
        query = parse_qs(self._parts.query)
        self._port = query["port"][0]
        self._target = f"{query['host'][0]}/.s.PGSQL.{self._port}"
        self._links: set[_Link] = set()
        self._holds = False
        self._down = False
        self._held = asyncio.Event()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[str]:
        """The database's URL by way of this wire."""
        # A short path: a socket's may have 107 bytes.
        with TemporaryDirectory(prefix="wire-") as folder:
            path = Path(folder) / f".s.PGSQL.{self._port}"
            server = await asyncio.start_unix_server(self._forward, path)
            query = urlencode({"host": folder, "port": self._port})
            try:
                yield urlunsplit(self._parts._replace(query=query))
            finally:
                server.close()
                for link in self._links:
                    link.near.transport.abort()
                    link.far.transport.abort()
                await server.wait_closed()

    def hold(self) -> None:
        """Keep what the committer says from now on."""
        self._holds = True
        self._held.clear()

    async def until_held(self) -> None:
        """Wait until the committer has said something that is kept."""
        await self._held.wait()

    def cut_committer(self) -> None:
        """The server loses the committer's connection; PostgreSQL does not notice."""
        self._holds = False
        for link in self._links:
            if link.is_committer:
                link.near.transport.abort()

    async def deliver(self) -> None:
        """Let PostgreSQL have what was kept, and wait until it has answered."""
        for link in [link for link in self._links if link.kept]:
            link.answered.clear()
            link.far.write(bytes(link.kept))
            link.kept.clear()
            await link.answered.wait()
            link.far.transport.abort()

    def go_down(self) -> None:
        """Lose every connection, take no new one, and forget what was kept."""
        self._holds = False
        self._down = True
        for link in self._links:
            link.kept.clear()
            link.near.transport.abort()
            link.far.transport.abort()

    def come_up(self) -> None:
        """Take connections again."""
        self._down = False

    async def _forward(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        if self._down:
            near.transport.abort()
            return
        far_reader, far = await asyncio.open_unix_connection(self._target)
        link = _Link(near, far)
        self._links.add(link)
        try:
            with suppress(OSError):
                async with asyncio.TaskGroup() as ways:
                    ways.create_task(self._ask(link, reader))
                    ways.create_task(self._answer(link, far_reader))
        except* OSError:
            pass
        finally:
            self._links.discard(link)
            near.transport.abort()
            far.transport.abort()

    async def _ask(self, link: _Link, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionResetError):
            while data := await reader.read(65_536):
                link.is_committer = link.is_committer or COMMITTER in data
                if self._holds and link.is_committer:
                    link.kept += data
                    self._held.set()
                else:
                    link.far.write(data)
        if not link.kept:
            link.far.transport.abort()

    async def _answer(self, link: _Link, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(65_536):
            link.answered.set()
            if not link.near.is_closing():
                link.near.write(data)
        link.answered.set()
        link.near.transport.abort()
