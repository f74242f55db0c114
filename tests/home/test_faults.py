"""What can go wrong between a home and its database, and what nobody must notice of it."""

import asyncio
from uuid import uuid4

from protocol.chat import ChatSend, ChatSent
from protocol.cluster import Moved
from protocol.errors import ErrorCode
from protocol.frames import Ack, Reject
from sql.pool import Connection, Database, connect
from tests.home.stage import Stage, make_room, person, stage, state_of

ADA, BEN = person("Ada"), person("Ben")


def said(on: Stage, room: str) -> list[str]:
    return [event.content for _, event in on.edge.shown(room) if isinstance(event, ChatSent)]


async def lost(connection: Connection) -> None:
    """Cut the committer's connection while its statement waits for a lock."""
    while not await connection.fetchval(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity"
        " where application_name = 'committer' and wait_event_type = 'Lock'"
    ):
        pass


async def test_a_room_that_cannot_be_written_does_not_hold_up_the_other_31(
    database: Database, database_url: str
) -> None:
    rooms = [await make_room(database, ADA) for _ in range(32)]
    poisoned = rooms[7]
    async with database.acquire() as connection:
        await connection.execute(
            f"alter table room_events add check (room_id <> '{poisoned}' or seq < 3)"
        )
    async with stage(database, database_url) as on:
        for room in rooms:
            await on.edge.join(room, ADA)
            await on.edge.say(room, ADA, "fine")
        for room in rooms:
            on.edge.send(room, ADA, ChatSend(content="all at once"), id=900)
        for room in rooms:
            answer = await on.edge.answer(room, 900)
            if room == poisoned:
                assert isinstance(answer, Reject)
                assert (answer.code, answer.temporary) == (ErrorCode.INTERNAL, True)
            else:
                assert isinstance(answer, Ack)
                assert said(on, room) == ["fine", "all at once"]
        assert said(on, poisoned) == ["fine"]
        # The room itself goes on where the log is.
        assert state_of(await on.edge.join(poisoned, BEN)).seq == 2
        async with database.acquire() as connection:
            await connection.execute("alter table room_events drop constraint room_events_check")
        assert (await on.edge.say(poisoned, ADA, "well again")).seq == 3


