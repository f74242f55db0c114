"""The bot SDK: an asyncio driver of `protocol.client`. It needs msgspec and websockets only.

    token = await guest("http://127.0.0.1:8000", "Echo")
    async with connect("http://127.0.0.1:8000", token) as me:
        room = await me.join(room_id)
        await room.chat("hi")

A lost connection is not seen by the caller: the bot comes back, resumes its rooms and sends again
what was not answered; each command happens once. See docs/bots.md.
"""

import asyncio
import secrets
from contextlib import suppress
from time import time_ns
from types import TracebackType
from typing import Final

from protocol.bot_clock import Clock, local_ms
from protocol.bot_events import Events, PutOut
from protocol.bot_journal import Journal
from protocol.bot_listener import Listener, Playhead
from protocol.bot_login import Login, guest, sign_in
from protocol.bot_room import Room
from protocol.bot_slash import Slash, SlashCall
from protocol.bot_wire import LEFT, Closed, Token, Wire, websocket_url
from protocol.catalog import ClientCommand, RoomSignal
from protocol.client import PATIENCE_MS, Client, Happening, JoinRefused, Missed, Moved
from protocol.client_room import Came, News, Resynced, Signalled, UnknownEvent, Went
from protocol.encodings import ENCODINGS, EncodingName
from protocol.errors import ERRORS, ErrorCode, Rejected
from protocol.frames import Ack, Error, Joined, Left, Reject, SignalDown, Welcome
from protocol.frames import Events as EventsFrame
from protocol.ids import FrameId, RoomId
from protocol.users import Person

__all__ = [
    "Bot",
    "Came",
    "Clock",
    "Closed",
    "ErrorCode",
    "Events",
    "Journal",
    "Listener",
    "Login",
    "News",
    "Playhead",
    "PutOut",
    "Rejected",
    "Resynced",
    "Room",
    "Signalled",
    "Slash",
    "SlashCall",
    "UnknownEvent",
    "Went",
    "connect",
    "guest",
    "sign_in",
]

OPEN_WITHIN_MS: Final = 10_000
LAST_WORDS_S: Final = 2.0
"""At the end, for so long what was said is still being sent."""


