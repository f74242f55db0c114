"""A home on a real database, and an edge of which a test sees every message."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar
from uuid import uuid4

import msgspec

from protocol.catalog import RoomCommand, RoomEvent, RoomSignal
from protocol.chat import ChatSend
from protocol.cluster import (
    Admitted,
    Answer,
    Arrive,
    Depart,
    FromHome,
    Message,
    Party,
    Published,
    SignalSent,
    Submit,
)
from protocol.codec import decode_server_frame, encode
from protocol.fold import fold
from protocol.frames import Ack, Events, Have, Joined, Reject
from protocol.ids import ConnectionId, RoomId
from protocol.rooms import Room, RoomSettings
from protocol.snapshot import Snapshot, new_room
from protocol.users import Person
from roomserver.bus.channels import Channel
from roomserver.bus.memory import MemoryBus
from roomserver.home.pace import Pace
from roomserver.home.table import Home
from roomserver.runtime.clock import ClusterClock
from roomserver.runtime.passwords import Passwords
from sql.pool import Database

WAIT_S = 20
M = TypeVar("M", bound=Message)


def person(name: str, kind: str = "person") -> Person:
    return Person(user_id=str(uuid4()), display_name=name, kind=kind)  # type: ignore[arg-type]


async def make_room(
    database: Database,
    owner: Person,
    *,
    room_id: RoomId | None = None,
    visibility: str = "public",
    password_hash: str | None = None,
    settings: RoomSettings | None = None,
    in_members: bool = False,
) -> RoomId:
    """A room as the sidecar makes one."""
    room_id, lineage = room_id or str(uuid4()), str(uuid4())
    room = Room(
        room_id=room_id,
        name="Room",
        visibility=visibility,  # type: ignore[arg-type]
        owner_id=owner.user_id,
        settings=settings or RoomSettings(),
    )
    public = encode(new_room(room, lineage, owner, 1)).decode()
    async with database.transaction() as connection:
        await connection.execute(
            "insert into rooms (room_id, name, name_key, visibility, password_hash, owner_id)"
            " values ($1, 'Room', 'room', $2, $3, $4)",
            room_id,
            visibility,
            password_hash,
            owner.user_id,
        )
        await connection.execute(
            "insert into room_homes (room_id, lineage) values ($1, $2)", room_id, lineage
        )
        await connection.execute(
            "insert into room_snapshots (room_id, seq, lineage, public) values ($1, 0, $2, $3)",
            room_id,
            lineage,
            public,
        )
        if in_members:
            await connection.execute(
                "insert into room_members (room_id, user_id, role, joined_at_ms)"
                " values ($1, $2, 'owner', 1)",
                room_id,
                owner.user_id,
            )
    return room_id


async def add_user(database: Database, who: Person) -> None:
    """An account, as the sidecar makes one."""
    async with database.acquire() as connection:
        await connection.execute(
            "insert into users (user_id, kind, display_name) values ($1, $2, $3)",
            who.user_id,
            who.kind,
            who.display_name,
        )


async def make_track(database: Database, duration_ms: int = 60_000) -> str:
    """A track that may be queued."""
    track_id = str(uuid4())
    async with database.acquire() as connection:
        await connection.execute(
            "insert into tracks (track_id, title, duration_ms, duration_samples, media_type,"
            " size_bytes, content_hash, storage_key)"
            " values ($1, 'Track', $2, $3, 'audio/flac', 1, 'x', 'x')",
            track_id,
            duration_ms,
            duration_ms * 48,
        )
    return track_id


class WatchedEdge:
    """One party that speaks to a home as an edge does. Keeps all that it hears."""

    def __init__(self, bus: MemoryBus, home: Party, party: Party = "node:edge") -> None:
        self.heard: list[Message] = []
        self._home = home
        # A sidecar's commands are other commands than those of the same person's page.
        self._client = "call" if party.startswith("http:") else "client"
        self._channel = Channel(bus, party, self._receive)
        self._ids = itertools.count(1)
        self._more = asyncio.Event()
        self.on_hearing: Callable[[Message], None] = lambda message: None

    async def open(self) -> None:
        await self._channel.open()

    async def until(self, kind: type[M], fits: Callable[[M], bool] = lambda message: True) -> M:
        """The first message of a kind, heard or still to come, that fits."""
        seen = 0
        async with asyncio.timeout(WAIT_S):
            while True:
                for message in self.heard[seen:]:
                    if isinstance(message, kind) and fits(message):
                        return message
                seen = len(self.heard)
                self._more.clear()
                await self._more.wait()

    async def arrive(
        self,
        room: RoomId,
        who: Person,
        conn: ConnectionId | None = None,
        *,
        have: Have | None = None,
        rtt_ms: float = 20,
        addresses: tuple[str, ...] = (),
        returns: bool = False,
    ) -> Admitted | Reject:
        """Ask to be let in."""
        frame_id = next(self._ids)
        conn = conn or f"conn-{who.display_name}"
        start = len(self.heard)
        arrive = Arrive(room, conn, frame_id, who, None, None, have, addresses, rtt_ms, returns)
        self._post(arrive)

        def is_answer(message: FromHome) -> bool:
            if isinstance(message, Answer):
                return message.conn == conn and message.answer.id == frame_id
            return isinstance(message, Admitted) and message.conn == conn

        message = await self.until(
            Message,
            lambda m: is_answer(m) and m in self.heard[start:],  # type: ignore[arg-type]
        )
        return message.answer if isinstance(message, Answer) else message  # type: ignore[return-value]

    async def join(
        self, room: RoomId, who: Person, conn: ConnectionId | None = None, **more: object
    ) -> Admitted:
        """Come in; a refusal fails the test."""
        answer = await self.arrive(room, who, conn, **more)  # type: ignore[arg-type]
        assert isinstance(answer, Admitted), answer
        return answer

    def send(
        self,
        room: RoomId,
        who: Person,
        command: RoomCommand,
        *,
        client_id: str | None = None,
        id: int | None = None,
        addresses: tuple[str, ...] = (),
    ) -> int:
        """Send a command without waiting; returns its id."""
        frame_id = next(self._ids) if id is None else id
        client_id = client_id or f"{self._client}-{who.display_name}"
        conn = f"conn-{who.display_name}"
        self._post(Submit(room, conn, who, client_id, frame_id, command, addresses))
        return frame_id

    async def ask(
        self, room: RoomId, who: Person, command: RoomCommand, **more: object
    ) -> Ack | Reject:
        """Send a command and wait for its answer."""
        start = len(self.heard)
        frame_id = self.send(room, who, command, **more)  # type: ignore[arg-type]
        return await self.answer(room, frame_id, start)

    async def answer(self, room: RoomId, frame_id: int, start: int = 0) -> Ack | Reject:
        """The answer to a command that was sent."""
        answer = await self.until(
            Answer,
            lambda m: m.room == room and m.answer.id == frame_id and m in self.heard[start:],
        )
        return answer.answer

    async def say(self, room: RoomId, who: Person, content: str) -> Ack:
        """Chat; a refusal fails the test."""
        answer = await self.ask(room, who, ChatSend(content=content))
        assert isinstance(answer, Ack), answer
        return answer

    def depart(self, room: RoomId, conn: ConnectionId, *, explicit: bool = False) -> None:
        self._post(Depart(room, conn, explicit))

    def signal(self, room: RoomId, who: Person, signal: RoomSignal) -> None:
        self._post(SignalSent(room, f"conn-{who.display_name}", who, signal))

    def shown(self, room: RoomId) -> list[tuple[int, RoomEvent]]:
        """All events of a room in the order in which they were heard, with their seq."""
        out: list[tuple[int, RoomEvent]] = []
        for message in self.heard:
            if isinstance(message, Published) and message.room == room:
                frame = decode_server_frame(message.frame)
                assert isinstance(frame, Events)
                assert frame.first_seq == message.first_seq
                assert frame.first_seq + len(frame.events) - 1 == message.last_seq
                out += enumerate(frame.events, frame.first_seq)
        return out

    def _post(self, message: Arrive | Submit | Depart | SignalSent) -> None:
        self._channel.post(self._home, message)

    def _receive(self, sender: Party, message: Message) -> None:
        self.heard.append(message)
        self.on_hearing(message)
        self._more.set()


def state_of(admitted: Admitted, copy: Snapshot | None = None) -> Snapshot:
    """What a client holds after it was let in, with the copy that it had."""
    joined = decode_server_frame(admitted.frame())
    assert isinstance(joined, Joined)
    if joined.snapshot is not None:
        copy = joined.snapshot
    assert copy is not None
    if joined.resumed is not None:
        assert copy.seq + 1 == joined.resumed.from_seq
    for data in admitted.backlog:
        frame = decode_server_frame(data)
        assert isinstance(frame, Events)
        assert frame.first_seq == copy.seq + 1
        for event in frame.events:
            fold(copy, event)
    assert copy.seq == admitted.seq
    return copy


def was_resumed(admitted: Admitted) -> bool:
    joined = decode_server_frame(admitted.frame())
    assert isinstance(joined, Joined)
    return joined.resumed is not None


class Stage:
    """A home and an edge in one process."""

    def __init__(
        self,
        database: Database,
        url: str,
        node_id: str,
        pace: Pace,
        clock: ClusterClock | None = None,
    ) -> None:
        self.database = database
        self.clock = clock or ClusterClock()
        self.bus = MemoryBus()
        home = f"node:{node_id}"
        self._channel = Channel(self.bus, home, self._receive)
        self.home = Home(database, url, self.clock, self._channel, node_id, Passwords(), pace=pace)
        self.edge = WatchedEdge(self.bus, home)
        self.sidecar = WatchedEdge(self.bus, home, "http:test")

    async def open(self) -> None:
        await self._channel.open()
        await self.edge.open()
        await self.sidecar.open()
        await self.home.start()

    async def close(self) -> None:
        await self.home.close()
        await self.bus.close()

    def _receive(self, sender: Party, message: Message) -> None:
        self.home.receive(sender, message)


QUICK = Pace(
    presence_every_ms=0,
    retry_ms=10,
    beat_every_ms=50,
    list_every_ms=10,
)


@asynccontextmanager
async def stage(
    database: Database,
    url: str,
    *,
    node_id: str | None = None,
    clock: ClusterClock | None = None,
    **pace: float,
) -> AsyncIterator[Stage]:
    """A home that runs while the block does."""
    pace_of_it = msgspec.structs.replace(QUICK, **pace)
    on = Stage(database, url, node_id or str(uuid4()), pace_of_it, clock)
    await on.open()
    try:
        yield on
    finally:
        await on.close()
