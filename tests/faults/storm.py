"""A thousand cheap clients who were in rooms, lost the server, and all come back at once."""

import asyncio
from collections.abc import Callable
from typing import Final

from protocol.encodings import JSON
from protocol.frames import Have, Hello, Join, Joined, Welcome
from protocol.ids import RoomId
from tests.hostile.framings import FIN, TEXT, one_frame
from tests.hostile.listener import Listener

AT_ONCE: Final = 200

EXECUTE: Final = b"E\x00\x00\x00\x09\x00"
"""How a statement begins that is carried out, in PostgreSQL's protocol (asyncpg's portals have no
name)."""


class Statements:
    """Counts what goes to a database."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, send: Callable[[bytes], None]) -> Callable[[bytes], None]:
        """What the bytes of one connection go through."""

        def take(data: bytes) -> None:
            self.count += data.count(EXECUTE)
            send(data)

        return take


class Guest:
    """One of them, and what it knows of its room."""

    def __init__(self, number: int, token: str, room: RoomId) -> None:
        self._hello = Hello(client_id=f"storm-client-{number}", token=token)
        self._room = room
        self._have: Have | None = None
        self._listener: Listener | None = None

    async def come(self, port: int) -> bool:
        """Come in, or come back; whether only what was missed was told."""
        listener = self._listener = await Listener.open(port, JSON)
        self._say(self._hello)
        assert isinstance(await listener.next(), Welcome)
        self._say(Join(id=1, room=self._room, have=self._have))
        while not isinstance(frame := await listener.next(), Joined):
            assert frame is not None, listener.close_code
        if frame.snapshot is not None:
            self._have = Have(lineage=frame.snapshot.lineage, seq=frame.snapshot.seq)
        return frame.resumed is not None

    def lose(self) -> None:
        """Forget the connection."""
        if self._listener is not None:
            self._listener.close()

    def _say(self, frame: Hello | Join) -> None:
        assert self._listener is not None
        self._listener.send(one_frame(FIN | TEXT, JSON.encode(frame)))


async def come(guests: list[Guest], port: int) -> int:
    """All of them, as fast as they can; how many were told only what they had missed."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(guest: Guest) -> bool:
        async with free:
            return await guest.come(port)

    return sum(await asyncio.gather(*map(one, guests)))
