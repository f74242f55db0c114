"""The sockets of a bot, one after the other, and the client that they feed."""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import time_ns
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from msgspec import DecodeError
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from protocol.bot_clock import local_ms
from protocol.bot_journal import Journal
from protocol.bot_login import Login
from protocol.client import Client, Happening, Turn, Verdict
from protocol.close_codes import CloseAdvice, CloseCode
from protocol.errors import Rejected
from protocol.frames import AnyClientFrame

PING_EVERY_S: Final = 10
"""A server that does not answer a ping for as long is as good as gone."""

Token = str | Callable[[], Awaitable[str]]
"""A token, or something that is awaited for one at each connect (`Login`)."""


class Closed(Exception):
    """It is over for good: `code` is the close code, `advice` says what it means."""

    def __init__(self, code: int, advice: CloseAdvice) -> None:
        super().__init__(f"{code}: {advice.meaning}")
        self.code = code
        self.advice = advice


LEFT: Final = Closed(1000, CloseAdvice(False, False, "the bot has left"))


class Wire:
    """Connects again and again, until the server says that it is no use, or `finish`."""

    def __init__(
        self,
        url: str,
        client: Client,
        token: Token | None,
        journal: Journal | None,
        heed: Callable[[Happening], None],
    ) -> None:
        self._url = url
        self._client = client
        self._token = token
        self._journal = journal
        self._heed = heed
        self._encoding = client.encoding
        self._frames: deque[AnyClientFrame] = deque()
        self._woken = asyncio.Event()
        self._is_open = False
        self._is_finishing = False
        self._is_renewing = False
        self._code = int(CloseCode.ABNORMAL)

    @property
    def is_open(self) -> bool:
        """Whether there is a socket just now."""
        return self._is_open

    def do(self, turn: Turn) -> None:
        """Send what a turn says, and tell what happened by it."""
        if self._is_open:
            self._frames.extend(turn.send)
            self._is_renewing |= turn.renew
        self._woken.set()
        for happening in turn.happened:
            self._heed(happening)

    def finish(self) -> None:
        """Send what is to be sent, and end."""
        self._is_finishing = True
        self._woken.set()

    async def run(self) -> Exception:
        """Give back why it ended."""
        while True:
            verdict, refused = await self._connection()
            if self._is_finishing:
                return LEFT
            if refused is not None and not refused.kind.temporary:
                return refused
            advice = verdict.advice
            # A new credential is there only if somebody makes one at each connect.
            if not verdict.reconnect or (advice.new_credentials and not callable(self._token)):
                return Closed(self._code, advice)
            if advice.new_credentials and isinstance(self._token, Login):
                self._token.expire()
            await asyncio.sleep(verdict.wait_ms / 1_000)

    async def _connection(self) -> tuple[Verdict, Rejected | None]:
        """One connection, from its opening to its end, or why there was no token for it."""
        self._code = CloseCode.ABNORMAL
        self._is_renewing = False
        refused: Rejected | None = None
        wait_ms = 0
        try:
            token = await self._token() if callable(self._token) else self._token
            async with connect_websocket(
                self._url,
                subprotocols=[Subprotocol(self._encoding.subprotocol)],
                compression=None,
                max_size=None,
                ping_interval=PING_EVERY_S,
                ping_timeout=PING_EVERY_S,
                close_timeout=1,
            ) as socket:
                await self._talk(socket, token)
        except Rejected as problem:
            refused, wait_ms = problem, problem.retry_after_ms or 0
        except InvalidStatus as problem:
            # Full, or not ready yet: as if it had been lost, but it may say for how long.
            told_s = problem.response.headers.get("Retry-After", "")
            wait_ms = int(told_s) * 1_000 if told_s.isdigit() else 0
        except (OSError, TimeoutError, WebSocketException):
            # Nobody there.
            pass
        chance = random.random()
        verdict = self._client.disconnected(self._code, local_ms(), chance, wait_ms=wait_ms)
        return verdict, refused

    async def _talk(self, socket: ClientConnection, token: str | None) -> None:
        self._frames.clear()
        self._is_open = True
        if self._journal:
            self._journal.connected(time_ns())
        self.do(self._client.connected(token))
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write(socket), name="bot writer")
                with suppress(ConnectionClosed):
                    async for message in socket:
                        self._receive(message)
                writer.cancel()
        finally:
            self._is_open = False
            if socket.close_code is not None:
                self._code = socket.close_code
            if self._journal:
                self._journal.lost(time_ns(), self._code)

    async def _write(self, socket: ClientConnection) -> None:
        """Write what is to be sent, and do what is due, until there is to be no more of it."""
        with suppress(ConnectionClosed):
            while True:
                self.do(self._client.tick(local_ms()))
                while self._frames:
                    frame = self._frames.popleft()
                    if self._journal:
                        self._journal.sent(time_ns(), frame)
                    data = self._encoding.encode(frame)
                    await socket.send(data if self._encoding.is_binary else data.decode())
                if self._is_finishing or self._is_renewing:
                    await socket.close()
                    return
                # No await since the last frame was looked for: nothing is slept through.
                self._woken.clear()
                due_ms = self._client.next_tick_ms()
                wait_s = None if due_ms is None else max(0.0, (due_ms - local_ms()) / 1_000)
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._woken.wait()

    def _receive(self, message: str | bytes) -> None:
        if self._journal:
            with suppress(DecodeError, UnicodeDecodeError):
                self._journal.received(time_ns(), self._encoding.decode_server_frame(message))
        self.do(self._client.receive(message, local_ms()))


def websocket_url(url: str) -> str:
    """Where the WebSocket of a server is, from any of its addresses."""
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    path = parts.path if parts.path.rstrip("/") else "/ws"
    return urlunsplit((scheme, parts.netloc, path, "", ""))