async def test_a_room_that_cannot_be_written_for_now_is_a_standstill_until_it_can(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        await on.edge.say(room, ADA, "fine")
        assert on.home.committer.standstill_ms == 0
        async with database.acquire() as connection:
            await connection.execute(DISK_FULL)
        refused = await on.edge.ask(room, ADA, ChatSend(content="no room"))
        assert isinstance(refused, Reject)
        assert refused.code is ErrorCode.UNAVAILABLE
        began_ms = on.home.committer.standstill_ms
        assert began_ms > 0
        assert isinstance(await on.edge.ask(room, ADA, ChatSend(content="none yet")), Reject)
        assert on.home.committer.standstill_ms > began_ms
        async with database.acquire() as connection:
            await connection.execute("drop function full_disk cascade")
        assert isinstance(await on.edge.ask(room, ADA, ChatSend(content="room again")), Ack)
        assert on.home.committer.standstill_ms == 0


DISK_FULL = """
create function full_disk() returns trigger language plpgsql as $$
begin
    raise exception 'no space left' using errcode = '53100';
end $$;
create trigger full_disk before insert on room_events execute function full_disk();
"""


async def test_a_home_whose_fence_was_taken_shows_nothing_and_sends_everybody_away(
    database: Database, database_url: str
) -> None:
    room, thief = await make_room(database, ADA), str(uuid4())
    async with stage(database, database_url, stale_ms=1_000_000) as on:
        await on.edge.join(room, ADA)
        await on.edge.say(room, ADA, "seen")
        async with database.acquire() as connection:
            await connection.execute(
                "update room_homes set fence = fence + 1, node_id = $2 where room_id = $1",
                room,
                thief,
            )
        on.edge.send(room, ADA, ChatSend(content="never"), id=900)
        moved = await on.edge.until(Moved)
        assert moved.room == room
        assert said(on, room) == ["seen"]
        async with database.acquire() as connection:
            assert (
                await connection.fetchval(
                    "select count(*) from room_commands where room_id = $1", room
                )
                == 1
            )
        # The other node may well live: nobody takes the room back at once.
        refused = await on.edge.ask(room, ADA, ChatSend(content="again"), id=901)
        assert isinstance(refused, Reject)
        assert refused.code is ErrorCode.UNAVAILABLE


async def test_the_rooms_of_a_node_that_stopped_beating_are_taken_over(
    database: Database, database_url: str
) -> None:
    room, dead = await make_room(database, ADA), str(uuid4())
    async with database.acquire() as connection:
        await connection.execute(
            "insert into nodes (node_id, kind, incarnation) values ($1, 'node', 1)", dead
        )
        await connection.execute(
            "update room_homes set fence = 7, node_id = $2, incarnation = 1 where room_id = $1",
            room,
            dead,
        )
    async with stage(database, database_url, stale_ms=1_000) as on:
        tries = 0
        while isinstance(admitted := await on.edge.arrive(room, ADA, f"{tries}"), Reject):
            tries += 1
        assert tries > 0
        assert admitted.fence == 8


async def test_a_commit_whose_connection_was_lost_is_refused_for_now_and_never_half_done(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    connection = await connect(database_url)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        await on.edge.say(room, ADA, "one")
        async with connection.transaction():
            await connection.fetch("select from room_homes where room_id = $1 for update", room)
            on.edge.send(room, ADA, ChatSend(content="two"), id=900)
            await lost(connection)
        answer = await on.edge.answer(room, 900)
        assert isinstance(answer, Reject)
        assert (answer.code, answer.temporary) == (ErrorCode.UNAVAILABLE, True)
        # The retry has the same name and is decided anew.
        assert isinstance(await on.edge.ask(room, ADA, ChatSend(content="two"), id=900), Ack)
        assert said(on, room) == ["one", "two"]
        seqs = [seq for seq, _ in on.edge.shown(room)]
        assert seqs == list(range(1, len(seqs) + 1))
    await connection.close()


async def test_a_commit_that_succeeded_unheard_is_acknowledged_from_the_log(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        await on.edge.say(room, ADA, "one")
        async with database.acquire() as connection:
            # The server carries the statement out and the answer never comes: whoever inserts
            # the event cuts the connection of the home, once the commit is safe.
            await connection.execute(CUT_AFTER_COMMIT)
        answer = await on.edge.ask(room, ADA, ChatSend(content="two"), id=900)
        assert isinstance(answer, Ack | Reject)
        async with database.acquire() as connection:
            stored = await connection.fetchval(
                "select count(*) from room_events where room_id = $1"
                " and public->>'content' = 'two'",
                room,
            )
        assert stored == (1 if isinstance(answer, Ack) else 0)


CUT_AFTER_COMMIT = """
create function cut() returns trigger language plpgsql as $$
begin
    perform pg_terminate_backend(pg_backend_pid());
    return null;
end $$;
create constraint trigger cut after insert on room_events deferrable initially deferred
for each row execute function cut();
"""


async def test_while_the_database_is_away_what_was_committed_is_served_and_commands_are_refused(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    connection = await connect(database_url)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        await on.edge.say(room, ADA, "one")
        async with connection.transaction():
            await connection.fetch("select from room_homes where room_id = $1 for update", room)
            # The home cannot get its room back while we hold the row.
            on.edge.send(room, ADA, ChatSend(content="two"), id=900)
            await lost(connection)
            answer: Ack | Reject | None = None
            while not isinstance(answer, Reject):
                answer = await asyncio.wait_for(
                    on.edge.ask(room, BEN, ChatSend(content="three")), 10
                )
            assert answer.code is ErrorCode.UNAVAILABLE
            admitted = await on.edge.join(room, BEN)
            assert [m.content for m in state_of(admitted).chat] == ["one"]
        assert isinstance(await on.edge.answer(room, 900), Reject)
        while isinstance(await on.edge.ask(room, BEN, ChatSend(content="three")), Reject):
            pass
        assert said(on, room) == ["one", "three"]
    await connection.close()
