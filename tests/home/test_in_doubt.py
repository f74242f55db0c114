"""While the outcome of something is unknown, nobody is told the one or the other."""

import asyncio
from uuid import uuid4

from protocol.chat import ChatSend, ChatSent
from protocol.cluster import Answer
from protocol.errors import ErrorCode
from protocol.frames import Ack, Reject
from protocol.queue import QueueAdd, QueueAdded
from protocol.rooms import RoomClose
from roomserver.home.heard import Visit
from roomserver.home.presence import Presence
from sql.pool import Connection, Database, connect
from tests.home.stage import Stage, make_room, make_track, person, stage

ADA, BEN, CAT = person("Ada"), person("Ben"), person("Cat")

LOCK = "select from room_homes where room_id = $1 for update"
CUT = (
    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
    " where application_name = 'committer' and wait_event_type = 'Lock'"
)
LOOK_UP = (
    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
    " where wait_event_type = 'Lock' and query like '%duration_samples%'"
)


async def cut_off(on: Stage, room: str, connection: Connection) -> None:
    """Cut the committer's connection in its statement, and wait until the room knows."""
    while not await connection.fetchval(CUT):
        pass
    while True:
        answer = await on.edge.ask(room, CAT, ChatSend(content="is it away?"))
        if isinstance(answer, Reject):
            assert answer.code is ErrorCode.UNAVAILABLE
            return


def answers(on: Stage, frame_id: int) -> list[Ack | Reject]:
    return [m.answer for m in on.edge.heard if isinstance(m, Answer) and m.answer.id == frame_id]


