"""The bot SDK: an asyncio driver of `protocol.client`. It needs msgspec and websockets only.

    token = await guest("http://127.0.0.1:8000", "Echo")
    async with connect("http://127.0.0.1:8000", token=token) as me:
        room = await me.join(room_id)
        await room.chat("hi")

A lost connection is not seen by the caller: the bot comes back, resumes its rooms and sends again
what was not answered; each command happens once. See docs/bots.md.
"""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic_ns, time_ns
from types import TracebackType
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from msgspec import DecodeError
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from protocol.bot_journal import Journal
from protocol.bot_login import Login, guest, sign_in
from protocol.bot_room import Room
from protocol.catalog import ClientCommand, RoomSignal
from protocol.client import Client, JoinRefused, Turn, Verdict
from protocol.close_codes import CloseAdvice, CloseCode
from protocol.codec import decode_server_frame, encode
from protocol.errors import ERRORS, ErrorCode, Rejected
from protocol.frames import (
    Ack,
    AnyClientFrame,
    AnyServerFrame,
    Error,
    Events,
    Joined,
    Left,
    Presence,
    Reconnect,
    Reject,
    Welcome,
)
from protocol.ids import FrameId, RoomId
from protocol.users import Person

__all__ = ["Bot", "Closed", "Journal", "Login", "Rejected", "Room", "connect", "guest", "sign_in"]

FIRST_WAIT_MS: Final = 200
LONGEST_WAIT_MS: Final = 10_000
OPEN_WITHIN_MS: Final = 10_000
PATIENT_TRIES: Final = 20

Token = str | Callable[[], Awaitable[str]]
"""A token, or something that is awaited for one at each connect (`Login`)."""


class Closed(Exception):
    """The server ended it for good: `code` is the close code."""

    def __init__(self, code: int, advice: CloseAdvice) -> None:
        super().__init__(f"{code}: {advice.meaning}")
        self.code = code
        self.advice = advice


