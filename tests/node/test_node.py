"""A node as a whole: from a real socket through edge, bus and home into the database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from protocol.chat import ChatSend, ChatSent
from protocol.close_codes import CloseCode
from protocol.codec import decode_server_frame, encode
from protocol.frames import (
    Ack,
    AnyClientFrame,
    AnyServerFrame,
    Cmd,
    Events,
    Hello,
    Join,
    Joined,
    Welcome,
)
from protocol.users import Person
from roomserver.bus.memory import MemoryBus
from roomserver.edge.front import FrontDoor
from roomserver.node import Node, node_id
from roomserver.runtime.config import SigningKey, load
from roomserver.runtime.limits import Limiter
from roomserver.runtime.passwords import Passwords
from roomserver.runtime.tokens import Tokens, hash_opaque
from sql.pool import Database
from tests.home.stage import make_room, person

ADA, BEN = person("Ada"), person("Ben", "guest")


Frame = TypeVar("Frame", bound=AnyServerFrame)


class Site:
    """A node behind a real port."""

    def __init__(self, node: Node, tokens: Tokens, port: int) -> None:
        self.node = node
        self.tokens = tokens
        self.url = f"ws://127.0.0.1:{port}/ws"

    def token(self, who: Person, login_id: str | None = None) -> str:
        login_id = login_id or str(uuid4())
        return self.tokens.issue(who.user_id, login_id, who.kind, who.display_name).token


@pytest.fixture
async def site(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    tokens = Tokens([SigningKey("test", b"k" * 32)])
    config = load({}, data_dir=tmp_path, limits_factor=0)
    bus = MemoryBus()
    node = Node(config, database, database_url, bus, tokens, Limiter(0), Passwords())
    await node.start()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(FrontDoor.factory(node.edge, None), "127.0.0.1", 0)
    yield Site(node, tokens, server.sockets[0].getsockname()[1])
    server.close()
    await node.stop()
    await bus.close()


async def send(socket: ClientConnection, frame: AnyClientFrame) -> None:
    await socket.send(encode(frame).decode())


async def receive(socket: ClientConnection, kind: type[Frame]) -> Frame:
    """The next frame of a kind."""
    async with asyncio.timeout(10):
        while True:
            frame = decode_server_frame(await socket.recv())
            if isinstance(frame, kind):
                return frame


async def test_a_message_goes_from_socket_to_socket_and_into_the_log(
    site: Site, database: Database
) -> None:
    room = await make_room(database, ADA)
    async with connect(site.url) as ada, connect(site.url) as ben:
        for who, socket in ((ADA, ada), (BEN, ben)):
            await send(socket, Hello(client_id=f"client-{who.display_name}", token=site.token(who)))
            assert (await receive(socket, Welcome)).user == who
            await send(socket, Join(id=1, room=room))
            assert (await receive(socket, Joined)).snapshot is not None
        await send(ada, Cmd(id=2, room=room, cmd=ChatSend(content="hello")))
        events = await receive(ben, Events)
        while not isinstance(events.events[-1], ChatSent):
            events = await receive(ben, Events)
        assert events.events[-1].content == "hello"
        assert (await receive(ada, Ack)).id == 2
    async with database.acquire() as connection:
        assert await connection.fetchval("select content from chat_messages") == "hello"


async def make_login(database: Database, who: Person, *, cookie: str | None = None) -> str:
    login_id = str(uuid4())
    async with database.acquire() as connection:
        await connection.execute(
            "insert into users (user_id, kind, display_name) values ($1, $2, $3)",
            who.user_id,
            who.kind,
            who.display_name,
        )
        await connection.execute(
            "insert into logins (login_id, user_id, cookie_hash) values ($1, $2, $3)",
            login_id,
            who.user_id,
            None if cookie is None else hash_opaque(cookie),
        )
    return login_id


async def make_ticket(database: Database, who: Person, ticket: str, good_for_s: int) -> None:
    login_id = await make_login(database, who)
    async with database.acquire() as connection:
        await connection.execute(
            "insert into ws_tickets (ticket_hash, user_id, login_id, expires_at)"
            " values ($1, $2, $3, now() + make_interval(secs => $4))",
            hash_opaque(ticket),
            who.user_id,
            login_id,
            good_for_s,
        )


async def refuses_ticket(site: Site, ticket: str) -> None:
    async with connect(site.url) as socket:
        await send(socket, Hello(client_id="client-late", ticket=ticket))
        with pytest.raises(ConnectionClosed) as closed:
            await receive(socket, Welcome)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == CloseCode.CREDENTIALS


async def test_ws3_a_ticket_opens_one_connection_and_no_second(
    site: Site, database: Database
) -> None:
    who = person("Cleo")
    await make_ticket(database, who, "ticket", good_for_s=30)
    async with connect(site.url) as socket:
        await send(socket, Hello(client_id="client-Cleo", ticket="ticket"))
        assert (await receive(socket, Welcome)).user == who
    await refuses_ticket(site, "ticket")


async def test_ws3_a_ticket_that_ran_out_opens_nothing(site: Site, database: Database) -> None:
    await make_ticket(database, person("Dan"), "late", good_for_s=-1)
    await refuses_ticket(site, "late")


async def test_ws3_the_cookie_of_our_own_page_opens_and_that_of_a_bot_does_not(
    site: Site, database: Database
) -> None:
    who = person("Dora")
    await make_login(database, who, cookie="secret")
    cookie = {"Cookie": "other=1; unisono=secret"}
    origin = site.url.replace("ws://", "http://").removesuffix("/ws")
    async with connect(site.url, origin=Origin(origin), additional_headers=cookie) as socket:
        await send(socket, Hello(client_id="client-Dora"))
        assert (await receive(socket, Welcome)).user == who
    async with connect(site.url, additional_headers=cookie) as socket:
        await send(socket, Hello(client_id="client-Dora"))
        with pytest.raises(ConnectionClosed):
            await receive(socket, Welcome)


async def test_ws17_a_login_that_ends_closes_its_sockets_and_its_token_opens_none(
    site: Site, database: Database
) -> None:
    who = person("Emil")
    login_id = await make_login(database, who)
    token = site.token(who, login_id)
    async with connect(site.url) as socket:
        await send(socket, Hello(client_id="client-Emil", token=token))
        await receive(socket, Welcome)
        async with database.acquire() as connection:
            await connection.execute(
                "insert into revocations (user_id, login_id, reason) values ($1, $2, 'logout')",
                who.user_id,
                login_id,
            )
        with pytest.raises(ConnectionClosed) as closed:
            await receive(socket, Welcome)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == CloseCode.CREDENTIALS
    async with connect(site.url) as socket:
        await send(socket, Hello(client_id="client-Emil", token=token))
        with pytest.raises(ConnectionClosed):
            await receive(socket, Welcome)


async def test_a_login_whose_end_is_committed_late_ends_all_the_same(
    site: Site, database: Database
) -> None:
    early, late = person("Fay"), person("Gus")
    end = "insert into revocations (user_id, login_id, reason) values ($1, $2, 'logout')"
    async with connect(site.url) as first, connect(site.url) as second:
        logins = []
        for socket, who in ((first, early), (second, late)):
            logins.append(await make_login(database, who))
            token = site.token(who, logins[-1])
            await send(socket, Hello(client_id=f"client-{who.display_name}", token=token))
            await receive(socket, Welcome)
        async with database.transaction() as connection:
            await connection.execute("set local idle_in_transaction_session_timeout = 0")
            await connection.execute(end, late.user_id, logins[1])
            async with database.acquire() as other:
                await other.execute(end, early.user_id, logins[0])
            with pytest.raises(ConnectionClosed):
                await receive(first, Welcome)
        with pytest.raises(ConnectionClosed):
            await receive(second, Welcome)


def test_a_node_keeps_its_name(tmp_path: Path) -> None:
    config = load({}, data_dir=tmp_path / "new")
    assert node_id(config) == node_id(config)
