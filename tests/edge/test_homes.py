"""What an edge makes of what homes say, and of homes that say nothing."""

import asyncio

import pytest
from msgspec.structs import replace

from protocol.close_codes import CloseCode
from protocol.cluster import Arrive, Depart, Ended, Moved, SignalSent, Submit
from protocol.errors import ErrorCode
from protocol.frames import (
    ROOMS_PER_CONNECTION,
    Ack,
    Events,
    Have,
    Joined,
    Leave,
    Left,
    Probe,
    Probed,
    Reconnect,
    Reject,
    SignalUp,
)
from protocol.presence import Typing
from tests.edge.scripted_home import LINEAGE, ROOM
from tests.edge.stage import SLOW, stage

OTHER_LINEAGE = LINEAGE[:-1] + "b"
HURRY = replace(SLOW, ask_again_ms=10, answer_within_ms=50)


async def test_a_refused_arrival_is_told_and_seats_nobody() -> None:
    async with stage() as on, on.client("Ada") as ada:
        on.home.answers_arrivals = False
        frame_id = await ada.ask_in()
        arrive = await on.home.until(Arrive)
        on.home.post(on.home.reject(arrive, ErrorCode.ROOM_PASSWORD))
        refusal = await ada.receive(Reject)
        assert (refusal.id, refusal.code) == (frame_id, "room_password")
        await ada.command()
        assert (await ada.receive(Reject)).code == "not_member"


async def test_events_that_were_lost_are_fetched_for_everybody() -> None:
    async with stage() as on, on.member("Ada") as ada, on.member("Ben") as ben:
        on.home.say(2)
        assert await ada.seqs(2) == [1, 2]
        assert await ben.seqs(2) == [1, 2]
        on.home.publish(3)
        on.home.say()
        for client in (ada, ben):
            assert await client.seqs(6) == [3, 4, 5, 6]
        on.home.say()
        assert await ada.seqs(7) == [7]
        returns = [arrive.have for arrive in on.home.all(Arrive) if arrive.returns]
        assert returns == [Have(lineage=LINEAGE, seq=2)] * 2


async def test_a_loss_that_only_a_newcomer_reveals_is_made_good_for_the_others() -> None:
    async with stage() as on, on.member("Ada") as ada:
        on.home.publish(3)
        async with on.member("Ben"):
            assert await ada.seqs(3) == [1, 2, 3]


async def test_an_answer_that_was_lost_is_asked_for_again_and_everything_happens_once() -> None:
    async with stage(pace=HURRY) as on, on.member("Ada") as ada:
        on.home.answers_commands = False
        frame_id = await ada.command()
        first = await on.home.until(Submit)
        await on.until(lambda: len(on.home.all(Submit)) >= 2)
        assert on.home.all(Submit)[1] == first
        published = on.home.publish()
        on.home.post(published, on.home.ack(first, 1, 1), on.home.ack(first, 1, 1))
        assert (await ada.receive(Ack)).id == frame_id
        on.home.say()
        assert await ada.seqs(2) == [2]
        assert len(on.edge.router) == 0


async def test_a_silent_home_is_unavailable_for_arrivals_and_commands_wait_for_it() -> None:
    other = ROOM[:-1] + "2"
    async with stage(pace=HURRY) as on, on.member("Ada") as ada:
        on.home.answers_commands = on.home.answers_arrivals = False
        command_id = await ada.command()
        asked_id = await ada.ask_in(other)
        refusal = await ada.receive(Reject)
        assert (refusal.id, refusal.code, refusal.temporary) == (asked_id, "unavailable", True)
        assert refusal.retry_after_ms
        # A refusal says that nothing happened: who commanded waits for the home's word.
        heard = len(on.home.all(Submit))
        await on.until(lambda: len(on.home.all(Submit)) > heard + 10)
        on.home.post(on.home.ack(on.home.all(Submit)[-1], 1, 0))
        assert (await ada.next()) == Ack(id=command_id, first_seq=1, seq=0)
        # The home may have let her in after all: she is taken out again.
        assert await on.home.until(Depart) == Depart(other, ada.conn_id, True)
        arrive = on.home.all(Arrive)[-1]
        on.home.post(on.home.admit(arrive))
        on.home.answers_commands = on.home.answers_arrivals = True
        await ada.command(room=other)
        assert (await ada.receive(Reject)).code == "not_member"
        await ada.join(other)


