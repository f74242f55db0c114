"""The bots of docs/bots/ at work in a real room."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from protocol.bot import ErrorCode, Rejected, Room, connect, guest
from protocol.chat import ChatEdit
from protocol.members import MemberSetRole
from protocol.queue import QueueAdded, QueueClear
from tests.cluster.rest import register, upload
from tests.cluster.server import ROOT
from tests.protocol.program import running
from tests.protocol.test_bot_slash import bot_token

PASSWORD: Final = "correct horse battery"
BOTS: Final = ROOT / "docs/bots"


@pytest.fixture
async def owned(base_url: str, token: str, room_id: str) -> AsyncIterator[Room]:
    """The room in its owner's hands."""
    async with connect(base_url, token=token) as me:
        yield await me.join(room_id)


@pytest.fixture
async def bob(base_url: str, room_id: str) -> AsyncIterator[Room]:
    """The same room in a guest's hands."""
    async with connect(base_url, token=await guest(base_url, "Bob")) as me:
        yield await me.join(room_id)


async def test_the_dj_keeps_three_entries_waiting_and_plays_the_oldest_first(
    base_url: str, owned: Room
) -> None:
    uploader = await register(base_url, f"dj{uuid4().hex[:10]}")
    tracks = [await upload(base_url, uploader, 20_000 + number) for number in range(5)]
    gone = str(uuid4())
    events = owned.events()
    arguments = (base_url, owned.room_id, tracks[0], gone, *tracks[1:])
    async with running(BOTS / "dj.py", *arguments, first_line="in Kitchen"):
        added: list[str] = []

        async def next_added() -> str:
            async for event in events:
                if isinstance(event, QueueAdded):
                    added.append(event.entry.track.track_id)
                    return added[-1]
            raise AssertionError("over")

        await owned.wait_for(lambda room: len(room.snapshot.queue) == 3)
        assert [await next_added() for _ in range(4)] == tracks[:4], "one plays, three wait"
        # Somebody else's choice counts: the DJ does not play it again right away.
        await owned.add(tracks[4])
        assert await next_added() == tracks[4]
        await owned.do(QueueClear())
        assert [await next_added() for _ in range(3)] == tracks[:3]


async def test_the_dj_with_a_token_of_its_own_does_what_people_ask_for(
    base_url: str, owned: Room, bob: Room
) -> None:
    uploader = await register(base_url, f"dj{uuid4().hex[:10]}")
    tracks = [await upload(base_url, uploader, 20_000 + number) for number in range(5)]
    arguments = (base_url, owned.room_id, *tracks)
    token = await bot_token(base_url, "DJ Token")
    async with running(BOTS / "dj.py", *arguments, first_line="in Kitchen", TOKEN=token):
        await bob.wait_for(lambda room: len(room.snapshot.queue) == 3)
        (offered,) = bob.snapshot.slash.values()
        assert [command.name for command in offered.commands] == ["add", "skip"]
        assert offered.bot.display_name == "DJ Token"
        await bob.chat("/add")
        await bob.wait_for(lambda room: len(room.snapshot.queue) == 4)
        assert bob.snapshot.queue[-1].track.track_id == tracks[4]
        first = bob.snapshot.playback.entry
        await bob.chat("/skip")
        await bob.wait_for(lambda room: room.snapshot.playback.entry != first)


@pytest.fixture
async def moderator(base_url: str, owned: Room, tmp_path: Path) -> AsyncIterator[str]:
    """The moderator at work; its user id."""
    name = f"mod{uuid4().hex[:10]}"
    await register(base_url, name)
    words = tmp_path / "words.txt"
    words.write_text("Wurzelgemüse\nturnip\n", "utf-8")
    arguments = (base_url, owned.room_id, name, str(words))
    async with running(
        BOTS / "moderator.py", *arguments, first_line="in Kitchen", PASSWORD=PASSWORD
    ):
        (user_id,) = await owned.wait_for(
            lambda room: [i for i, who in room.present.items() if who.display_name == name]
        )
        await owned.do(MemberSetRole(user_id=user_id, role="moderator"))
        yield user_id


async def test_the_moderator_takes_words_back_and_mutes_who_uses_them(
    owned: Room, bob: Room, moderator: str
) -> None:
    assert bob.you is not None
    await bob.chat("A parsnip, and turnips.")
    said = await bob.chat("And a TURNIP!")
    await bob.wait_for(lambda room: room.you and room.you.mute)
    deleted = [message for message in bob.snapshot.chat if message.deleted]
    assert [(message.by, message.content) for message in deleted] == [(bob.you.person, "")]
    assert said.seq < bob.snapshot.seq
    assert bob.you.mute is not None
    assert bob.you.mute.reason == "Not used here: turnip"
    assert bob.you.mute.until_ms is not None
    assert 540_000 < bob.you.mute.until_ms - bob.snapshot.chat[-1].at_ms <= 601_000
    with pytest.raises(Rejected) as muted:
        await bob.chat("sorry")
    assert muted.value.code is ErrorCode.MUTED


async def test_the_moderator_reads_edits_and_goes_on_where_somebody_outranks_it(
    owned: Room, bob: Room, moderator: str
) -> None:
    await owned.chat("Wurzelgemüse is for owners.")
    await owned.wait_for(lambda room: room.snapshot.chat[-1].deleted)
    await bob.chat("a parsnip")
    said = bob.snapshot.chat[-1].message_id
    await bob.do(ChatEdit(message_id=said, content="a turnip"))
    await bob.wait_for(lambda room: room.you and room.you.mute)
    assert bob.snapshot.chat[-1].deleted
    assert owned.you is not None
    assert owned.you.mute is None
