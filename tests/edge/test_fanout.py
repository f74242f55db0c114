"""From one home to many sockets: everything once, in order, in as few writes as possible."""

import asyncio
from contextlib import AsyncExitStack

from msgspec.structs import replace

from protocol.cluster import Arrive, Submit
from protocol.frames import Ack, Events, Presence
from tests.edge.scripted_home import ROOM, frames_of
from tests.edge.stage import SLOW, stage

NEVER_MS = 3_600_000


async def test_an_ack_and_its_events_arrive_together_and_in_order() -> None:
    async with stage() as on, on.member("Ada") as ada, on.member("Ben") as ben:
        on.written(ada).clear()
        frame_id = await ada.command()
        assert (await ada.receive(Ack)).id == frame_id
        (write,) = on.written(ada)
        events, ack = frames_of(write)
        assert isinstance(events, Events)
        assert isinstance(ack, Ack)
        assert events.first_seq == ack.first_seq == ack.seq == 1
        assert await ben.seqs(1) == [1]


async def test_an_ack_takes_along_what_waits_and_what_a_sweep_has_not_brought_yet() -> None:
    pace = replace(SLOW, slice_connections=1, flush_every_ms=NEVER_MS)
    async with stage(pace=pace) as on, on.member("Ben") as ben, on.member("Ada") as ada:
        on.home.say(urgent=True)
        assert await ada.seqs(1) == [1]
        on.written(ada).clear()
        on.home.say()
        await ada.command()
        await ada.receive(Ack)
        (write,) = on.written(ada)
        second, third, ack = frames_of(write)
        assert isinstance(second, Events)
        assert isinstance(third, Events)
        assert (second.first_seq, third.first_seq) == (2, 3)
        assert isinstance(ack, Ack)
        # Everybody else gets them with the next flush, and the issuer nothing twice.
        on.home.say(urgent=True)
        assert await ben.seqs(4) == [1, 2, 3, 4]
        assert await ada.seqs(4) == [4]


async def test_the_first_event_after_quiet_leaves_at_once_and_an_urgent_one_takes_all_along() -> (
    None
):
    async with stage(pace=replace(SLOW, flush_every_ms=NEVER_MS)) as on, on.member("Ada") as ada:
        on.written(ada).clear()
        on.home.say()
        assert await ada.seqs(1) == [1]
        for _ in range(5):
            on.home.say()
            await asyncio.sleep(0)
        assert len(on.written(ada)) == 1
        on.home.say(urgent=True)
        assert await ada.seqs(7) == [2, 3, 4, 5, 6, 7]
        assert len(on.written(ada)) == 2


async def test_what_comes_during_a_sweep_goes_along_with_it_to_those_it_has_not_reached() -> None:
    pace = replace(SLOW, flush_every_ms=NEVER_MS, slice_connections=1)
    async with stage(pace=pace) as on, AsyncExitStack() as people:
        first, *_, last = [
            await people.enter_async_context(on.member(f"Person-{n}")) for n in range(12)
        ]
        written = on.written(first), on.written(last)
        for writes in written:
            writes.clear()
        on.home.say(urgent=True)
        await on.until(lambda: bool(written[0]))
        on.home.say()
        assert await last.seqs(2) == [1, 2]
        assert [len(writes) for writes in written] == [1, 1]
        # The first was passed, and the window never ends: the next sweep begins with playback.
        on.home.say(urgent=True)
        assert (await first.seqs(3), await last.seqs(3)) == ([1, 2, 3], [3])
        assert [len(writes) for writes in written] == [2, 2]


async def test_playback_waits_only_for_the_sweep_before_it() -> None:
    pace = replace(SLOW, flush_every_ms=NEVER_MS, slice_connections=1)
    async with stage(pace=pace) as on, on.member("Ada") as ada, on.member("Ben") as ben:
        on.written(ada).clear()
        on.home.say(urgent=True)
        await on.until(lambda: bool(on.written(ada)))
        on.home.say(urgent=True)
        assert await ada.seqs(2) == await ben.seqs(2) == [1, 2]


async def test_while_a_room_is_busy_its_events_leave_together_once_a_window() -> None:
    async with stage(pace=replace(SLOW, flush_every_ms=1_000)) as on, on.member("Ada") as ada:
        on.written(ada).clear()
        on.home.say()
        assert await ada.seqs(1) == [1]
        for _ in range(10):
            on.home.say()
            await asyncio.sleep(0)
        assert await ada.seqs(11) == list(range(2, 12))
        assert len(on.written(ada)) == 2