async def test_a_member_waits_for_a_silent_home_as_long_as_it_takes() -> None:
    async with stage(pace=HURRY) as on, on.member("Ada") as ada:
        on.home.answers_arrivals = False
        on.home.publish()
        on.home.say()
        await on.until(lambda: len(on.home.all(Arrive)) > 8)
        on.home.post(on.home.admit(on.home.all(Arrive)[-1]))
        assert isinstance(frame := await ada.next(), Joined), frame
        assert await ada.seqs(2) == [1, 2]


@pytest.mark.parametrize("code", [ErrorCode.ROOM_NOT_FOUND, ErrorCode.ROOM_PASSWORD])
async def test_a_member_that_is_not_let_in_again_is_out_and_told_why(code: ErrorCode) -> None:
    async with stage(pace=HURRY) as on, on.member("Ada") as ada:
        on.home.answers_arrivals = False
        on.home.publish()
        on.home.say()
        arrive = await on.home.until(Arrive, lambda arrive: arrive.have is not None)
        on.home.post(on.home.reject(arrive, ErrorCode.UNAVAILABLE, temporary=True))
        heard = len(on.home.all(Arrive))
        await on.until(lambda: len(on.home.all(Arrive)) > heard)
        on.home.post(on.home.reject(arrive, code))
        assert await ada.receive(Left) == Left(room=ROOM, reason="kicked", code=code)
        # The home still counted it.
        assert await on.home.until_departed(ada.conn_id) == Depart(ROOM, ada.conn_id, True)
        await ada.command()
        assert (await ada.receive(Reject)).code == "not_member"


async def test_what_a_replaced_home_says_is_not_believed() -> None:
    async with stage(pace=HURRY) as on, on.member("Ada") as ada:
        on.home.fence = 2
        on.home.say()
        assert await ada.seqs(1) == [1]
        stale = replace(on.home.publish(), fence=1)
        on.home.seq[ROOM] = 1
        on.home.post(stale, replace(on.home.tell(99), fence=1))
        on.home.post(Ended(ROOM, 1, None, "closed"))
        on.home.say()
        frame = await ada.next()
        assert isinstance(frame, Events)
        assert frame.first_seq == 2
        # Nor does it let anybody in; the question stays open for the new home.
        on.home.fence = 1
        async with on.client("Ben") as ben:
            await ben.ask_in()
            await on.until(lambda: len(on.home.all(Arrive)) > 2)
            assert ben.conn_id not in {c.conn_id for c in on.edge.hub.rooms[ROOM].seats}
            on.home.fence = 2
            assert (await ben.receive(Joined)).room == ROOM


async def test_a_new_lineage_gives_everybody_a_new_copy() -> None:
    async with stage() as on, on.member("Ada") as ada:
        on.home.say(3)
        assert await ada.seqs(3) == [1, 2, 3]
        on.home.fence, on.home.lineage, on.home.seq[ROOM] = 2, OTHER_LINEAGE, 2
        async with on.member("Ben"):
            joined = await ada.receive(Joined)
            assert joined.resumed is not None
            assert joined.resumed.lineage == OTHER_LINEAGE
            assert await ada.seqs(2) == [1, 2]
            on.home.say()
            assert await ada.seqs(3) == [3]
        asked = [arrive.have for arrive in on.home.all(Arrive) if arrive.have]
        assert asked == [Have(lineage=LINEAGE, seq=3)]