class connect:
    """`async with connect(url, token=...) as me`: a bot from its welcome to its leaving.

    `url` is `http(s)://host:port` or `ws(s)://host:port/ws`. `client_id` (8 to 64 letters, digits,
    `_`, `-`) names this bot's commands; give your own only if no other bot of this user has it.
    `patient`: a command that is refused with `rate_limited` waits as long as it is told, and tries
    again. Raises Rejected, Closed or TimeoutError where it gets no welcome `within_ms`.
    """

    def __init__(
        self,
        url: str,
        *,
        token: Token | None = None,
        client_id: str | None = None,
        patient: bool = True,
        journal: Journal | None = None,
        within_ms: int = OPEN_WITHIN_MS,
    ) -> None:
        self._bot = Bot(websocket_url(url), token, client_id, patient=patient, journal=journal)
        self._within_ms = within_ms

    async def __aenter__(self) -> "Bot":
        await self._bot.open(self._within_ms)
        return self._bot

    async def __aexit__(
        self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._bot.close()


class Bot:
    """A user on the server, over as many connections as it takes. Made by `connect`."""

    def __init__(
        self,
        url: str,
        token: Token | None,
        client_id: str | None,
        *,
        patient: bool,
        journal: Journal | None,
    ) -> None:
        self._url = url
        self._token = token
        self._client = Client(client_id or secrets.token_urlsafe(12))
        self._patient = patient
        self._journal = journal
        self._rooms: dict[RoomId, Room] = {}
        self._joining: dict[RoomId, asyncio.Future[Room]] = {}
        self._answers: dict[FrameId, asyncio.Future[Ack]] = {}
        self._outbox: asyncio.Queue[AnyClientFrame] = asyncio.Queue()
        self._socket: ClientConnection | None = None
        self._welcome: asyncio.Future[None]
        self._task: asyncio.Task[None]
        self._over: Exception | None = None
        self._tries = 0

    @property
    def user(self) -> Person:
        """Who the bot is."""
        assert self._client.user is not None, "nobody is welcome before open()"
        return self._client.user

    @property
    def client_id(self) -> str:
        """The name its commands carry, with their numbers."""
        return self._client.client_id

    @property
    def rtt_ms(self) -> float | None:
        """The round trip to the server, at its best; None before the first probe."""
        return self._client.clock.rtt_ms

    def now_ms(self) -> float:
        """Cluster time: the same instant for all who hear the room."""
        return self._client.clock.now_ms(_local_ms())

    async def join(
        self, room: RoomId, *, password: str | None = None, invite: str | None = None
    ) -> Room:
        """Come into a room and stay. Raises Rejected, Closed."""
        self._require_open()
        if room in self._rooms:
            return self._rooms[room]
        if room not in self._joining:
            self._joining[room] = asyncio.get_running_loop().create_future()
            self._do(self._client.join(room, password=password, invite=invite))
        return await asyncio.shield(self._joining[room])

    async def command(self, room: RoomId, command: ClientCommand) -> Ack:
        """Give a command and wait for its answer. Raises Rejected, Closed."""
        frame_id: FrameId | None = None
        tries = PATIENT_TRIES if self._patient else 0
        while True:
            self._require_open()
            frame_id, turn = self._client.command(room, command, again=frame_id)
            try:
                return await self._answer(frame_id, turn)
            except Rejected as refusal:
                if refusal.code is not ErrorCode.RATE_LIMITED or not tries:
                    raise
                wait_ms = refusal.retry_after_ms or 1_000
            tries -= 1
            await asyncio.sleep(wait_ms / 1_000)

    def signal(self, room: RoomId, signal: RoomSignal) -> None:
        """Send a passing message; lost if we are not connected."""
        self._do(self._client.signal(room, signal))

    def leave(self, room: RoomId) -> None:
        """Leave a room at once."""
        self._do(self._client.leave(room))
        self._gone(room, None)

    async def open(self, within_ms: int) -> None:
        """Connect and wait for the welcome. `connect` calls it."""
        self._welcome = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(), name=f"bot {self._client.client_id}")
        try:
            async with asyncio.timeout(within_ms / 1_000):
                await asyncio.shield(self._welcome)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Leave all rooms and the server; nothing is left running."""
        for room in list(self._rooms):
            self.leave(room)
        if self._socket is not None and not self._task.done():
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._outbox.join()
        self._task.cancel()
        await asyncio.wait([self._task])
        self._end(Closed(1000, CloseAdvice(False, False, "the bot has left")))

    async def _answer(self, frame_id: FrameId, turn: Turn) -> Ack:
        answer: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        self._answers[frame_id] = answer
        self._do(turn)
        try:
            return await answer
        finally:
            self._answers.pop(frame_id, None)

    def _require_open(self) -> None:
        if self._over is not None:
            raise self._over

    async def _run(self) -> None:
        """Connect again and again, until the server says that it is no use."""
        try:
            while True:
                verdict = await self._connection()
                advice = verdict.advice
                # A new credential is there only if somebody makes one at each connect.
                if not advice.reconnect or (advice.new_credentials and not callable(self._token)):
                    self._end(Closed(self._code, advice))
                    return
                # Full jitter: a restarted server does not meet everybody at the same instant.
                ceiling_ms = min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2**self._tries)
                self._tries += 1
                wait_ms = verdict.wait_ms + random.uniform(0, ceiling_ms)
                await asyncio.sleep(wait_ms / 1_000)
        except Exception as problem:
            self._end(problem)

    async def _connection(self) -> Verdict:
        """One connection, from its opening to its end."""
        self._code: int = CloseCode.ABNORMAL
        self._outbox = asyncio.Queue()
        try:
            token = await self._token() if callable(self._token) else self._token
            async with connect_websocket(
                self._url,
                subprotocols=[Subprotocol("unisono.v1.json")],
                compression=None,
                max_size=None,
                close_timeout=1,
            ) as socket:
                await self._talk(socket, token)
        except (OSError, TimeoutError, WebSocketException):
            # Nobody there, or not ready yet: as if it had been lost.
            pass
        return self._client.disconnected(self._code)

    async def _talk(self, socket: ClientConnection, token: str | None) -> None:
        self._socket = socket
        if self._journal:
            self._journal.connected(time_ns())
        self._do(self._client.connected(token))
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write(socket), name="bot writer")
                with suppress(ConnectionClosed):
                    async for message in socket:
                        self._receive(message)
                writer.cancel()
        finally:
            self._socket = None
            if socket.close_code is not None:
                self._code = socket.close_code
            if self._journal:
                self._journal.lost(time_ns(), self._code)

    async def _write(self, socket: ClientConnection) -> None:
        """Write what is to be sent, and do what is due."""
        while True:
            due_ms = self._client.next_tick_ms()
            wait_s = None if due_ms is None else max(0.0, (due_ms - _local_ms()) / 1_000)
            try:
                async with asyncio.timeout(wait_s):
                    frame = await self._outbox.get()
            except TimeoutError:
                self._do(self._client.tick(_local_ms()))
                continue
            if self._journal:
                self._journal.sent(time_ns(), frame)
            try:
                await socket.send(encode(frame).decode())
            except ConnectionClosed:
                return
            self._outbox.task_done()

    def _receive(self, message: str | bytes) -> None:
        if self._journal:
            with suppress(DecodeError, UnicodeDecodeError):
                self._journal.received(time_ns(), decode_server_frame(message))
        now_ms = _local_ms()
        self._do(self._client.receive(message, now_ms))
        self._do(self._client.tick(now_ms))

    def _do(self, turn: Turn) -> None:
        if self._socket is not None:
            for frame in turn.send:
                self._outbox.put_nowait(frame)
        for happening in turn.happened:
            self._heed(happening)

    def _heed(self, happening: AnyServerFrame | JoinRefused) -> None:
        match happening:
            case Welcome():
                self._tries = 0
                if not self._welcome.done():
                    self._welcome.set_result(None)
            case Joined(room=room):
                self._entered(room)
            case JoinRefused(room=room, refusal=refusal):
                self._gone(room, rejected(refusal))
            case Ack(id=frame_id):
                if (answer := self._answers.get(frame_id)) and not answer.done():
                    answer.set_result(happening)
            case Reject(id=frame_id):
                if (answer := self._answers.get(frame_id)) and not answer.done():
                    answer.set_exception(rejected(happening))
            case Events(room=room, events=events):
                if room in self._rooms:
                    self._rooms[room].happened(events)
            case Presence(room=room):
                if room in self._rooms:
                    self._rooms[room].happened([])
            case Left(room=room, reason=reason):
                self._gone(room, LookupError(f"The room was left: {reason}."))
            case Reconnect(after_ms=after_ms):
                self._come_back(after_ms)
            case Error(code=code, message=message) if not self._welcome.done():
                if not ERRORS[code].temporary:
                    self._welcome.set_exception(Rejected(code, message or None))

    def _entered(self, room: RoomId) -> None:
        if room not in self._rooms:
            self._rooms[room] = Room(self, self._client.rooms[room])
        if waiting := self._joining.pop(room, None):
            waiting.set_result(self._rooms[room])
        self._rooms[room].happened([])

    def _gone(self, room: RoomId, why: Exception | None) -> None:
        if waiting := self._joining.pop(room, None):
            waiting.set_exception(why or LookupError("The room was left."))
            waiting.exception()
        if known := self._rooms.pop(room, None):
            known.end(why)

    def _come_back(self, after_ms: int) -> None:
        """The server asks for a new connection: close this one then."""
        if self._socket is not None:
            transport = self._socket.transport
            asyncio.get_running_loop().call_later(after_ms / 1_000, transport.close)

    def _end(self, why: Exception) -> None:
        """Nothing more will come: whoever waits is told why."""
        if self._over is not None:
            return
        self._over = why
        if not self._welcome.done():
            self._welcome.set_exception(why)
        # Told here even if nobody waits any more.
        self._welcome.exception()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(why)
        for room in [*self._rooms, *self._joining]:
            self._gone(room, why)


def rejected(frame: Reject) -> Rejected:
    """The refusal as an exception."""
    return Rejected(
        frame.code,
        frame.message or None,
        retry_after_ms=frame.retry_after_ms,
        **frame.details,
    )


def websocket_url(url: str) -> str:
    """Where the WebSocket of a server is, from any of its addresses."""
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    path = parts.path if parts.path.rstrip("/") else "/ws"
    return urlunsplit((scheme, parts.netloc, path, "", ""))


def _local_ms() -> float:
    # Not the loop's clock: uvloop's steps by whole milliseconds.
    return monotonic_ns() / 1_000_000
