"""The rows that people query say what the log says."""

from protocol.catalog import RoomCommand
from protocol.chat import ChatDelete, ChatEdit, ChatReact, ChatSend, ChatSent
from protocol.errors import ErrorCode
from protocol.frames import Ack, Reject
from protocol.members import MemberAdd, MemberRemove, MemberSetRole
from protocol.moderation import MemberBan, MemberKick, MemberMute, MemberUnban, MemberUnmute
from protocol.owner import OwnerSucceed, OwnerTransfer
from protocol.users import Person
from sql.pool import Database
from tests.home.stage import Stage, add_user, make_room, person, stage

ADA, BEN, CAT, DAN = person("Ada"), person("Ben"), person("Cat"), person("Dan")
NAMES = {who.user_id: who.display_name for who in (ADA, BEN, CAT, DAN)}


async def do(on: Stage, room: str, who: Person, command: RoomCommand) -> Ack:
    answer = await on.edge.ask(room, who, command)
    assert isinstance(answer, Ack), answer
    return answer


async def system(on: Stage, room: str, command: RoomCommand) -> None:
    answer = await on.sidecar.ask(room, ADA, command)
    assert isinstance(answer, Ack), answer


async def places(on: Stage, room: str) -> dict[str, str]:
    """Name -> role of everybody with a place."""
    async with on.database.acquire() as connection:
        rows = await connection.fetch(
            "select user_id, role from room_members where room_id = $1 and left_at_ms is null", room
        )
    return {NAMES[row[0]]: row[1] for row in rows}


MUTES = "select user_id, reason from room_mutes where room_id = $1 and lifted_at_ms is null"
BANS = "select user_id, reason from room_bans where room_id = $1 and lifted_at_ms is null"


async def in_force(on: Stage, room: str, query: str) -> list[tuple[str, str]]:
    """(name, reason) of mutes or bans that were not taken back."""
    async with on.database.acquire() as connection:
        rows = await connection.fetch(query, room)
    return sorted((NAMES[row[0]], row[1]) for row in rows)


async def sent(on: Stage, room: str, who: Person, content: str) -> str:
    ack = await on.edge.say(room, who, content)
    said = dict(on.edge.shown(room))[ack.seq]
    assert isinstance(said, ChatSent)
    return said.message_id


async def message(on: Stage, message_id: str) -> tuple[object, ...]:
    async with on.database.acquire() as connection:
        row = await connection.fetchrow(
            "select content, mentions, reactions, edited_at_ms is not null,"
            " deleted_at_ms is not null from chat_messages where message_id = $1",
            message_id,
        )
    assert row is not None
    return tuple(row)


async def test_places_roles_and_the_owner(database: Database, database_url: str) -> None:
    room = await make_room(database, ADA, in_members=True)
    async with stage(database, database_url) as on:
        for who in (ADA, BEN, CAT):
            await on.edge.join(room, who)
        await system(on, room, MemberAdd(person=BEN))
        await system(on, room, MemberAdd(person=CAT))
        assert await places(on, room) == {"Ada": "owner", "Ben": "listener", "Cat": "listener"}
        await do(on, room, ADA, MemberSetRole(user_id=BEN.user_id, role="moderator"))
        await do(on, room, ADA, MemberSetRole(user_id=CAT.user_id, role="dj"))
        await do(on, room, ADA, OwnerTransfer(user_id=BEN.user_id))
        assert await places(on, room) == {"Ada": "moderator", "Ben": "owner", "Cat": "dj"}
        await do(on, room, BEN, MemberKick(user_id=CAT.user_id))
        assert await places(on, room) == {"Ada": "moderator", "Ben": "owner"}
        await on.edge.join(room, CAT)
        await system(on, room, MemberAdd(person=CAT))
        await system(on, room, MemberRemove(user_id=CAT.user_id))
        await system(on, room, OwnerSucceed(reason="account_deleted"))
        assert await places(on, room) == {"Ada": "owner"}