async def test_a_room_that_moved_is_asked_again_in_the_order_of_the_first_time() -> None:
    async with stage() as on, on.member("Ada") as ada:
        on.home.answers_commands = False
        asked = [await ada.command() for _ in range(5)]
        await on.until(lambda: len(on.home.all(Submit)) == 5)
        on.home.heard.clear()
        on.home.fence = 2
        on.home.post(Moved(ROOM, 2))
        await on.until(lambda: len(on.home.all(Submit)) == 5)
        assert [submit.id for submit in on.home.all(Submit)] == asked
        assert on.home.all(Arrive)[0].have == Have(lineage=LINEAGE, seq=0)


async def test_the_end_for_one_person_comes_after_its_last_events_and_spares_the_others() -> None:
    async with stage() as on, on.member("Ada") as ada, on.member("Ben") as ben:
        assert ada.who is not None
        on.home.say()
        assert await ada.seqs(1) == [1]
        on.home.post(on.home.publish(), Ended(ROOM, 1, ada.who.user_id, "banned", 5_000.0))
        assert await ada.seqs(2) == [2]
        left = await ada.receive(Left)
        assert (left.room, left.reason, left.until_ms) == (ROOM, "banned", 5_000)
        on.home.say()
        assert await ben.seqs(3) == [1, 2, 3]
        await ada.send(Probe(t0=1))
        assert isinstance(await ada.next(), Probed)
        assert on.home.departures(ada.conn_id) == []


async def test_the_end_for_all_leaves_nothing_of_the_room() -> None:
    async with stage() as on, on.member("Ada") as ada, on.member("Ben") as ben:
        on.home.post(Ended(ROOM, 1, None, "closed"))
        for client in (ada, ben):
            assert (await client.receive(Left)).reason == "closed"
        assert on.edge.hub.rooms == {}


async def test_leaving_is_explicit_and_nothing_follows_it() -> None:
    async with stage() as on, on.member("Ada") as ada, on.member("Ben") as ben:
        await ada.send(Leave(id=9, room=ROOM))
        assert (await ada.receive(Left)).reason == "left"
        assert await on.home.until_departed(ada.conn_id) == Depart(ROOM, ada.conn_id, True)
        on.home.say()
        assert await ben.seqs(1) == [1]
        await ada.send(Probe(t0=1))
        assert isinstance(await ada.next(), Probed)


async def test_who_leaves_on_the_way_in_is_not_in() -> None:
    async with stage() as on, on.client("Ada") as ada:
        on.home.answers_arrivals = False
        await ada.ask_in()
        arrive = await on.home.until(Arrive)
        await ada.send(Leave(id=9, room=ROOM))
        await ada.receive(Left)
        await on.home.until_departed(ada.conn_id)
        on.home.post(on.home.admit(arrive))
        await ada.command()
        assert (await ada.receive(Reject)).code == "not_member"
        assert on.edge.hub.rooms == {}


async def test_who_leaves_on_the_way_in_and_comes_again_hears_of_its_last_question() -> None:
    async with stage() as on, on.client("Ada") as ada:
        on.home.answers_arrivals = False
        await ada.ask_in()
        await ada.send(Leave(id=9, room=ROOM))
        await ada.receive(Left)
        last_id = await ada.ask_in()
        await on.until(lambda: len(on.home.all(Arrive)) == 2)
        on.home.post(*map(on.home.admit, on.home.all(Arrive)))
        assert (await ada.receive(Joined)).id == last_id


@pytest.mark.parametrize("is_gone", [False, True])
async def test_who_is_let_in_and_is_not_there_is_taken_out_again(is_gone: bool) -> None:
    async with stage() as on, on.client("Ada") as ada:
        on.home.answers_arrivals = False
        await ada.ask_in()
        arrive = await on.home.until(Arrive)
        on.home.post(on.home.reject(arrive, ErrorCode.INTERNAL, temporary=True))
        await ada.receive(Reject)
        if is_gone:
            ada.socket.transport.abort()
            await on.until(lambda: not on.edge.connection_count)
        assert on.home.all(Depart) == []
        on.home.post(on.home.admit(arrive))
        departed = await on.home.until_departed(ada.conn_id)
        assert departed == Depart(ROOM, ada.conn_id, not is_gone)


