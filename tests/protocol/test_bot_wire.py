"""What a bot does about what a server says to its connection, by a server that follows a script."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from protocol.bot import Closed, Login, Signalled, connect, guest
from protocol.codec import decode_client_frame, encode
from protocol.frames import AnyServerFrame, Hello, Reconnect, Welcome
from protocol.presence import Typing
from tests.protocol.talk import BOB

Behaviour = Callable[[ServerConnection, int], Awaitable[None]]
"""What a server does on its nth connection, from 0, after the hello."""


class Scripted:
    """Takes hellos, and counts them."""

    def __init__(self, behave: Behaviour, busy_for: int = 0) -> None:
        self.tokens: list[str | None] = []
        self.refused = 0
        self._behave = behave
        self._busy_for = busy_for

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Its address."""
        subprotocols = [Subprotocol("unisono.v1.json")]
        async with serve(
            self._serve, "127.0.0.1", 0, subprotocols=subprotocols, process_request=self._admit
        ) as server:
            port = server.sockets[0].getsockname()[1]
            yield f"http://127.0.0.1:{port}"

    def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        if self.refused == self._busy_for:
            return None
        self.refused += 1
        response = socket.respond(HTTPStatus.SERVICE_UNAVAILABLE, "full\n")
        response.headers["Retry-After"] = "0"
        return response

    async def _serve(self, socket: ServerConnection) -> None:
        hello = decode_client_frame(await socket.recv())
        assert isinstance(hello, Hello)
        self.tokens.append(hello.token)
        await self._behave(socket, len(self.tokens) - 1)
        await socket.wait_closed()


async def say(socket: ServerConnection, frame: AnyServerFrame) -> None:
    await socket.send(encode(frame).decode())


WELCOME = Welcome(user=BOB, conn_id="c", now_ms=0)


async def test_a_full_house_is_asked_again() -> None:
    async def behave(socket: ServerConnection, number: int) -> None:
        await say(socket, WELCOME)

    server = Scripted(behave, busy_for=2)
    async with server.listening() as url, connect(url, token="x") as me:
        assert me.user == BOB
    assert (server.refused, len(server.tokens)) == (2, 1)


async def test_a_server_that_asks_for_a_new_connection_gets_one() -> None:
    async def behave(socket: ServerConnection, number: int) -> None:
        if number == 0:
            await say(socket, WELCOME)
            await say(socket, Reconnect(after_ms=20))
        else:
            await socket.close(4403)

    server = Scripted(behave)
    async with server.listening() as url, connect(url, token="x") as me:
        # Sooner than a wire would be given up that does not answer.
        with pytest.raises(Closed) as blocked:
            async with asyncio.timeout(8):
                await me.join("5d1f6c1e-8d0f-4b4a-9d52-0c6c1f0f8a11")
    assert blocked.value.code == 4403
    assert len(server.tokens) == 2


@pytest.mark.parametrize("code", [1002, 1003, 1007, 1008, 1009, 4403, 4409])
async def test_a_bot_does_not_come_back_where_it_is_no_use(code: int) -> None:
    async def behave(socket: ServerConnection, number: int) -> None:
        await socket.close(code)

    server = Scripted(behave)
    async with server.listening() as url:
        with pytest.raises(Closed) as closed:
            async with connect(url, token="x"):
                raise AssertionError("welcomed")
    assert closed.value.code == code
    assert len(server.tokens) == 1


async def test_a_token_that_is_not_taken_is_renewed_once(base_url: str) -> None:
    async def behave(socket: ServerConnection, number: int) -> None:
        await socket.close(4401)

    server = Scripted(behave)
    login = await Login.guest(base_url, "Renewed")
    first = login.access_token
    async with server.listening() as url:
        with pytest.raises(Closed) as closed:
            async with connect(url, token=login):
                raise AssertionError("welcomed")
    assert closed.value.code == 4401
    assert server.tokens == [first, login.access_token]
    assert first != login.access_token


async def test_a_token_that_cannot_be_renewed_is_tried_once() -> None:
    async def behave(socket: ServerConnection, number: int) -> None:
        await socket.close(4401)

    server = Scripted(behave)
    async with server.listening() as url:
        with pytest.raises(Closed) as closed:
            async with connect(url, token="old"):
                raise AssertionError("welcomed")
    assert closed.value.code == 4401
    assert server.tokens == ["old"]


async def test_what_others_signal_is_heard(base_url: str, token: str, room_id: str) -> None:
    async with (
        connect(base_url, token=token) as me,
        connect(base_url, token=await guest(base_url, "Ann")) as ann,
    ):
        room, hers = await me.join(room_id), await ann.join(room_id)
        events = room.events()
        hers.signal(Typing())
        async for event in events:
            match event:
                case Signalled(by, Typing()):
                    assert by == ann.user.user_id
                    break
