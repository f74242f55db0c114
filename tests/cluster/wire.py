"""A wire between a client and a server that a test can cut, or let swallow one direction."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Wire:
    """Forwards bytes to a port of this machine."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._writers: set[asyncio.StreamWriter] = set()
        self.connections = 0
        self.answers_lost = False
        """What the server says is swallowed; what the client says goes through."""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[str]:
        """The address of this end."""
        server = await asyncio.start_server(self._forward, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            self.cut()
            await server.wait_closed()

    def cut(self) -> None:
        """Lose all connections at once, without a goodbye."""
        for writer in self._writers:
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self.connections += 1
        ends = {writer, far_writer}
        self._writers |= ends
        try:
            with suppress(OSError):
                async with asyncio.TaskGroup() as ways:
                    ways.create_task(self._copy(reader, far_writer))
                    ways.create_task(self._copy(far_reader, writer, answers=True))
        except* OSError:
            pass
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        while data := await reader.read(65_536):
            if not (answers and self.answers_lost):
                writer.write(data)
                await writer.drain()
        # Whichever way ends first ends the other.
        raise ConnectionResetError
