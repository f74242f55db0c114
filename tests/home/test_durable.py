"""Durable before visible, and exactly once."""

from protocol.chat import ChatSend, ChatSent
from protocol.cluster import Message, Published
from protocol.errors import ErrorCode
from protocol.frames import Ack, Reject
from protocol.queue import QueueAdd
from protocol.rooms import RoomResumed
from sql.pool import Database, connect
from tests.home.stage import Stage, make_room, make_track, person, stage, state_of

ADA, BEN = person("Ada"), person("Ben")


async def test_a_newcomer_gets_the_room_and_a_command_its_ack_after_its_events(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url) as on:
        admitted = await on.edge.join(room, ADA)
        copy = state_of(admitted)
        assert not copy.suspended
        ack = await on.edge.say(room, ADA, "hello")
        assert (ack.first_seq, ack.seq) == (copy.seq + 1, copy.seq + 1)
        events = dict(on.edge.shown(room))
        sent = events[ack.seq]
        assert isinstance(sent, ChatSent)
        assert sent.content == "hello"
        kinds = [type(m).__name__ for m in on.edge.heard if getattr(m, "room", "") == room]
        assert kinds.index("Answer") > kinds.index("Published")


async def test_nothing_is_shown_before_the_database_has_it(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    connection = await connect(database_url)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        ids = [on.edge.send(room, ADA, ChatSend(content=f"{n}")) for n in range(300)]
        checked = 0
        while checked < 301:
            message = await later_than(on, checked)
            stored = await connection.fetchval(
                "select coalesce(max(seq), 0) from room_events where room_id = $1", room
            )
            shown = max(seq for seq, _ in on.edge.shown(room))
            assert shown >= message.last_seq
            assert stored >= message.last_seq
            checked = shown
        for frame_id in ids:
            answer = await on.edge.answer(room, frame_id)
            assert isinstance(answer, Ack)
        assert [seq for seq, _ in on.edge.shown(room)] == list(range(1, 302))
    await connection.close()


async def test_while_a_commit_is_held_up_nothing_leaves_the_room(
    database: Database, database_url: str
) -> None:
    room, other = await make_room(database, ADA), await make_room(database, ADA)
    connection = await connect(database_url)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        await on.edge.join(other, BEN)
        async with connection.transaction():
            # Whoever locks the row holds up the fence.
            await connection.fetch("select from room_homes where room_id = $1 for update", room)
            before = len(on.edge.heard)
            on.edge.send(room, ADA, ChatSend(content="held"), id=1_000)
            await _until_waiting(connection)
            # What comes meanwhile waits for the next batch: at most one is under way.
            on.edge.send(room, ADA, ChatSend(content="later"), id=1_001)
            await _until_waiting(connection)
            assert [m for m in on.edge.heard[before:] if _is_of(m, room)] == []
        assert isinstance(await on.edge.answer(room, 1_000), Ack)
        assert isinstance(await on.edge.answer(room, 1_001), Ack)
        assert [e.content for _, e in on.edge.shown(room) if isinstance(e, ChatSent)] == [
            "held",
            "later",
        ]
    await connection.close()


async def later_than(on: Stage, seq: int) -> Published:
    return await on.edge.until(Published, lambda message: message.last_seq > seq)


async def _until_waiting(connection: object) -> None:
    """Until the committer waits for a lock."""
    waiting = (
        "select count(*) from pg_stat_activity"
        " where application_name = 'committer' and wait_event_type = 'Lock'"
    )
    while not await connection.fetchval(waiting):  # type: ignore[attr-defined]
        pass


def _is_of(message: Message, room: str) -> bool:
    return getattr(message, "room", None) == room


async def test_a_command_sent_twice_happens_once_and_is_answered_alike(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        hello = ChatSend(content="once")
        first = await on.edge.ask(room, ADA, hello, id=500)
        again = await on.edge.ask(room, ADA, hello, id=500)
        assert isinstance(first, Ack)
        assert again == first
        # In one turn, too.
        on.edge.send(room, ADA, hello, id=501)
        on.edge.send(room, ADA, hello, id=501)
        await on.edge.answer(room, 501)
        # Another person's command of the same name is another command.
        other = await on.edge.ask(room, BEN, hello, client_id="client-Ada", id=500)
        assert isinstance(other, Ack)
        assert other.seq > first.seq
        assert len([e for _, e in on.edge.shown(room) if isinstance(e, ChatSent)]) == 3


async def test_a_command_sent_again_after_a_restart_happens_once(
    database: Database, database_url: str
) -> None:
    room, node = await make_room(database, ADA), "00000000-0000-4000-8000-00000000beef"
    async with stage(database, database_url, node_id=node) as on:
        await on.edge.join(room, ADA)
        first = await on.edge.ask(room, ADA, ChatSend(content="once"), id=7)
        await on.edge.ask(room, ADA, ChatSend(content="more"), id=8)
    async with stage(database, database_url, node_id=node) as on:
        # Without anybody having come in, and in an order that no good client would choose.
        assert await on.edge.ask(room, ADA, ChatSend(content="new"), id=3) != first
        assert await on.edge.ask(room, ADA, ChatSend(content="once"), id=7) == first
        count = "select count(*) from room_events where room_id = $1 and public->>'type' = $2"
        async with database.acquire() as connection:
            assert await connection.fetchval(count, room, "chat.sent") == 3


async def test_a_refusal_is_not_recorded_and_a_retry_is_decided_anew(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        track = "00000000-0000-4000-8000-0000000000ff"
        refused = await on.edge.ask(room, ADA, QueueAdd(track_id=track), id=70)
        assert isinstance(refused, Reject)
        assert refused.code is ErrorCode.UNKNOWN_TRACK
        async with database.acquire() as connection:
            await connection.execute(
                "update tracks set track_id = $1 where track_id = $2",
                track,
                await make_track(database),
            )
        assert isinstance(await on.edge.ask(room, ADA, QueueAdd(track_id=track), id=70), Ack)


async def test_a_batch_of_many_rooms_is_one_statement(
    database: Database, database_url: str
) -> None:
    rooms = [await make_room(database, ADA) for _ in range(40)]
    async with stage(database, database_url) as on:
        for room in rooms:
            await on.edge.join(room, ADA)
        before = on.home.committer.statements
        for room in rooms:
            on.edge.send(room, ADA, ChatSend(content="all"), id=900)
        for room in rooms:
            assert isinstance(await on.edge.answer(room, 900), Ack)
        assert on.home.committer.statements - before <= 2


async def test_projections_and_list_columns_follow_the_log(
    database: Database, database_url: str
) -> None:
    room, track = await make_room(database, ADA), await make_track(database)
    connection = await connect(database_url)
    async with stage(database, database_url, list_every_ms=1) as on:
        await on.edge.join(room, ADA)
        await on.edge.say(room, ADA, "hi \U0001f3b5")
        await on.edge.ask(room, ADA, QueueAdd(track_id=track))
        row = await connection.fetchrow("select * from chat_messages where room_id = $1", room)
        assert (row["content"], row["user_id"]) == ("hi \U0001f3b5", ADA.user_id)
        resumed = [e for _, e in on.edge.shown(room) if isinstance(e, RoomResumed)]
        assert len(resumed) == 1
        listed = "select listeners, now_playing->>'track_id' from rooms where room_id = $1"
        while tuple(await connection.fetchrow(listed, room)) != (1, track):
            pass
        assert await connection.fetchval(
            "select wake_at_ms is not null and not suspended from rooms where room_id = $1", room
        )
    assert await connection.fetchval("select listeners from rooms where room_id = $1", room) == 0
    await connection.close()
