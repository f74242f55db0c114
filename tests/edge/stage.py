"""An edge behind a real port, with a scripted home on the other side of the bus."""

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
from websockets.typing import Subprotocol

from protocol.catalog import ClientCommand
from protocol.chat import ChatSend
from protocol.cluster import (
    Message,
    Party,
)
from protocol.encodings import ENCODINGS, JSON, MESSAGEPACK, EncodingName
from protocol.errors import ErrorCode, Rejected
from protocol.frames import (
    AnyClientFrame,
    AnyServerFrame,
    Cmd,
    Events,
    Have,
    Hello,
    Join,
    Joined,
    Presence,
    Welcome,
)
from protocol.ids import ConnectionId, FrameId, RoomId
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
from roomserver.runtime.config import SigningKey, load
from roomserver.runtime.digests import Digests
from roomserver.runtime.limits import Limiter
from roomserver.runtime.tasks import Tasks
from tests.edge.scripted_home import EDGE, HOME, ROOM, WAIT_S, ScriptedHome, person

SLOW = Pace(tick_ms=5, ping_early_ms=(), ping_every_ms=3_600_000, measured_every_ms=10)
"""As in production, but no ping disturbs a test that does not ask for it."""

DIGESTS = Digests([SigningKey("test", b"k" * 32)])

F = TypeVar("F", bound=AnyServerFrame)


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
        is_packed = socket.subprotocol == MESSAGEPACK.subprotocol
        self.encoding = MESSAGEPACK if is_packed else JSON
        self.who = who
        self.conn_id: ConnectionId = ""
        self._ids = itertools.count(1)

    async def send(self, frame: AnyClientFrame) -> None:
        data = self.encoding.encode(frame)
        await self.socket.send(data if self.encoding.is_binary else data.decode())

    async def next(self) -> AnyServerFrame:
        """The next frame."""
        async with asyncio.timeout(WAIT_S):
            message = await self.socket.recv()
        assert isinstance(message, bytes) is self.encoding.is_binary
        return self.encoding.decode_server_frame(message)

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
            digests=DIGESTS.of,
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
    async def client(
        self, name: str, client_id: str | None = None, encoding: EncodingName | None = None
    ) -> AsyncIterator[Client]:
        """Somebody who has said hello; without an encoding the handshake names none."""
        self.people.introduce(person(name))
        asked = None if encoding is None else [Subprotocol(ENCODINGS[encoding].subprotocol)]
        async with self.socket(subprotocols=asked) as client:
            client.who = self.people.people[name].person
            await client.hello(client_id)
            yield client

    @asynccontextmanager
    async def member(
        self, name: str, have: Have | None = None, encoding: EncodingName | None = None
    ) -> AsyncIterator[Client]:
        """Somebody who is in the room."""
        async with self.client(name, encoding=encoding) as client:
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
