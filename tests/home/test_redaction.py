"""What was deleted is gone: from every table, from the ring, from what latecomers are given."""

import asyncio

from protocol.chat import CHAT_IN_SNAPSHOT, ChatDelete, ChatEdit, ChatSend
from protocol.errors import ErrorCode
from protocol.frames import Ack, Have, Reject
from protocol.users import Person
from sql.pool import Database
from tests.home.stage import Stage, make_room, person, stage, state_of, was_resumed

ADA, BEN = person("Ada"), person("Ben")
CANARY, EDITED = "canary", "kestrel"
ABOUT = "select public::text from room_events where public->>'message_id' = $1"
TABLES = "select tablename from pg_tables where schemaname = 'public'"
WAIT_S = 10
NODE_ID = "00000000-0000-4000-8000-0000000000aa"


async def tables_with(database: Database, *words: str) -> set[str]:
    """The tables in which any of these words stands, in whatever column."""
    found = set()
    async with database.acquire() as connection:
        for (table,) in await connection.fetch(TABLES):
            # Also what is kept as bytes.
            rows = await connection.fetch(f'select t::text from "{table}" t')  # noqa: S608
            text = "\n".join(row[0] for row in rows)
            if any(word in text or word.encode().hex() in text for word in words):
                found.add(table)
    return found


async def until_gone(database: Database, *words: str) -> None:
    async with asyncio.timeout(WAIT_S):
        while await tables_with(database, *words):
            pass


async def told(on: Stage, room: str, who: Person, command: ChatSend | ChatEdit) -> Ack:
    answer = await on.edge.ask(room, who, command)
    assert isinstance(answer, Ack), answer
    return answer


async def said(on: Stage, room: str, content: str) -> str:
    ack = await told(on, room, ADA, ChatSend(content=content, mentions=[BEN.user_id]))
    return str(getattr(dict(on.edge.shown(room))[ack.seq], "message_id"))  # noqa: B009


async def test_a_deleted_message_leaves_no_word_behind(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url, node_id=NODE_ID, snapshot_events=3) as on:
        before = state_of(await on.edge.join(room, ADA))
        message_id = await said(on, room, CANARY)
        await told(on, room, ADA, ChatSend(content="I agree", reply_to=message_id))
        await told(on, room, ADA, ChatEdit(message_id=message_id, content=EDITED))
        copy = state_of(await on.edge.join(room, BEN))
        assert copy.chat[0].content == EDITED
        assert await tables_with(database, CANARY, EDITED) >= {"room_events", "chat_messages"}

        assert isinstance(await on.edge.ask(room, ADA, ChatDelete(message_id=message_id)), Ack)
        lineage = copy.lineage
        late, first, last = person("Late"), before.seq, copy.seq
        for who, seq in ((late, None), (BEN, last), (late, first)):
            have = None if seq is None else Have(lineage=lineage, seq=seq)
            admitted = await on.edge.join(room, who, f"{who.display_name}-{seq}", have=have)
            assert was_resumed(admitted) == (seq is not None)
            data = admitted.frame() + b"".join(admitted.backlog)
            assert CANARY.encode() not in data and EDITED.encode() not in data
            state = state_of(admitted, {None: None, last: copy, first: before}[seq])
            gone, reply = state.chat
            assert (gone.content, gone.mentions, gone.deleted) == ("", [], True)
            assert gone.edited_at_ms and reply.reply_to == message_id
        await until_gone(database, CANARY, EDITED)
        async with database.acquire() as connection:
            logged = await connection.fetch(ABOUT, message_id)
        # Nor whom it was said to.
        assert len(logged) == 3 and not any(BEN.user_id in row[0] for row in logged)
    async with stage(database, database_url, node_id=NODE_ID) as on:
        # Who reads it all from the log reads the same.
        assert state_of(await on.edge.join(room, BEN)).chat == state.chat
        again = await on.edge.join(room, ADA, have=Have(lineage=lineage, seq=first))
        assert was_resumed(again) and CANARY.encode() not in b"".join(again.backlog)


async def test_what_is_said_and_taken_back_at_once_is_never_written(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        message_id = await said(on, room, CANARY)
        # One batch: what waits while the first of them is looked up goes together.
        edit = on.edge.send(room, ADA, ChatEdit(message_id=message_id, content=EDITED))
        gone = on.edge.send(room, ADA, ChatDelete(message_id=message_id))
        for frame_id in (edit, gone):
            assert isinstance(await on.edge.answer(room, frame_id), Ack)
        await until_gone(database, CANARY, EDITED)


async def test_an_old_message_that_is_deleted_is_not_edited_in_the_same_batch(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url, node_id=NODE_ID) as on:
        await on.edge.join(room, ADA)
        message_id = await said(on, room, CANARY)
        # The room does not remember it any more: both commands find it as the database has it.
        sends = [on.edge.send(room, ADA, ChatSend(content="more")) for _ in range(CHAT_IN_SNAPSHOT)]
        for frame_id in sends:
            assert isinstance(await on.edge.answer(room, frame_id), Ack)
        gone = on.edge.send(room, ADA, ChatDelete(message_id=message_id))
        edit = on.edge.send(room, ADA, ChatEdit(message_id=message_id, content=EDITED))
        again = on.edge.send(room, ADA, ChatDelete(message_id=message_id))
        assert isinstance(await on.edge.answer(room, gone), Ack)
        refused = await on.edge.answer(room, edit)
        assert isinstance(refused, Reject) and refused.code == ErrorCode.UNKNOWN_MESSAGE
        answer = await on.edge.answer(room, again)
        assert isinstance(answer, Ack) and answer.first_seq > answer.seq
        await until_gone(database, CANARY, EDITED)


async def test_a_home_that_died_owes_the_snapshot_still(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url, node_id=NODE_ID, snapshot_events=2) as on:
        await on.edge.join(room, ADA)
        message_id = await said(on, room, CANARY)
        await told(on, room, ADA, ChatSend(content="more"))
        async with asyncio.timeout(WAIT_S):
            while "room_snapshots" not in await tables_with(database, CANARY):
                pass
        async with database.acquire() as connection:
            await connection.execute("create schema aside")
            await connection.execute("create table aside.old as select * from room_snapshots")
        assert isinstance(await on.edge.ask(room, ADA, ChatDelete(message_id=message_id)), Ack)
        await until_gone(database, CANARY)
    async with database.acquire() as connection:
        # As if it had been killed between the deletion and the snapshot.
        await connection.execute("delete from room_snapshots")
        await connection.execute("insert into room_snapshots select * from aside.old")
        await connection.execute("insert into room_redactions values ($1, $2)", room, 3)
    assert await tables_with(database, CANARY) == {"room_snapshots"}
    # Nobody comes to the room.
    async with stage(database, database_url, node_id=NODE_ID):
        await until_gone(database, CANARY)
    async with database.acquire() as connection:
        assert await connection.fetchval("select count(*) from room_redactions") == 0
