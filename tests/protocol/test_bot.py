"""The bot SDK against the real server, over a wire that gets cut."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from protocol.bot import Came, Closed, Login, Rejected, Room, connect, guest
from protocol.bot_wire import websocket_url
from protocol.chat import ChatSent
from protocol.codec import decode_client_frame, decode_snapshot, encode
from protocol.errors import ErrorCode
from protocol.frames import Ack, AnyServerFrame, Cmd, Hello, Join, Joined, Presence, Reject, Welcome
from protocol.generate.examples import examples
from protocol.presence import Typing
from protocol.snapshot import Snapshot
from tests.faults.proxy import Proxy

SUBPROTOCOL = Subprotocol("unisono.v1.json")
SNAPSHOT = decode_snapshot(examples()[Snapshot][0])
OWNER = SNAPSHOT.room.owner_id
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def wire(base_url: str) -> Proxy:
    port = urlsplit(base_url).port
    assert port is not None
    return Proxy(port)


@pytest.fixture
async def listener(base_url: str, room_id: str) -> AsyncIterator[Room]:
    """Somebody else in the room, on a good wire."""
    async with connect(base_url, token=await guest(base_url, "Ann")) as ann:
        yield await ann.join(room_id)


def contents(room: Room) -> list[str]:
    return [message.content for message in room.snapshot.chat]


async def test_what_one_says_the_other_hears(
    base_url: str, token: str, room_id: str, listener: Room
) -> None:
    heard = listener.events()
    async with connect(base_url, token=token) as me:
        room = await me.join(room_id)
        ack = await room.chat("hi")
        assert contents(room) == ["hi"], "what was acknowledged is in the snapshot"
        assert ack.seq == room.snapshot.seq
        # Who comes is told at once if nobody came just before.
        while isinstance(event := await anext(heard), Came):
            assert event == Came(me.user)
        assert isinstance(event, ChatSent)
        assert (event.content, event.by) == ("hi", me.user)
        reply = await listener.chat("hello", reply_to=event.message_id)
        await room.wait_for(lambda room: room.snapshot.seq >= reply.seq)
        assert room.snapshot.chat[-1].reply_to == event.message_id


async def test_a_refusal_is_raised_with_its_code(base_url: str, token: str, room_id: str) -> None:
    async with connect(base_url, token=token) as me:
        with pytest.raises(Rejected) as unknown:
            await me.join(NOBODY)
        assert unknown.value.code is ErrorCode.ROOM_NOT_FOUND
        room = await me.join(room_id)
        for refused, code in (
            (room.add(NOBODY), ErrorCode.UNKNOWN_TRACK),
            (room.remove(NOBODY), ErrorCode.UNKNOWN_ENTRY),
            (room.next(), ErrorCode.NOTHING_PLAYING),
            (room.chat(""), ErrorCode.BAD_REQUEST),
        ):
            with pytest.raises(Rejected) as caught:
                await refused
            assert caught.value.code is code
        await room.chat("still here")


async def test_who_is_here_is_known_and_a_left_room_is_left_for_all_to_see(
    base_url: str, token: str, room_id: str, listener: Room
) -> None:
    async with connect(base_url, token=token) as me:
        room = await me.join(room_id)
        await room.wait_for(lambda room: room.count == 2)
        assert {person.display_name for person in room.present.values()} == {"Ann", "Echo"}
        events = room.events()
        await room.leave()
        await listener.wait_for(lambda room: room.count == 1)
        with pytest.raises(StopAsyncIteration):
            await anext(events)
        with pytest.raises(Rejected):
            await room.chat("too late")
        again = await me.join(room_id)
        await again.chat("back")


async def test_a_bot_that_ends_is_gone_at_once_and_leaves_no_task(
    base_url: str, token: str, room_id: str, listener: Room
) -> None:
    before = asyncio.all_tasks()
    async with connect(base_url, token=token) as me:
        room = await me.join(room_id)
        await listener.wait_for(lambda room: room.count == 2)
        room.signal(Typing())
    await listener.wait_for(lambda room: room.count == 1)
    assert asyncio.all_tasks() == before
    with pytest.raises(Closed):
        await room.chat("from beyond")


async def test_a_cut_wire_is_not_noticed_by_the_caller(
    wire: Proxy, token: str, room_id: str, listener: Room
) -> None:
    async with wire.opened() as url, connect(url, token=token) as me:
        room = await me.join(room_id)
        events = room.events()
        for number in range(5):
            await room.chat(f"mine {number}")
            wire.cut()
            await listener.chat(f"hers {number}")
        done = await room.chat("done")
        await listener.wait_for(lambda room: room.snapshot.seq >= done.seq)
        assert contents(room) == contents(listener)
        assert len(contents(room)) == 11
        told = [(await anext(events)).content for _ in range(11)]  # type: ignore[union-attr]
        assert told == contents(room), "resumed: every event was told, and once"
        assert wire.connections == 6


async def test_a_command_whose_answer_was_lost_happens_once(
    wire: Proxy, token: str, room_id: str, listener: Room
) -> None:
    async with wire.opened() as url, connect(url, token=token) as me:
        room = await me.join(room_id)
        wire.answers.is_black_hole = True
        asked = [asyncio.ensure_future(room.chat(text)) for text in "abc"]
        await listener.wait_for(lambda room: contents(room) == ["a", "b", "c"])
        assert not any(ask.done() for ask in asked)
        wire.answers.is_black_hole = False
        wire.cut()
        acks = await asyncio.gather(*asked)
        assert [ack.first_seq for ack in acks] == [ack.seq for ack in acks]
        assert [ack.seq - acks[0].seq for ack in acks] == [0, 1, 2]
        end = await room.chat("end")
        await listener.wait_for(lambda room: room.snapshot.seq >= end.seq)
        assert contents(listener) == contents(room) == ["a", "b", "c", "end"]


async def test_cluster_time_is_the_same_for_two_bots(
    base_url: str, token: str, room_id: str, listener: Room
) -> None:
    async with connect(base_url, token=token) as me:
        room = await me.join(room_id)
        # A round trip after the probes that joining sends; a slow probe says little, and more come.
        await asyncio.gather(room.chat("tick"), listener.chat("tock"))
        clocks = [me.clock, listener._me.clock]
        async with asyncio.timeout(10):
            while any(clock.rtt_ms is None or clock.rtt_ms >= 50 for clock in clocks):
                await asyncio.gather(room.chat("tick"), listener.chat("tock"))
        assert abs(me.clock.now_ms() - listener._me.clock.now_ms()) < 50
        assert 0 <= me.clock.now_ms() - room.snapshot.chat[0].at_ms < 2_000


async def test_a_command_that_has_to_wait_keeps_its_name() -> None:
    heard: list[Cmd] = []

    async def serve_one(socket: ServerConnection) -> None:
        async for message in socket:
            frame = decode_client_frame(message)
            answer: AnyServerFrame
            if isinstance(frame, Hello):
                answer = Welcome(user=SNAPSHOT.members[OWNER].person, conn_id="c", now_ms=0)
            elif isinstance(frame, Join):
                you = SNAPSHOT.members[OWNER]
                joined = Joined(id=frame.id, room=frame.room, you=you, snapshot=SNAPSHOT)
                await socket.send(encode(joined).decode())
                answer = Presence(room=frame.room, fence=1, count=1, present=[you.person])
            elif isinstance(frame, Cmd):
                heard.append(frame)
                is_first = len(heard) == 1
                answer = (
                    Reject(
                        id=frame.id,
                        code=ErrorCode.RATE_LIMITED,
                        temporary=True,
                        retry_after_ms=1,
                    )
                    if is_first
                    else Ack(id=frame.id, first_seq=1, seq=0)
                )
            else:
                continue
            await socket.send(encode(answer).decode())

    async with serve(serve_one, "127.0.0.1", 0, subprotocols=[SUBPROTOCOL]) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"http://127.0.0.1:{port}", token="x") as me:
            await (await me.join(SNAPSHOT.room.room_id)).chat("once")
    # It may have been carried out before: under another name it would be said twice.
    assert [frame.id for frame in heard] == [heard[0].id] * 2


async def test_a_bad_token_is_refused_at_the_door(base_url: str) -> None:
    before = asyncio.all_tasks()
    with pytest.raises((Rejected, Closed)):
        async with connect(base_url, token="made up"):
            raise AssertionError("welcomed")
    assert asyncio.all_tasks() == before


async def test_nobody_there_is_a_timeout(unused_tcp_port: int) -> None:
    with pytest.raises(TimeoutError):
        async with connect(f"http://127.0.0.1:{unused_tcp_port}", token="x", within_ms=300):
            raise AssertionError("welcomed")


async def test_waiting_for_what_does_not_come_ends(base_url: str, token: str, room_id: str) -> None:
    async with connect(base_url, token=token) as me:
        room = await me.join(room_id)
        with pytest.raises(TimeoutError):
            await room.wait_for(lambda room: room.count > 1_000, within_ms=50)


async def test_a_login_gives_a_fresh_token_at_each_connect(
    base_url: str, wire: Proxy, room_id: str
) -> None:
    login = await Login.guest(base_url, "Long Runner")
    async with wire.opened() as url, connect(url, token=login) as me:
        room = await me.join(room_id)
        first = login.access_token
        login._renew_at_s = 0  # as if a quarter of an hour had passed
        wire.cut()
        await room.chat("renewed")
        assert login.access_token != first


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("http://127.0.0.1:8000", "ws://127.0.0.1:8000/ws"),
        ("https://music.example/", "wss://music.example/ws"),
        ("wss://music.example/unisono/ws", "wss://music.example/unisono/ws"),
    ],
)
def test_any_address_of_a_server_will_do(given: str, meant: str) -> None:
    assert websocket_url(given) == meant


async def test_a_bot_that_speaks_messagepack_lives_through_the_same_as_one_that_speaks_json(
    base_url: str, token: str, room_id: str, listener: Room, wire: Proxy
) -> None:
    async with wire.opened() as url, connect(url, token=token, encoding="msgpack") as me:
        room = await me.join(room_id)
        heard = [room.events(), listener.events()]
        said = await room.chat("packed — 好")
        wire.cut()
        await listener.chat("while you were away")
        with pytest.raises(Rejected) as refused:
            await room.remove(NOBODY)
        assert refused.value.code is ErrorCode.UNKNOWN_ENTRY
        last = await room.chat("back")
        assert last.seq == said.seq + 2
        await listener.wait_for(lambda listener: listener.snapshot.seq == last.seq)
        assert encode(room.snapshot) == encode(listener.snapshot)
        said_to: list[list[ChatSent]] = [[], []]
        for events, chat in zip(heard, said_to, strict=True):
            while len(chat) < 3:
                if isinstance(event := await anext(events), ChatSent):
                    chat.append(event)
        assert said_to[0] == said_to[1]
