"""Who is kicked or banned is out at once, and the door knows it."""

import pytest

from protocol.chat import ChatSend
from protocol.cluster import Ended, Told
from protocol.codec import decode_server_frame
from protocol.errors import ErrorCode
from protocol.frames import Ack, Have, Joined, Presence, Reject, SignalDown
from protocol.members import MemberAdd, MemberRemove
from protocol.moderation import MemberBan, MemberKick, MemberMute, MemberUnban
from protocol.presence import Typing
from protocol.users import Person
from sql.pool import Database
from tests.home.stage import Stage, add_user, make_room, person, stage, state_of

ADA, BEN, CAT = person("Ada"), person("Ben"), person("Cat", "guest")
HOME, OFFICE = "a" * 32, "b" * 32


async def gone(on: Stage, who: Person) -> None:
    """Until all were told that somebody is not here any more."""

    def fits(message: Told) -> bool:
        frame = decode_server_frame(message.frame)
        return isinstance(frame, Presence) and who.user_id in frame.gone

    await on.edge.until(Told, fits)


async def ended(on: Stage, who: Person) -> Ended:
    return await on.edge.until(Ended, lambda message: message.user_id == who.user_id)


async def done(on: Stage, room: str, who: Person, command: object, **more: object) -> Ack:
    answer = await on.edge.ask(room, who, command, **more)  # type: ignore[arg-type]
    assert isinstance(answer, Ack), answer
    return answer


async def test_who_is_kicked_is_out_with_all_connections_and_may_come_back(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url, grace_ms=1_000_000) as on:
        await on.edge.join(room, ADA)
        await on.edge.join(room, BEN, "one")
        await on.edge.join(room, BEN, "two")
        ack = await done(on, room, ADA, MemberKick(user_id=BEN.user_id, reason="loud"))
        message = await ended(on, BEN)
        assert (message.reason, message.until_ms) == ("kicked", None)
        await gone(on, BEN)
        # After the event that says so, and after the answers of the same batch.
        assert max(seq for seq, _ in on.edge.shown(room)) == ack.seq
        await on.edge.join(room, BEN)