async def test_of_two_arrivals_the_refused_one_does_not_hide_the_other() -> None:
    async with stage() as on, on.client("Ada") as ada:
        on.home.answers_arrivals = False
        await ada.ask_in()
        await ada.ask_in()
        await on.until(lambda: len(on.home.all(Arrive)) == 2)
        on.home.post(on.home.reject(on.home.all(Arrive)[0], ErrorCode.UNAVAILABLE))
        await ada.receive(Reject)
        ada.socket.transport.abort()
        await on.home.until_departed(ada.conn_id)


async def test_a_command_is_answered_though_its_room_was_left() -> None:
    async with stage() as on, on.member("Ada") as ada:
        on.home.answers_commands = False
        frame_id = await ada.command()
        submit = await on.home.until(Submit)
        await ada.send(Leave(id=99, room=ROOM))
        await ada.receive(Left)
        on.home.post(on.home.ack(submit, 1, 1))
        assert (await ada.receive(Ack)).id == frame_id


async def test_a_lost_connection_departs_from_all_its_rooms_with_grace() -> None:
    rooms = {ROOM[:-1] + digit for digit in "123"}
    async with stage() as on:
        async with on.client("Ada") as ada:
            for room in rooms:
                await ada.join(room)
            ada.socket.transport.abort()
            await on.until(lambda: len(on.home.departures(ada.conn_id)) == 3)
        departures = on.home.departures(ada.conn_id)
        assert {depart.room for depart in departures} == rooms
        assert not any(depart.explicit for depart in departures)


async def test_more_than_fifty_rooms_are_too_many_and_leaving_one_makes_place() -> None:
    rooms = [f"00000000-0000-4000-8000-{n:012}" for n in range(ROOMS_PER_CONNECTION + 1)]
    async with stage() as on, on.client("Ada") as ada:
        for room in rooms[:-1]:
            await ada.ask_in(room)
        for _ in rooms[:-1]:
            await ada.receive(Joined)
        await ada.ask_in(rooms[-1])
        refusal = await ada.receive(Reject)
        assert (refusal.code, refusal.details) == ("too_many_rooms", {"limit": 50})
        await ada.send(Leave(id=99, room=rooms[0]))
        await ada.receive(Left)
        assert (await ada.join(rooms[-1])).room == rooms[-1]


async def test_a_signal_reaches_the_home_from_members_only() -> None:
    async with stage() as on, on.member("Ada") as ada, on.client("Ben") as ben:
        for client in (ben, ada):
            await client.send(SignalUp(room=ROOM, signal=Typing()))
            await client.send(Probe(t0=1))
            await client.receive(Probed)
        signal = await on.home.until(SignalSent)
        assert (signal.conn, signal.person) == (ada.conn_id, ada.who)
        assert len(on.home.all(SignalSent)) == 1


async def test_a_server_that_stops_says_when_to_come_back() -> None:
    async with stage() as on, on.client("Ada") as ada, on.client("Ben") as ben:
        await on.edge.close(drain=True)
        for client in (ada, ben):
            assert 1_000 <= (await client.receive(Reconnect)).after_ms <= 2_000
            assert await client.close_code() == CloseCode.SERVICE_RESTART


@pytest.mark.parametrize("joined", [False, True])
async def test_a_connection_that_ended_leaves_nothing_behind(joined: bool) -> None:
    async with stage(limits_factor=1) as on:
        async with on.client("Ada") as ada:
            if joined:
                await ada.join()
                await ada.command()
                await ada.receive(Ack)
            else:
                on.home.answers_arrivals = False
                await ada.ask_in()
                await on.home.until(Arrive)
        await on.until(lambda: on.edge.connection_count == 0)
        assert on.edge.hub.rooms == {}
        assert len(on.edge.router) == 0
        assert len(on.edge.strangers) == 0
        assert on.edge.user_count == 0
        await asyncio.sleep(0)
