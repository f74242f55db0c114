"""A way on which commands come twice, late, in another order, and again after a reconnect.

What it says is lawful: whole WebSocket messages of the client itself, masked as it masked them.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Final

from protocol.codec import decode_client_frame
from protocol.frames import Cmd, Hello

HEAD_END: Final = b"\r\n\r\n"
KEPT: Final = 40
"""Commands of a client that are said again when it comes back."""
LATE_S: Final = (0.05, 0.5, 2.0)
TEXT: Final = 0x81

Send = Callable[[bytes], None]


class Replayer:
    """Remembers what each client said, over its connections."""

    def __init__(self, seed: int = 1) -> None:
        self._chance = random.Random(seed)
        self._said: dict[str, deque[bytes]] = {}
        self.repeated = 0
        self.swapped = 0

    def __call__(self, send: Send) -> Send:
        """What the bytes of one connection go through."""
        return _Line(self, send).take

    def said(self, client_id: str) -> deque[bytes]:
        """The last commands of a client."""
        return self._said.setdefault(client_id, deque(maxlen=KEPT))

    def dice(self) -> float:
        """From 0 to 1."""
        return self._chance.random()

    def some_time_s(self) -> float:
        """How late something comes."""
        return self._chance.choice(LATE_S)


class _Line:
    """One connection: cuts its stream into messages."""

    def __init__(self, replayer: Replayer, send: Send) -> None:
        self._replayer = replayer
        self._send = send
        self._rest = b""
        self._is_open = False
        self._held: bytes | None = None
        self._said: deque[bytes] = deque()

    def take(self, data: bytes) -> None:
        self._rest += data
        if not self._is_open:
            end = self._rest.find(HEAD_END)
            if end < 0:
                return
            self._is_open = True
            self._send(self._rest[: end + len(HEAD_END)])
            self._rest = self._rest[end + len(HEAD_END) :]
        while (size := _size(self._rest)) is not None and len(self._rest) >= size:
            message, self._rest = self._rest[:size], self._rest[size:]
            self._pass(message)

    def _pass(self, message: bytes) -> None:
        frame = None
        if message[0] == TEXT:
            frame = decode_client_frame(_payload(message))
        if isinstance(frame, Hello):
            self._said = self._replayer.said(frame.client_id)
            self._send(message)
            loop = asyncio.get_running_loop()
            for early in list(self._said):
                loop.call_later(self._replayer.some_time_s(), self._again, early)
        elif isinstance(frame, Cmd):
            self._said.append(message)
            self._meddle(message)
        else:
            self._let_go()
            self._send(message)

    def _meddle(self, message: bytes) -> None:
        dice = self._replayer.dice()
        if dice < 0.15 and self._held is None:
            # The next one overtakes it.
            self._held = message
            self._replayer.swapped += 1
            asyncio.get_running_loop().call_later(LATE_S[0], self._let_go)
            return
        self._send(message)
        self._let_go()
        if dice < 0.3:
            self._again(message)
        elif dice < 0.5:
            late_s = self._replayer.some_time_s()
            asyncio.get_running_loop().call_later(late_s, self._again, message)

    def _again(self, message: bytes) -> None:
        self._replayer.repeated += 1
        self._send(message)

    def _let_go(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            self._send(held)


def _size(data: bytes) -> int | None:
    """How long the WebSocket frame is that begins here, with its mask."""
    if len(data) < 2:
        return None
    short = data[1] & 0x7F
    head = {126: 4, 127: 10}.get(short, 2)
    if len(data) < head:
        return None
    length = short if head == 2 else int.from_bytes(data[2:head], "big")
    return head + 4 + length


def _payload(message: bytes) -> bytes:
    size = _size(message)
    assert size is not None
    head = {126: 4, 127: 10}.get(message[1] & 0x7F, 2)
    mask, masked = message[head : head + 4], message[head + 4 :]
    return bytes(byte ^ mask[n % 4] for n, byte in enumerate(masked))
