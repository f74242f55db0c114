"""A home of which a test writes the part, and what it publishes."""

import asyncio
from collections.abc import Callable
from typing import TypeVar
from uuid import uuid4

from protocol.chat import ChatSent
from protocol.cluster import (
    Admitted,
    Answer,
    Arrive,
    Depart,
    FromHome,
    Measured,
    Message,
    Party,
    Published,
    Submit,
    Told,
)
from protocol.codec import decode_server_frame, encode
from protocol.errors import ErrorCode
from protocol.frames import (
    Ack,
    AnyServerFrame,
    Events,
    Joined,
    Presence,
    Reject,
    Resumed,
)
from protocol.ids import ConnectionId, RoomId
from protocol.members import Member
from protocol.users import Person
from roomserver.bus.channels import Channel
from roomserver.bus.memory import MemoryBus

WAIT_S = 10
HOME, EDGE = "node:home", "node:edge"
ROOM = "00000000-0000-4000-8000-000000000001"
LINEAGE = "00000000-0000-4000-8000-00000000000a"

M = TypeVar("M", bound=Message)


def person(name: str) -> Person:
    return Person(user_id=str(uuid4()), display_name=name, kind="person")


class ScriptedHome:
    """Speaks to the edge as a home does: admits everybody, and publishes what a test tells it."""

    def __init__(self, bus: MemoryBus) -> None:
        self.heard: list[Message] = []
        self.seq: dict[RoomId, int] = {}
        self.fence = 1
        self.lineage = LINEAGE
        self.padding = 0
        """Bytes of backlog that a newcomer gets on top, to make coming in heavy."""
        self.snapshot = b""
        """What a newcomer gets instead of the news from the start, if it is not empty."""
        self.answers_arrivals = True
        self.answers_commands = True
        self._channel = Channel(bus, HOME, self._receive)
        self._more = asyncio.Event()

    async def open(self) -> None:
        await self._channel.open()

    def post(self, *messages: FromHome) -> None:
        for message in messages:
            self._channel.post(EDGE, message)

    async def until(self, kind: type[M], fits: Callable[[M], bool] = lambda message: True) -> M:
        """The first message of a kind, heard or still to come, that fits."""
        async with asyncio.timeout(WAIT_S):
            while True:
                for message in self.heard:
                    if isinstance(message, kind) and fits(message):
                        return message
                self._more.clear()
                await self._more.wait()

    def all(self, kind: type[M]) -> list[M]:
        return [message for message in self.heard if isinstance(message, kind)]

    def departures(self, conn_id: ConnectionId) -> list[Depart]:
        return [message for message in self.all(Depart) if message.conn == conn_id]

    async def until_departed(self, conn_id: ConnectionId) -> Depart:
        return await self.until(Depart, lambda message: message.conn == conn_id)

    async def until_measured(self, conn_id: ConnectionId) -> float:
        """A round trip of a connection as the edge measured it, in ms."""
        return (await self.until(Measured, lambda m: conn_id in m.rtts_ms)).rtts_ms[conn_id]

    def admit(self, arrive: Arrive) -> Admitted:
        """Let in at the newest seq: the news since `have`, or everything from the start."""
        room, seq = arrive.room, self.seq.get(arrive.room, 0)
        have = arrive.have if arrive.have and arrive.have.lineage == self.lineage else None
        start = have.seq if have is not None and have.seq <= seq else 0
        joined = Joined(
            id=arrive.id,
            room=room,
            you=Member(person=arrive.person),
            resumed=None if self.snapshot else Resumed(lineage=self.lineage, from_seq=start + 1),
        )
        backlog = []
        if start < seq and not self.snapshot:
            padding = min(self.padding // (seq - start), 1_900)
            events = [event(n, padding) for n in range(start + 1, seq + 1)]
            backlog = [encode(Events(room=room, first_seq=start + 1, events=events))]
        presence = encode(Presence(room=room, fence=self.fence, count=1))
        return Admitted(
            room,
            arrive.conn,
            arrive.id,
            self.fence,
            self.lineage,
            seq,
            encode(joined),
            backlog,
            presence,
            self.snapshot,
            seq,
        )

    def publish(
        self, count: int = 1, *, room: RoomId = ROOM, urgent: bool = False, size: int = 0
    ) -> Published:
        """The next events of a room; `count` of them in one frame. The caller posts it."""
        first = self.seq.get(room, 0) + 1
        last = self.seq[room] = first + count - 1
        events = [event(n, size) for n in range(first, last + 1)]
        frame = encode(Events(room=room, first_seq=first, events=events))
        return Published(room, self.fence, first, last, frame, urgent)

    def say(self, count: int = 1, *, urgent: bool = False, size: int = 0) -> None:
        """Publish and post."""
        self.post(self.publish(count, urgent=urgent, size=size))

    def ack(self, submit: Submit, first: int, last: int) -> Answer:
        answer = Ack(id=submit.id, first_seq=first, seq=last)
        return Answer(submit.room, submit.conn, self.fence, answer)

    def reject(self, asked: Submit | Arrive, code: ErrorCode, *, temporary: bool = False) -> Answer:
        answer = Reject(id=asked.id, code=code, temporary=temporary)
        return Answer(asked.room, asked.conn, self.fence, answer)

    def tell(self, count: int, except_conn: ConnectionId | None = None) -> Told:
        frame = encode(Presence(room=ROOM, fence=self.fence, count=count))
        return Told(ROOM, self.fence, frame, except_conn)

    def _receive(self, sender: Party, message: Message) -> None:
        self.heard.append(message)
        self._more.set()
        if isinstance(message, Arrive) and self.answers_arrivals:
            self.post(self.admit(message))
        elif isinstance(message, Submit) and self.answers_commands:
            published = self.publish(room=message.room)
            self.post(published, self.ack(message, published.first_seq, published.last_seq))


def frames_of(write: bytes) -> list[AnyServerFrame]:
    """The frames of one write, which holds nothing but whole text frames."""
    frames = []
    while write:
        assert write[0] == 0x81
        size, start = write[1], 2
        if size == 126:
            size, start = int.from_bytes(write[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(write[2:10], "big"), 10
        frames.append(decode_server_frame(write[start : start + size]))
        assert len(write) >= start + size
        write = write[start + size :]
    return frames


def event(seq: int, size: int = 0) -> ChatSent:
    """The event of a seq: its text says which."""
    return ChatSent(
        at_ms=1, message_id=str(uuid4()), by=person("Ada"), content=f"{seq}" + "." * size
    )