async def test_a_command_in_doubt_that_is_sent_again_is_not_refused_before_the_log_was_read(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    connection = await connect(database_url)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        async with connection.transaction():
            await connection.fetch(LOCK, room)
            on.edge.send(room, ADA, ChatSend(content="two"), id=900)
            await cut_off(on, room, connection)
            on.edge.send(room, ADA, ChatSend(content="two"), id=900)
            assert isinstance(await on.edge.ask(room, CAT, ChatSend(content="new")), Reject)
            assert answers(on, 900) == []
        assert isinstance(await on.edge.answer(room, 900), Reject)
        assert isinstance(await on.edge.ask(room, ADA, ChatSend(content="two"), id=900), Ack)
        said = [e.content for _, e in on.edge.shown(room) if isinstance(e, ChatSent)]
        assert said.count("two") == 1
    await connection.close()


async def test_who_comes_in_meanwhile_sees_nothing_of_what_is_in_doubt(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    connection = await connect(database_url)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        async with connection.transaction():
            await connection.fetch(LOCK, room)
            on.edge.send(room, ADA, RoomClose(), id=900)
            await cut_off(on, room, connection)
            # Nothing says that the room is closed: it may well stay open.
            await on.edge.join(room, BEN)
        assert isinstance(await on.edge.answer(room, 900), Reject)
    await connection.close()


async def test_a_command_that_cannot_be_looked_up_is_not_refused(
    database: Database, database_url: str
) -> None:
    room, node = await make_room(database, ADA), str(uuid4())
    async with stage(database, database_url, node_id=node) as on:
        await on.edge.join(room, ADA)
        first = await on.edge.ask(room, ADA, ChatSend(content="once"), id=7)
    async with stage(database, database_url, node_id=node) as on:
        await on.edge.join(room, ADA)
        async with database.acquire() as connection:
            await connection.execute("alter table room_commands rename to away")
        on.edge.send(room, ADA, ChatSend(content="once"), id=7)
        await on.edge.join(room, ADA)
        assert answers(on, 7) == []
        async with database.acquire() as connection:
            await connection.execute("alter table away rename to room_commands")
        assert await on.edge.ask(room, ADA, ChatSend(content="once"), id=7) == first


async def test_a_command_that_is_refused_is_not_carried_out_as_it_was_sent_twice(
    database: Database, database_url: str
) -> None:
    room, track = await make_room(database, ADA), await make_track(database)
    connection = await connect(database_url, application_name="locker")
    # A transaction sees the activity as it was when it asked first.
    watcher = await connect(database_url)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        async with connection.transaction():
            await connection.execute("lock table tracks in access exclusive mode")
            on.edge.send(room, ADA, QueueAdd(track_id=track), id=900)
            while not await watcher.fetchval(LOOK_UP.replace("pg_terminate_backend(pid)", "*")):
                pass
            on.edge.send(room, ADA, QueueAdd(track_id=track), id=900)
            assert await watcher.fetchval(LOOK_UP) == 1
        assert isinstance(await on.edge.answer(room, 900), Reject)
        await on.edge.say(room, ADA, "still here")
        assert len(answers(on, 900)) == 1
        assert not [e for _, e in on.edge.shown(room) if isinstance(e, QueueAdded)]
        assert isinstance(await on.edge.ask(room, ADA, QueueAdd(track_id=track), id=900), Ack)
    await connection.close()
    await watcher.close()


async def test_a_command_that_waits_in_a_full_mailbox_is_not_refused_when_it_is_sent_again(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    connection = await connect(database_url)
    watcher = await connect(database_url)
    async with stage(database, database_url, mailbox=1) as on:
        await on.edge.join(room, ADA)
        async with connection.transaction():
            await connection.fetch(LOCK, room)
            on.edge.send(room, ADA, ChatSend(content="under way"), id=900)
            waiting = CUT.replace("pg_terminate_backend(pid)", "*")
            while not await watcher.fetchval(waiting):
                pass
            on.edge.send(room, ADA, ChatSend(content="waits"), id=901)
            for frame_id, content in ((900, "under way"), (901, "waits"), (902, "too much")):
                on.edge.send(room, ADA, ChatSend(content=content), id=frame_id)
            refused = await on.edge.answer(room, 902)
            assert isinstance(refused, Reject)
            assert answers(on, 900) == answers(on, 901) == []
        assert isinstance(await on.edge.answer(room, 900), Ack)
        assert isinstance(await on.edge.answer(room, 901), Ack)
    await connection.close()
    await watcher.close()


async def test_a_room_whose_row_is_locked_does_not_hold_up_the_others(
    database: Database, database_url: str
) -> None:
    # Rooms are written in the order of their ids.
    held, free = sorted([await make_room(database, ADA), await make_room(database, ADA)])
    connection = await connect(database_url)
    await connection.execute("set idle_in_transaction_session_timeout = 0")
    async with stage(database, database_url) as on:
        await on.edge.join(held, ADA)
        await on.edge.join(free, ADA)
        async with connection.transaction():
            await connection.fetch(LOCK, held)
            # In one statement; the lock is waited for in vain (2 s).
            on.edge.send(held, ADA, ChatSend(content="held"), id=900)
            on.edge.send(free, ADA, ChatSend(content="free"), id=901)
            assert isinstance(await asyncio.wait_for(on.edge.answer(free, 901), 15), Ack)
        answer = await on.edge.answer(held, 900)
        assert isinstance(answer, Reject)
        assert answer.code is ErrorCode.UNAVAILABLE
    await connection.close()


async def test_a_private_room_hides_its_password_and_its_end_from_strangers(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA, visibility="private", password_hash="argon2")
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        for _ in range(2):
            refused = await on.edge.arrive(room, BEN)
            assert isinstance(refused, Reject)
            assert refused.code is ErrorCode.ROOM_NOT_FOUND
            await on.edge.ask(room, ADA, RoomClose())


def test_a_room_is_empty_since_the_last_of_all_was_there() -> None:
    visits: list[Visit] = []
    presence = Presence(grace_ms=20_000, vacant_since_ms=0, on_left=visits.append)
    presence.arrive("a", "node:edge", ADA, 10, now_ms=0)
    presence.arrive("b", "node:edge", BEN, 10, now_ms=500)
    presence.depart("a", False, 1_000)
    presence.depart("b", True, 5_000)
    presence.expire(21_000)
    assert presence.vacant_since_ms == 5_000
    assert visits == [Visit(BEN.user_id, 500, 5_000), Visit(ADA.user_id, 0, 1_000)]