async def test_every_member_gets_every_event_once_and_in_order() -> None:
    pace = replace(SLOW, slice_connections=2, flush_every_ms=1)
    async with stage(pace=pace) as on, AsyncExitStack() as people:
        members = [await people.enter_async_context(on.member(f"Person-{n}")) for n in range(7)]
        for n in range(150):
            on.home.say(1 + n % 3, urgent=n % 5 == 0)
            if n % 4:
                await asyncio.sleep(0)
            if n % 10 == 0:
                await members[n % 7].command()
        await on.until(lambda: len(on.home.all(Submit)) == 15)
        on.home.say(urgent=True)
        last = on.home.seq[ROOM]
        for member in members:
            assert await member.seqs(last) == list(range(1, last + 1))


async def test_who_comes_in_while_events_stream_misses_none_and_gets_none_twice() -> None:
    pace = replace(SLOW, slice_connections=2, flush_every_ms=1)
    async with stage(pace=pace) as on, AsyncExitStack() as people:
        clients = [await people.enter_async_context(on.client(f"Person-{n}")) for n in range(12)]
        for client in clients:
            await client.ask_in()
            for n in range(25):
                on.home.say(1 + n % 2, urgent=n % 3 == 0)
                await asyncio.sleep(0)
        on.home.say(urgent=True)
        last = on.home.seq[ROOM]
        for client in clients:
            assert await client.seqs(last) == list(range(1, last + 1))
        # Each came once: nobody had to be brought up to date.
        assert len(on.home.all(Arrive)) == len(clients)


async def test_who_asks_again_for_a_room_it_is_in_gets_nothing_twice_afterwards() -> None:
    pace = replace(SLOW, slice_connections=1)
    async with stage(pace=pace) as on, on.member("Ben") as ben, on.member("Ada") as ada:
        on.home.say(3, urgent=True)
        await ada.ask_in()
        on.home.say(2, urgent=True)
        await on.until(lambda: on.home.seq[ROOM] == 5)
        on.home.say(urgent=True)
        assert await ben.seqs(6) == [1, 2, 3, 4, 5, 6]
        seqs = await ada.seqs(6)
        # Up to the second answer, and then all of it from the start.
        start = len(seqs) - 6
        assert seqs[start:] == [1, 2, 3, 4, 5, 6]
        assert seqs[:start] == list(range(1, start + 1))


async def test_what_is_told_goes_to_all_but_one_and_keeps_its_place() -> None:
    async with stage() as on, on.member("Ada") as ada, on.member("Ben") as ben:
        on.home.post(on.home.tell(11, ada.conn_id), on.home.tell(12))
        assert (await ada.receive(Presence)).count == 12
        assert [(await ben.receive(Presence)).count for _ in range(2)] == [11, 12]


async def test_signals_of_several_amid_events_reach_all_but_who_sent_them() -> None:
    pace = replace(SLOW, flush_every_ms=NEVER_MS)
    async with stage(pace=pace) as on, AsyncExitStack() as people:
        eve, ada, ben = [
            await people.enter_async_context(on.member(n)) for n in ("Eve", "Ada", "Ben")
        ]
        on.home.post(on.home.tell(11, ada.conn_id), on.home.tell(12, ben.conn_id))
        on.home.say(urgent=True)
        for member, counts in ((ada, [12]), (ben, [11]), (eve, [11, 12])):
            assert [(await member.receive(Presence)).count for _ in counts] == counts
            assert await member.seqs(1) == [1]


async def test_a_frame_that_cannot_be_written_stops_no_room() -> None:
    async with (
        stage() as on,
        on.member("Ada", encoding="msgpack") as ada,
        on.member("Ben", encoding="msgpack") as ben,
    ):
        on.home.post(replace(on.home.tell(11), frame=b"{"))
        await on.home.until(Arrive, lambda arrive: arrive.conn == ben.conn_id and bool(arrive.have))
        on.home.say(urgent=True)
        assert await ada.seqs(1) == [1]
        assert await ben.seqs(1) == [1]


async def test_a_peer_that_ends_its_side_is_not_written_to_any_more() -> None:
    async with stage() as on, on.member("Ada") as ada, on.member("Ben") as ben:
        transport = ada.socket.transport
        transport.write_eof()
        for n in range(1, 60):
            on.home.say(urgent=True)
            assert await ben.seqs(n) == [n]
        await on.until(lambda: on.edge.connection_count == 1)


async def test_one_room_says_nothing_in_another() -> None:
    other = "00000000-0000-4000-8000-000000000002"
    async with stage() as on, on.member("Ada") as ada, on.client("Ben") as ben:
        await ben.join(other)
        on.home.post(on.home.publish(room=other))
        on.home.say()
        events = await ben.receive(Events)
        assert events.room == other
        assert await ada.seqs(1) == [1]