class connect:
    """`async with connect(url, token) as me`: a bot from its welcome to its leaving.

    `url` is `http(s)://host:port` or `ws(s)://host:port/ws`; `token` an access token, or a `Login`
    for a bot that stays. `client_id` (8 to 64 letters, digits, `_`, `-`) names this bot's commands:
    give your own if a newer process is to take over from an older one, which gets 4409.
    `patience_ms`: for so long a command or a join that is refused for the time being is tried
    again. `encoding="msgpack"` speaks MessagePack instead of JSON; nothing else changes. Raises
    Rejected, Closed or TimeoutError where it gets no welcome `within_ms`.
    """

    def __init__(
        self,
        url: str,
        token: Token | None = None,
        *,
        client_id: str | None = None,
        patience_ms: float = PATIENCE_MS,
        encoding: EncodingName = "json",
        journal: Journal | None = None,
        within_ms: int = OPEN_WITHIN_MS,
    ) -> None:
        client = Client(
            client_id or secrets.token_urlsafe(12),
            # Of an earlier process with this client_id all ids are lower; none names two commands.
            first_id=time_ns() // 1_000_000,
            patience_ms=patience_ms,
            encoding=ENCODINGS[encoding],
        )
        self._bot = Bot(websocket_url(url), client, token, journal)
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
        self, url: str, client: Client, token: Token | None, journal: Journal | None
    ) -> None:
        self._client = client
        self._wire = Wire(url, client, token, journal, self._heed)
        self._rooms: dict[RoomId, Room] = {}
        self._joining: dict[RoomId, asyncio.Future[Room]] = {}
        self._answers: dict[FrameId, asyncio.Future[Ack]] = {}
        self._welcome: asyncio.Future[None]
        self._task: asyncio.Task[None]
        self._over: Exception | None = None
        self.clock = Clock(client.clock)
        """Cluster time: the same instant for all who hear a room."""

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
    def is_connected(self) -> bool:
        """Whether a server has it just now. If not, it is on its way back, or it is over."""
        return self._wire.is_open and self._client.welcome

    async def join(
        self,
        room: RoomId,
        *,
        password: str | None = None,
        invite: str | None = None,
        patience_ms: float | None = None,
    ) -> Room:
        """Come into a room and stay, over reconnects. Raises Rejected, Closed."""
        self._require_open()
        if room not in self._joining:
            if room in self._rooms:
                return self._rooms[room]
            self._joining[room] = asyncio.get_running_loop().create_future()
            self._wire.do(
                self._client.join(
                    room,
                    local_ms(),
                    password=password,
                    invite=invite,
                    patience_ms=patience_ms,
                )
            )
        try:
            return await asyncio.shield(self._joining[room])
        except asyncio.CancelledError:
            # Whoever does not wait any longer does not want to be found inside later.
            if room in self._joining:
                self.leave(room)
            raise

    async def do(
        self, room: RoomId, command: ClientCommand, *, patience_ms: float | None = None
    ) -> Ack:
        """Give a command and wait for its answer. Raises Rejected, Closed."""
        self._require_open()
        frame_id, turn = self._client.command(room, command, local_ms(), patience_ms=patience_ms)
        answer: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        self._answers[frame_id] = answer
        self._wire.do(turn)
        try:
            return await answer
        finally:
            self._client.forget(frame_id)
            del self._answers[frame_id]

    def signal(self, room: RoomId, signal: RoomSignal) -> None:
        """Send a passing message; lost if we are not connected."""
        self._wire.do(self._client.signal(room, signal))

    def leave(self, room: RoomId) -> None:
        """Leave a room at once."""
        self._wire.do(self._client.leave(room))
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
        if self._wire.is_open:
            self._wire.finish()
            await asyncio.wait([self._task], timeout=LAST_WORDS_S)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        why: Exception = LEFT
        try:
            why = await self._wire.run()
        except Exception as problem:
            why = problem
        finally:
            self._end(why)

    def _require_open(self) -> None:
        if self._over is not None:
            raise self._over

    def _heed(self, happening: Happening) -> None:
        match happening:
            case Welcome():
                if not self._welcome.done():
                    self._welcome.set_result(None)
            case Joined(room=room):
                self._entered(room)
            case JoinRefused(room=room, refusal=refusal):
                self._gone(room, rejected(refusal))
            case Missed(room=room, what=resynced):
                self._tell(room, [(resynced.seq, resynced)])
            case Ack(id=frame_id):
                if (answer := self._answers.get(frame_id)) and not answer.done():
                    answer.set_result(happening)
            case Reject(id=frame_id):
                if (answer := self._answers.get(frame_id)) and not answer.done():
                    answer.set_exception(rejected(happening))
            case EventsFrame(room=room, first_seq=first_seq, events=events):
                self._tell(room, list(enumerate(events, first_seq)))
            case Moved(room=room, who=who):
                self._tell(room, [(self._seq(room), one) for one in who])
                self._is_here(room)
            case SignalDown(room=room, from_=by, signal=signal):
                self._tell(room, [(self._seq(room), Signalled(by, signal))])
            case Left(room=room):
                self._gone(room, PutOut(happening))
            case Error(code=code, message=message) if not self._welcome.done():
                if not ERRORS[code].temporary:
                    self._welcome.set_exception(Rejected(code, message or None))

    def _entered(self, room: RoomId) -> None:
        if room not in self._rooms:
            self._rooms[room] = Room(self, self._client.rooms[room])
        self._tell(room, [])

    def _is_here(self, room: RoomId) -> None:
        """Who else is here follows right behind the snapshot: now all of the room is known."""
        waiting = self._joining.pop(room, None)
        if waiting and not waiting.done():
            waiting.set_result(self._rooms[room])

    def _tell(self, room: RoomId, news: list[tuple[int, News]]) -> None:
        if known := self._rooms.get(room):
            known.happened(news)

    def _seq(self, room: RoomId) -> int:
        known = self._rooms.get(room)
        return known.snapshot.seq if known else 0

    def _gone(self, room: RoomId, why: Exception | None) -> None:
        waiting = self._joining.pop(room, None)
        if waiting and not waiting.done():
            waiting.set_exception(why or LookupError("The room was left."))
            waiting.exception()
        if known := self._rooms.pop(room, None):
            known.end(why)

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
