"""Slash commands between people, a bot and a real room."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from protocol.bot import ErrorCode, Rejected, Room, Slash, SlashCall, connect, guest
from protocol.moderation import MemberKick, MemberMute
from tests.cluster.rest import post, register


async def bot_token(base_url: str, name: str) -> str:
    """The token of a new bot of a new account."""
    maker = await register(base_url, f"maker{uuid4().hex[:10]}")
    body: dict[str, object] = {"name": name, "scopes": ["read", "chat", "queue", "playback"]}
    return str((await post(base_url, "/users/me/tokens", body, maker))["token"])


@pytest.fixture
async def ann(base_url: str, token: str, room_id: str) -> AsyncIterator[Room]:
    """The room in its owner's hands."""
    async with connect(base_url, token=token) as me:
        yield await me.join(room_id)


@pytest.fixture
async def bob(base_url: str, room_id: str) -> AsyncIterator[Room]:
    """The same room in a guest's hands."""
    async with connect(base_url, token=await guest(base_url, "Bob")) as me:
        yield await me.join(room_id)


async def answered(room: Room, last: str) -> list[str]:
    """All that was said, once the last of it is there."""
    await room.wait_for(lambda room: room.snapshot.chat and room.snapshot.chat[-1].content == last)
    return [message.content for message in room.snapshot.chat]


async def test_people_ask_a_bot_for_what_it_offers_and_it_answers(
    base_url: str, room_id: str, ann: Room, bob: Room
) -> None:
    slash = Slash()
    calls: list[SlashCall] = []

    @slash.command("dice", "Throw some dice", hint="<how many>")
    async def dice(call: SlashCall) -> None:
        calls.append(call)
        await call.reply(f"{call.args} for {call.by.display_name}")

    @slash.command("next", "Start the next track")
    async def next_track(call: SlashCall) -> None:
        await call.room.next()

    with pytest.raises(ValueError, match="dice"):
        slash.command("dice", "Again")(dice)
    token = await bot_token(base_url, "Croupier")
    async with connect(base_url, token=token, encoding="msgpack") as me:
        room = await me.join(room_id)
        serving = asyncio.ensure_future(slash.serve(room))
        (shown,) = await ann.wait_for(lambda ann: list(ann.snapshot.slash.values()))
        assert shown.bot == me.user
        assert [(c.name, c.hint) for c in shown.commands] == [("dice", "<how many>"), ("next", "")]
        for said in ("dice 1", "say /dice 2", "/unknown", "/dices 3", "/ dice"):
            await bob.chat(said)
        await bob.chat("/dice  4\t5 ")
        assert (await answered(ann, "['4', '5'] for Bob"))[-2] == "/dice  4\t5 "
        (call,) = calls
        assert (call.name, call.text, call.by) == ("dice", "4\t5", bob.you and bob.you.person)
        assert ann.snapshot.chat[-1].reply_to == ann.snapshot.chat[-2].message_id
        await ann.chat("/next")
        await answered(ann, "Nothing is playing.")
        # Bots do not ask bots: two of them would never stop.
        await room.chat("/dice")
        assert bob.you
        await ann.do(MemberMute(user_id=bob.you.person.user_id))
        with pytest.raises(Rejected) as muted:
            await bob.chat("/dice")
        assert muted.value.code is ErrorCode.MUTED
        await ann.do(MemberKick(user_id=me.user.user_id))
        await bob.wait_for(lambda bob: not bob.snapshot.slash)
        assert len(calls) == 1
        await asyncio.wait([serving], timeout=10)
        assert type(serving.exception()).__name__ == "PutOut"


async def test_names_stay_while_a_bot_is_away_and_are_nobody_elses(
    base_url: str, room_id: str, ann: Room
) -> None:
    slash = Slash()
    slash.command("skip", "Start the next track")(lambda call: asyncio.sleep(0))
    first, second = await bot_token(base_url, "First"), await bot_token(base_url, "Second")
    async with connect(base_url, token=first) as me:
        room = await me.join(room_id)
        ack = await slash.register(room)
        assert (await slash.register(room)).seq == ack.seq
        await room.leave()
    async with connect(base_url, token=second) as me:
        room = await me.join(room_id)
        assert [each.bot.display_name for each in room.snapshot.slash.values()] == ["First"]
        with pytest.raises(Rejected) as taken:
            await slash.register(room)
        assert taken.value.code is ErrorCode.NAME_TAKEN
        assert taken.value.details == {"name": "skip"}
        with pytest.raises(Rejected) as unfit:
            odd = Slash()
            odd.command("Skip it", "With a blank")(lambda call: asyncio.sleep(0))
            await odd.register(room)
        assert unfit.value.code is ErrorCode.BAD_REQUEST
    with pytest.raises(Rejected) as person:
        await slash.register(ann)
    assert person.value.code is ErrorCode.NOT_ALLOWED
