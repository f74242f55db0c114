"""A bot that is sent out of a room, or away from the server."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from protocol.bot import Bot, Closed, PutOut, Rejected, Room, Went, connect, guest
from protocol.catalog import ClientCommand
from protocol.chat import ChatSent
from protocol.errors import ErrorCode
from protocol.members import MemberRoleChanged, MemberSetRole
from protocol.moderation import MemberBan, MemberKick, MemberKicked, MemberMute
from protocol.rooms import RoomClose, RoomClosed
from tests.cluster.rest import new_room


@pytest.fixture
async def hers(base_url: str, token: str, room_id: str) -> AsyncIterator[Room]:
    """The room in its owner's hands."""
    async with connect(base_url, token=token) as owner:
        yield await owner.join(room_id)


@pytest.fixture
async def bot(base_url: str) -> AsyncIterator[Bot]:
    """Somebody else."""
    async with connect(base_url, token=await guest(base_url, "Bot")) as bot:
        yield bot


@pytest.mark.parametrize(
    ("reason", "comes_back"), [("kicked", True), ("banned", False), ("closed", False)]
)
async def test_a_bot_that_is_put_out_is_told_why_and_stays_out(
    hers: Room, bot: Bot, reason: str, comes_back: bool
) -> None:
    room = await bot.join(hers.room_id)
    how: dict[str, ClientCommand] = {
        "kicked": MemberKick(user_id=bot.user.user_id),
        "banned": MemberBan(user_id=bot.user.user_id, duration_ms=3_600_000),
        "closed": RoomClose(),
    }
    events = room.events()
    waiting = asyncio.ensure_future(room.wait_for(lambda room: False))
    await hers.do(how[reason])
    with pytest.raises(PutOut) as out:
        async for _ in events:
            pass
    assert (out.value.reason, out.value.room_id) == (reason, hers.room_id)
    assert (out.value.until_ms is not None) == (reason == "banned")
    with pytest.raises(PutOut):
        await waiting
    with pytest.raises(Rejected) as outside:
        await room.chat("let me in")
    assert outside.value.code is ErrorCode.NOT_MEMBER
    if comes_back:
        await (await bot.join(hers.room_id)).chat("back")
    else:
        with pytest.raises(Rejected) as shut:
            await bot.join(hers.room_id)
        code = {"banned": ErrorCode.BANNED, "closed": ErrorCode.ROOM_CLOSED}[reason]
        assert shut.value.code is code


async def test_who_stays_hears_what_happened(hers: Room, bot: Bot) -> None:
    await bot.join(hers.room_id)
    events = hers.events()
    await hers.do(MemberKick(user_id=bot.user.user_id, reason="enough"))
    async for event in events:
        match event:
            case MemberKicked(person=person, reason=reason):
                assert (person, reason) == (bot.user, "enough")
                break
    await hers.do(RoomClose())
    with pytest.raises(PutOut):
        async for event in events:
            # That the bot went may be told before the end.
            assert isinstance(event, RoomClosed | Went)


async def test_ones_own_role_and_mute_are_known_as_they_change(hers: Room, bot: Bot) -> None:
    room = await bot.join(hers.room_id)
    assert room.you is not None
    assert room.you.role == "listener"
    events = room.events()
    await hers.do(MemberSetRole(user_id=bot.user.user_id, role="moderator"))
    async for event in events:
        if isinstance(event, MemberRoleChanged):
            break
    assert room.you.role != "listener"
    await hers.do(MemberMute(user_id=bot.user.user_id))
    await room.wait_for(lambda room: room.you and room.you.is_muted(bot.clock.now_ms()))
    with pytest.raises(Rejected) as muted:
        await room.chat("mmh")
    assert muted.value.code is ErrorCode.MUTED


async def test_a_bot_goes_on_in_its_other_rooms(
    base_url: str, hers: Room, bot: Bot, room_id: str
) -> None:
    async with connect(base_url, token=await guest(base_url, "Cid")) as other:
        elsewhere = await new_room(base_url, await guest(base_url, "Dora"), "Attic")
        await bot.join(room_id)
        attic, listening = await bot.join(elsewhere), await other.join(elsewhere)
        events = listening.events()
        await hers.do(MemberKick(user_id=bot.user.user_id))
        await attic.chat("still here")
        async for event in events:
            if isinstance(event, ChatSent):
                assert event.content == "still here"
                break


async def test_a_newer_process_of_the_same_client_id_takes_over(
    base_url: str, room_id: str, hers: Room
) -> None:
    token = await guest(base_url, "Only One")
    async with connect(base_url, token=token, client_id="only-one-bot") as first:
        room = await first.join(room_id)
        events = room.events()
        async with connect(base_url, token=token, client_id="only-one-bot") as second:
            with pytest.raises(Closed) as replaced:
                async for _ in events:
                    pass
            assert replaced.value.code == 4409
            assert not first.is_connected
            with pytest.raises(Closed):
                await room.chat("still me")
            await (await second.join(room_id)).chat("mine now")