async def test_mutes_and_bans_and_their_ends(database: Database, database_url: str) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url) as on:
        for who in (ADA, BEN, CAT):
            await on.edge.join(room, who)
        await do(on, room, ADA, MemberMute(user_id=BEN.user_id, reason="loud"))
        await do(on, room, ADA, MemberBan(user_id=CAT.user_id, reason="rude"))
        assert await in_force(on, room, MUTES) == [("Ben", "loud")]
        assert await in_force(on, room, BANS) == [("Cat", "rude")]
        await do(on, room, ADA, MemberMute(user_id=BEN.user_id, reason="louder"))
        assert await in_force(on, room, MUTES) == [("Ben", "louder")]
        await do(on, room, ADA, MemberUnmute(user_id=BEN.user_id))
        await do(on, room, ADA, MemberUnban(user_id=CAT.user_id))
        assert await in_force(on, room, MUTES) == []
        assert await in_force(on, room, BANS) == []


async def test_all_of_it_in_one_batch_leaves_what_came_last(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA, in_members=True)
    async with stage(database, database_url) as on:
        for who in (ADA, BEN, CAT, DAN):
            await on.edge.join(room, who)
        commands: list[RoomCommand] = [
            MemberSetRole(user_id=BEN.user_id, role="dj"),
            MemberSetRole(user_id=BEN.user_id, role="moderator"),
            MemberSetRole(user_id=CAT.user_id, role="dj"),
            MemberBan(user_id=CAT.user_id),
            MemberUnban(user_id=CAT.user_id),
            MemberMute(user_id=DAN.user_id),
            MemberUnmute(user_id=DAN.user_id),
            MemberMute(user_id=DAN.user_id, reason="again"),
            OwnerTransfer(user_id=BEN.user_id),
        ]
        ids = [on.edge.send(room, ADA, command) for command in commands]
        for frame_id in ids:
            assert isinstance(await on.edge.answer(room, frame_id), Ack)
        assert await places(on, room) == {"Ada": "moderator", "Ben": "owner"}
        assert await in_force(on, room, BANS) == []
        there = on.edge.send(room, BEN, OwnerTransfer(user_id=DAN.user_id))
        back = on.edge.send(room, DAN, OwnerTransfer(user_id=BEN.user_id))
        for frame_id in (there, back):
            assert isinstance(await on.edge.answer(room, frame_id), Ack)
        assert await places(on, room) == {"Ada": "moderator", "Ben": "owner", "Dan": "moderator"}
        assert await in_force(on, room, MUTES) == [("Dan", "again")]


async def test_a_message_reads_as_it_was_edited_and_keeps_nothing_once_deleted(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        await on.edge.join(room, BEN)
        told = await sent(on, room, ADA, "hello")
        edit = ChatEdit(message_id=told, content="hullo", mentions=[BEN.user_id])
        await do(on, room, ADA, edit)
        for who in (ADA, BEN):
            await do(on, room, who, ChatReact(message_id=told, emoji="🔥"))
        await do(on, room, BEN, ChatReact(message_id=told, emoji="👏"))
        await do(on, room, BEN, ChatReact(message_id=told, emoji="👏", on=False))
        mentions = f'["{BEN.user_id}"]'
        assert await message(on, told) == ("hullo", mentions, '{"👏": 0, "🔥": 2}', True, False)
        await do(on, room, ADA, ChatDelete(message_id=told))
        assert await message(on, told) == ("", "[]", "{}", True, True)


async def test_an_old_message_can_be_answered_edited_and_deleted_by_its_author(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    for who in (ADA, BEN):
        await add_user(database, who)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        await on.edge.join(room, BEN)
        told = await sent(on, room, BEN, "long ago")
        # The last letters push it out of the snapshot in the very batch that names it.
        ids = [on.edge.send(room, ADA, ChatSend(content=f"{n}")) for n in range(60)]
        ids.append(on.edge.send(room, ADA, ChatSend(content="that", reply_to=told)))
        ids.append(on.edge.send(room, BEN, ChatEdit(message_id=told, content="longer ago")))
        for frame_id in ids:
            assert isinstance(await on.edge.answer(room, frame_id), Ack)
        refused = await on.edge.ask(room, CAT, ChatEdit(message_id=told, content="never"))
        assert isinstance(refused, Reject)
        assert refused.code == ErrorCode.NOT_ALLOWED
        await do(on, room, BEN, ChatEdit(message_id=told, content="longest ago"))
        assert (await message(on, told))[0] == "longest ago"
        await do(on, room, ADA, ChatDelete(message_id=told))
        again = await on.edge.ask(room, BEN, ChatEdit(message_id=told, content="back"))
        assert isinstance(again, Reject)
        assert again.code == ErrorCode.UNKNOWN_MESSAGE