async def test_who_is_kicked_before_a_new_home_knows_of_them_is_out_all_the_same(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    await add_user(database, BEN)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        copy = state_of(await on.edge.join(room, BEN))
        node = on.home.beats.node_id
    have = Have(lineage=copy.lineage, seq=copy.seq)
    async with stage(database, database_url, node_id=node) as on:
        await done(on, room, ADA, MemberKick(user_id=BEN.user_id))
        # Its edge hears of the new home and brings the connection back.
        refused = await on.edge.arrive(room, BEN, have=have, returns=True)
        assert isinstance(refused, Reject)
        assert (refused.code, refused.temporary) == (ErrorCode.NOT_MEMBER, False)
        # A kick shuts no door, and who has come back is not put out once more.
        back = state_of(await on.edge.join(room, BEN))
        again = Have(lineage=back.lineage, seq=back.seq)
        await on.edge.join(room, BEN, have=again, returns=True)


async def test_who_is_banned_is_out_and_the_door_says_until_when(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        await on.edge.join(room, BEN)
        await done(on, room, ADA, MemberBan(user_id=BEN.user_id, duration_ms=3_600_000))
        message = await ended(on, BEN)
        assert message.reason == "banned"
        assert message.until_ms is not None
        await gone(on, BEN)
        refused = await on.edge.arrive(room, BEN)
        assert isinstance(refused, Reject)
        assert refused.code == ErrorCode.BANNED
        assert refused.details["until_ms"] == message.until_ms
        # By REST neither, with a place or without.
        place = await on.sidecar.ask(room, ADA, MemberAdd(person=BEN))
        assert isinstance(place, Reject)
        assert place.code == ErrorCode.BANNED
        said = await on.sidecar.ask(room, BEN, ChatSend(content="hi"))
        assert isinstance(said, Reject)
        assert said.code == ErrorCode.BANNED
        await done(on, room, ADA, MemberUnban(user_id=BEN.user_id))
        await on.edge.join(room, BEN)


async def test_a_ban_by_address_keeps_others_out_who_come_from_there(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA, addresses=(HOME,))
        await on.edge.join(room, BEN, addresses=(HOME, "c" * 32))
        await done(on, room, ADA, MemberBan(user_id=BEN.user_id, by_address=True))
        await ended(on, BEN)
        refused = await on.edge.arrive(room, CAT, addresses=(HOME,))
        assert isinstance(refused, Reject)
        assert refused.code == ErrorCode.BANNED
        # A digest of an earlier key is known as well; what was written down is of the newest.
        refused = await on.edge.arrive(room, CAT, addresses=("d" * 32, HOME))
        assert isinstance(refused, Reject)
        await on.edge.join(room, CAT, addresses=("c" * 32,))
        await on.edge.join(room, CAT, addresses=(OFFICE,))
        # Who bans must not ban oneself out of the house.
        await on.edge.join(room, ADA, "conn-Ada-2", addresses=(HOME,))
        for command in (MemberAdd(person=CAT), ChatSend(content="hi")):
            answer = await on.sidecar.ask(room, CAT, command, addresses=(HOME,))
            assert isinstance(answer, Reject)
            assert answer.code == ErrorCode.BANNED
        await done(on, room, ADA, MemberUnban(user_id=BEN.user_id))
        await on.edge.join(room, CAT, addresses=(HOME,))


async def test_the_room_knows_bans_and_addresses_again_after_a_restart(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        await on.edge.join(room, BEN, addresses=(HOME,))
        await done(on, room, ADA, MemberBan(user_id=BEN.user_id, by_address=True))
        node = on.home.beats.node_id
    async with stage(database, database_url, node_id=node) as on:
        for who, addresses in ((BEN, ()), (CAT, (HOME,))):
            refused = await on.edge.arrive(room, who, addresses=addresses)
            assert isinstance(refused, Reject)
            assert refused.code == ErrorCode.BANNED


@pytest.mark.parametrize("closed_by", ["visibility", "password", "nothing"])
async def test_who_gives_up_the_place_is_out_where_the_door_is_shut(
    database: Database, database_url: str, closed_by: str
) -> None:
    room = await make_room(
        database,
        ADA,
        visibility="private" if closed_by == "visibility" else "public",
        password_hash="x" if closed_by == "password" else None,
    )
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        if closed_by != "nothing":
            assert isinstance(await on.edge.arrive(room, BEN), Reject)
        assert isinstance(await on.sidecar.ask(room, ADA, MemberAdd(person=BEN)), Ack)
        admitted = await on.edge.join(room, BEN)
        joined = decode_server_frame(admitted.frame())
        assert isinstance(joined, Joined)
        assert (joined.you.role, joined.you.joined_at_ms is None) == ("listener", False)
        left = await on.sidecar.ask(room, ADA, MemberRemove(user_id=BEN.user_id))
        assert isinstance(left, Ack)
        if closed_by == "nothing":
            await on.edge.say(room, BEN, "still here")
            assert not [m for m in on.edge.heard if isinstance(m, Ended)]
        else:
            assert (await ended(on, BEN)).reason == "left"
            await gone(on, BEN)


async def test_nobody_sees_a_muted_person_typing(database: Database, database_url: str) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url) as on:
        for who in (ADA, BEN, CAT):
            await on.edge.join(room, who)
        await done(on, room, ADA, MemberMute(user_id=BEN.user_id))
        on.edge.signal(room, BEN, Typing())
        on.edge.signal(room, CAT, Typing())
        await on.edge.until(Told, lambda message: message.except_conn == "conn-Cat")
        senders = [
            frame.from_
            for message in on.edge.heard
            if isinstance(message, Told)
            and isinstance(frame := decode_server_frame(message.frame), SignalDown)
        ]
        assert senders == [CAT.user_id]


async def test_somebody_who_is_away_can_be_banned_and_a_stranger_who_is_no_one_cannot(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    await add_user(database, BEN)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        await done(on, room, ADA, MemberBan(user_id=BEN.user_id))
        assert isinstance(await on.edge.arrive(room, BEN), Reject)
        refused = await on.edge.ask(room, ADA, MemberBan(user_id=CAT.user_id))
        assert isinstance(refused, Reject)
        assert refused.code == ErrorCode.UNKNOWN_PERSON
