"""A node with rooms in which strangers behave badly."""

import asyncio
import gc
import os
from collections import Counter
from uuid import uuid4

from protocol.encodings import Encoding
from protocol.frames import Hello, Join, Joined, Reject, Welcome
from protocol.ids import RoomId
from protocol.users import Person
from roomserver.node import Node
from roomserver.runtime.tokens import Tokens
from sql.pool import Database
from tests.home.stage import make_room
from tests.hostile.framings import BINARY, FIN, TEXT, one_frame
from tests.hostile.listener import Listener

OURS = ("protocol", "roomserver", "sql", "websockets", "asyncio", "_asyncio", "asyncpg")


class Town:
    """A node behind a real port."""

    def __init__(self, node: Node, database: Database, tokens: Tokens, port: int) -> None:
        self.node = node
        self.database = database
        self.port = port
        self.rooms: list[RoomId] = []
        self._tokens = tokens

    async def open_room(self, owner: Person) -> RoomId:
        """A new room."""
        self.rooms.append(await make_room(self.database, owner))
        return self.rooms[-1]

    def hello(self, who: Person) -> Hello:
        """What lets `who` in, on a connection of its own."""
        login = self._tokens.issue(who.user_id, str(uuid4()), who.kind, who.display_name)
        return Hello(client_id=f"client-{uuid4().hex}", token=login.token)

    async def member(self, who: Person, room: RoomId, encoding: Encoding) -> Listener | None:
        """Somebody who has come into a room; None if it lets nobody in any more."""
        listener = await Listener.open(self.port, encoding)
        opcode = FIN | (BINARY if encoding.is_binary else TEXT)
        listener.send(one_frame(opcode, encoding.encode(self.hello(who))))
        assert isinstance(await listener.next(), Welcome)
        listener.send(one_frame(opcode, encoding.encode(Join(id=1, room=room))))
        while not isinstance(answer := await listener.next(), Joined | Reject):
            assert answer is not None, listener.close_code
        if isinstance(answer, Joined):
            return listener
        listener.close()
        return None

    async def empty(self) -> None:
        """Until everybody has gone, all rooms are unloaded, and no appointment is left."""
        edge, home = self.node.edge, self.node.home
        async with asyncio.timeout(30):
            async with self.database.acquire(answer_within_ms=30_000) as connection:
                while edge.connections or edge.strangers or edge.wheel or home.room_count:
                    await connection.fetchval("select pg_sleep(0.01)")


def alive() -> Counter[str]:
    """How many objects of which kind there are, of those that a server is made of."""
    gc.collect()
    kinds = (type(thing) for thing in gc.get_objects())
    return Counter(
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in kinds
        if str(kind.__module__).partition(".")[0] in OURS
    )


def descriptors() -> int:
    """How many files and sockets this process has open."""
    return len(os.listdir("/proc/self/fd"))
