"""A bot that was away: on a wire that is down, while the server is killed or starts slowly."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from protocol.base import Event
from protocol.bot import (
    Bot,
    Came,
    Closed,
    Events,
    Login,
    Rejected,
    Resynced,
    Room,
    Went,
    connect,
    guest,
)
from protocol.chat import ChatSend, ChatSent
from protocol.errors import ErrorCode
from protocol.frames import Ack
from tests.cluster.rest import new_room
from tests.cluster.server import Served
from tests.faults.proxy import Proxy


@pytest.fixture
def wire(base_url: str) -> Proxy:
    port = urlsplit(base_url).port
    assert port is not None
    return Proxy(port)


@pytest.fixture
async def ann(base_url: str) -> AsyncIterator[Bot]:
    """Somebody else, on a good wire."""
    async with connect(base_url, token=await guest(base_url, "Ann")) as ann:
        yield ann


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A server of the test's own, to be killed."""
    served = Served(tmp_path / "data")
    await served.start()
    yield served
    await served.stop()


async def said(events: Events, last: str) -> list[tuple[int, str]]:
    """Everything that is said up to `last`, with its seq; each event comes with the next seq."""
    found = []
    async for event in events:
        if isinstance(event, ChatSent):
            found.append((events.seq, event.content))
            if event.content == last:
                break
    return found


async def next_resync(events: Events) -> Resynced:
    """The next announcement; nothing is told before it that comes after it."""
    async for event in events:
        assert not isinstance(event, ChatSent)
        if isinstance(event, Resynced):
            return event
    raise AssertionError("over")


@pytest.mark.slow
async def test_a_server_killed_in_the_middle_is_not_noticed_by_the_caller(served: Served) -> None:
    login = await Login.guest(served.url, "Talker")
    room_id = await new_room(served.url, login.access_token, "Kitchen")
    async with (
        connect(served.url, token=login) as talker,
        connect(served.url, token=await guest(served.url, "Ann")) as ann,
    ):
        talking, hearing = await talker.join(room_id), await ann.join(room_id)
        heard, mine = hearing.events(), talking.events()

        async def talk() -> list[Ack]:
            return [await talking.chat(f"{number}") for number in range(40)]

        async with asyncio.TaskGroup() as tasks:
            acks = tasks.create_task(talk())
            await hearing.wait_for(lambda room: len(room.snapshot.chat) >= 10)
            await served.kill()
            assert not acks.done()
            await served.start()
        told = [(ack.seq, f"{number}") for number, ack in enumerate(acks.result())]
        assert await said(heard, "39") == told, "all of it, in order, once"
        assert await said(mine, "39") == told
        assert len({seq for seq, _ in told}) == 40


async def test_every_event_comes_once_and_with_its_seq_however_often_the_wire_is_cut(
    wire: Proxy, token: str, room_id: str, ann: Bot
) -> None:
    async with wire.opened() as url, connect(url, token=token) as me:
        room, hers = await me.join(room_id), await ann.join(room_id)
        await room.wait_for(lambda room: room.count == 2)
        events, seqs = room.events(), []
        for number in range(5):
            wire.cut()
            await hers.chat(f"{number}")
        async for event in events:
            if isinstance(event, Event):
                seqs.append(events.seq)
            if isinstance(event, ChatSent) and event.content == "4":
                break
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
        assert seqs[-1] == hers.snapshot.seq


@pytest.mark.slow
async def test_what_was_missed_for_too_long_is_announced_as_a_snapshot(
    wire: Proxy, token: str, room_id: str, ann: Bot
) -> None:
    async with wire.opened() as url, connect(url, token=token) as me:
        room, hers = await me.join(room_id), await ann.join(room_id)
        before = await hers.chat("before")
        await room.wait_for(lambda room: room.snapshot.seq >= before.seq)
        events = room.events()
        wire.refuses = True
        wire.cut()
        # More than a server reads from the log for somebody who comes back.
        await asyncio.gather(*(hers.chat(f"{number}") for number in range(2_100)))
        wire.refuses = False
        after = await hers.chat("after")
        resynced = await next_resync(events)
        assert resynced.after_seq == before.seq
        # The snapshot may be a moment old: events follow it.
        assert resynced.seq >= before.seq + 1_000
        assert not resynced.lineage_changed
        await room.wait_for(lambda room: room.snapshot.seq >= after.seq)
        assert room.snapshot.chat[-1].content == "after"
        assert (await hers.chat("next")).seq == (await said(events, "next"))[-1][0]


@pytest.mark.slow
async def test_a_bot_may_be_there_before_its_server(served: Served) -> None:
    token = await guest(served.url, "Early")
    await served.stop()
    async with asyncio.TaskGroup() as tasks:

        async def arrive() -> str:
            async with connect(served.url, token=token, within_ms=40_000) as me:
                return me.user.display_name

        early = tasks.create_task(arrive())
        await served.start()
    assert early.result() == "Early"


async def test_who_comes_and_goes_is_heard(base_url: str, room_id: str, ann: Bot) -> None:
    events = (await ann.join(room_id)).events()

    async def next_move() -> Came | Went:
        async for event in events:
            if isinstance(event, Came | Went):
                return event
        raise AssertionError("over")

    async with connect(base_url, token=await guest(base_url, "Bob")) as bob:
        await bob.join(room_id)
        assert await next_move() == Came(bob.user)
    assert await next_move() == Went(bob.user)


async def test_a_command_given_up_before_it_was_sent_never_happens(
    wire: Proxy, token: str, room_id: str, ann: Bot
) -> None:
    async with wire.opened() as url, connect(url, token=token) as me:
        room, hers = await me.join(room_id), await ann.join(room_id)
        wire.refuses = True
        wire.cut()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await room.chat("never mind")
        wire.refuses = False
        await room.chat("instead")
        await hers.wait_for(lambda room: len(room.snapshot.chat) > 0)
        assert [message.content for message in hers.snapshot.chat] == ["instead"]


async def test_a_new_process_of_a_client_id_does_not_reuse_the_ids_of_the_old(
    base_url: str, token: str, room_id: str, ann: Bot
) -> None:
    hers = await ann.join(room_id)
    for run in range(3):
        async with connect(base_url, token=token, client_id="kitchen-radio") as me:
            await (await me.join(room_id)).chat(f"run {run}")
    await hers.wait_for(lambda room: len(room.snapshot.chat) == 3)
    assert [message.content for message in hers.snapshot.chat] == ["run 0", "run 1", "run 2"]


async def test_a_join_that_is_given_up_leaves_nobody_inside(
    wire: Proxy, token: str, room_id: str, ann: Bot
) -> None:
    hers = await ann.join(room_id)
    async with wire.opened() as url, connect(url, token=token) as me:
        wire.answers.is_black_hole = True
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await me.join(room_id)
        wire.answers.is_black_hole = False
        await hers.wait_for(lambda room: room.count == 1)
        with pytest.raises(Rejected) as outside:
            await me.do(room_id, ChatSend(content="from nowhere"))
        assert outside.value.code is ErrorCode.NOT_MEMBER


async def test_after_the_end_everything_says_so(base_url: str, token: str, room_id: str) -> None:
    async with connect(base_url, token=token) as me:
        room: Room = await me.join(room_id)
        events = room.events()
    assert not me.is_connected
    with pytest.raises(StopAsyncIteration):
        await anext(events)
    for call in (room.chat("late"), me.join(room_id)):
        with pytest.raises(Closed):
            await call
