"""An edge behind a real port, and a home of which a test writes the part."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from protocol.catalog import ClientCommand
from protocol.chat import ChatSend, ChatSent
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
from protocol.errors import ErrorCode, Rejected
from protocol.frames import (
    Ack,
    AnyClientFrame,
    AnyServerFrame,
    Cmd,
    Events,
    Have,
    Hello,
    Join,
    Joined,
    Presence,
    Reject,
    Resumed,
    Welcome,
)
from protocol.ids import ConnectionId, FrameId, RoomId
from protocol.members import Member
from protocol.users import Person
from roomserver.bus.channels import Channel
from roomserver.bus.directory import Directory
from roomserver.bus.memory import MemoryBus
from roomserver.edge.connection import Connection
from roomserver.edge.edge import Edge
from roomserver.edge.front import FrontDoor
from roomserver.edge.pace import Pace
from roomserver.edge.ports import Caller
from roomserver.runtime.clock import ClusterClock, monotonic_ns
from roomserver.runtime.config import load
from roomserver.runtime.limits import Limiter
from roomserver.runtime.tasks import Tasks

WAIT_S = 10
HOME, EDGE = "node:home", "node:edge"
ROOM = "00000000-0000-4000-8000-000000000001"
LINEAGE = "00000000-0000-4000-8000-00000000000a"
SLOW = Pace(
    tick_ms=5, ping_early_ms=(), ping_every_ms=3_600_000, flush_every_ms=20, measured_every_ms=10
)
"""As in production, but no ping disturbs a test that does not ask for it."""

F = TypeVar("F", bound=AnyServerFrame)
M = TypeVar("M", bound=Message)


def person(name: str) -> Person:
    return Person(user_id=str(uuid4()), display_name=name, kind="person")


class KnownPeople:
    """Lets in who says the name of a person that the test introduced."""

    def __init__(self) -> None:
        self.people: dict[str, Caller] = {}
        self.cookies: list[str | None] = []
        self.gate = asyncio.Event()
        self.gate.set()

    def introduce(self, who: Person) -> Caller:
        caller = Caller(person=who, login_id=str(uuid4()))
        return self.people.setdefault(who.display_name, caller)

    async def authenticate(self, hello: Hello, cookie: str | None) -> Caller:
        self.cookies.append(cookie)
        await self.gate.wait()
        if hello.token is None or hello.token not in self.people:
            raise Rejected(ErrorCode.UNAUTHENTICATED)
        return self.people[hello.token]


class ScriptedHome:
    """Speaks to the edge as a home does: admits everybody, and publishes what a test tells it."""

    def __init__(self, bus: MemoryBus) -> None:
        self.heard: list[Message] = []
        self.seq: dict[RoomId, int] = {}
        self.fence = 1
        self.lineage = LINEAGE
        self.padding = 0
        """Bytes of backlog that a newcomer gets on top, to make coming in heavy."""
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
            resumed=Resumed(lineage=self.lineage, from_seq=start + 1),
        )
        backlog = []
        if start < seq:
            padding = min(self.padding // (seq - start), 1_900)
            events = [event(n, padding) for n in range(start + 1, seq + 1)]
            backlog = [encode(Events(room=room, first_seq=start + 1, events=events))]
        presence = encode(Presence(room=room, fence=self.fence, count=1))
        return Admitted(
            room, arrive.conn, self.fence, self.lineage, seq, encode(joined), backlog, presence
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


class Recorder:
    """A real transport; what is written to it is noted on the way, write by write."""

    def __init__(self, transport: asyncio.BaseTransport, written: list[bytes]) -> None:
        self._transport = transport
        self._written = written

    def write(self, data: bytes) -> None:
        self._written.append(bytes(data))
        self._transport.write(data)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class RecordingDoor(FrontDoor):
    """The front door on a transport that notes what is written."""

    written: dict[int, list[bytes]]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        port = transport.get_extra_info("peername")[1]
        recorder = Recorder(transport, self.written.setdefault(port, []))
        super().connection_made(recorder)  # type: ignore[arg-type]


class Client:
    """A real socket of a person."""

    def __init__(self, socket: ClientConnection, who: Person | None = None) -> None:
        self.socket = socket
        self.who = who
        self.conn_id: ConnectionId = ""
        self._ids = itertools.count(1)

    async def send(self, frame: AnyClientFrame) -> None:
        await self.socket.send(encode(frame).decode())

    async def next(self) -> AnyServerFrame:
        """The next frame."""
        async with asyncio.timeout(WAIT_S):
            return decode_server_frame(await self.socket.recv())

    async def receive(self, kind: type[F]) -> F:
        """The next frame of a kind; those before it are dropped."""
        while not isinstance(frame := await self.next(), kind):
            pass
        return frame

    async def hello(self, client_id: str | None = None) -> Welcome:
        assert self.who is not None
        client_id = client_id or f"client-{self.who.display_name}"
        await self.send(Hello(client_id=client_id, token=self.who.display_name))
        welcome = await self.receive(Welcome)
        self.conn_id = welcome.conn_id
        return welcome

    async def ask_in(self, room: RoomId = ROOM, have: Have | None = None) -> FrameId:
        frame_id = next(self._ids)
        await self.send(Join(id=frame_id, room=room, have=have))
        return frame_id

    async def join(self, room: RoomId = ROOM, have: Have | None = None) -> Joined:
        """Come in; the first presence has been read too."""
        await self.ask_in(room, have)
        joined = await self.receive(Joined)
        await self.receive(Presence)
        return joined

    async def command(
        self, command: ClientCommand | None = None, *, room: RoomId = ROOM
    ) -> FrameId:
        """Send a command without waiting."""
        frame_id = next(self._ids)
        await self.send(Cmd(id=frame_id, room=room, cmd=command or ChatSend(content="hello")))
        return frame_id

    async def seqs(self, last: int) -> list[int]:
        """The seqs of all events up to `last`, as they come."""
        out: list[int] = []
        while not out or out[-1] != last:
            frame = await self.next()
            if isinstance(frame, Events):
                out += range(frame.first_seq, frame.first_seq + len(frame.events))
        return out

    async def close_code(self) -> int:
        """Why the server closed; what came before is dropped."""
        async with asyncio.timeout(WAIT_S):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd is not None else 1006


class Stage:
    """An edge, its port, and the home on the other side of the bus."""

    def __init__(self, config_of: Callable[[], Any], pace: Pace, http: Any) -> None:
        self.config = config_of()
        self.bus = MemoryBus()
        self.tasks = Tasks("edge")
        self.clock = ClusterClock()
        now_ns = monotonic_ns()
        self.clock.observe(now_ns, 1_000_000.0, now_ns)
        self.people = KnownPeople()
        self.home = ScriptedHome(self.bus)
        self._channel = Channel(self.bus, EDGE, self._receive)
        self.edge = Edge(
            self.config,
            self.clock,
            self._channel,
            Directory(HOME),
            self.people,
            Limiter(self.config.limits_factor),
            self.tasks,
            pace=pace,
        )
        self._http = http
        self.port = 0
        self._written: dict[int, list[bytes]] = {}

    async def open(self) -> None:
        await self._channel.open()
        await self.home.open()
        loop = asyncio.get_running_loop()
        door = type("Door", (RecordingDoor,), {"written": self._written})
        self._server = await loop.create_server(lambda: door(self.edge, self._http), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        await self.edge.close(drain=False)
        await self.tasks.close()
        await self.bus.close()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    def written(self, client: Client) -> list[bytes]:
        """What the server wrote to a client, write by write. Clear it to forget what was."""
        return self._written[client.socket.local_address[1]]

    def connection(self, client: Client) -> Connection:
        return self.edge.connections[client.conn_id]

    @asynccontextmanager
    async def socket(self, **options: Any) -> AsyncIterator[Client]:
        """A socket that has not said hello."""
        async with connect(self.url, max_size=None, **options) as socket:
            yield Client(socket)

    @asynccontextmanager
    async def client(self, name: str, client_id: str | None = None) -> AsyncIterator[Client]:
        """Somebody who has said hello."""
        self.people.introduce(person(name))
        async with self.socket() as client:
            client.who = self.people.people[name].person
            await client.hello(client_id)
            yield client

    @asynccontextmanager
    async def member(self, name: str, have: Have | None = None) -> AsyncIterator[Client]:
        """Somebody who is in the room."""
        async with self.client(name) as client:
            await client.join(have=have)
            yield client

    async def wire(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare connection to the port."""
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def until(self, fits: Callable[[], bool]) -> None:
        """Turn the loop until something holds."""
        async with asyncio.timeout(WAIT_S):
            while True:
                if fits():
                    return
                await asyncio.sleep(0)

    def _receive(self, sender: Party, message: Message) -> None:
        self.edge.receive(sender, message)


@asynccontextmanager
async def stage(
    folder: Path = Path("/nonexistent"),
    *,
    pace: Pace = SLOW,
    limits_factor: float = 0,
    http: Any = None,
    **settings: object,
) -> AsyncIterator[Stage]:
    """An edge that runs while the block does. Limits are off unless a test is about them."""
    on = Stage(
        lambda: load({}, data_dir=folder, limits_factor=limits_factor, **settings), pace, http
    )
    await on.open()
    try:
        yield on
    finally:
        with contextlib.suppress(RuntimeError):
            await on.close()
