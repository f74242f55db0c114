"""A client that was written from docs/protocol.md alone plays a whole evening."""

import ast
import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from protocol.bot import Room, connect
from protocol.rooms import RoomUpdate, SettingsChange
from tests.cluster.rest import register, upload
from tests.cluster.server import ROOT
from tests.protocol.stranger import Refused, Stranger, guest


@pytest.fixture
async def owned(base_url: str, token: str, room_id: str) -> AsyncIterator[Room]:
    """The room in its owner's hands; entries are ordered by votes, and guests skip by vote."""
    async with connect(base_url, token=token) as me:
        room = await me.join(room_id)
        change = SettingsChange(
            queue_mode="votes", permissions={"skip": "moderator"}, skip_share=1.0
        )
        await room.do(RoomUpdate(settings=change))
        yield room


def evening(base_url: str, room_id: str, tracks: list[str]) -> Stranger:
    """What a person does in a room; assertions are about what the client then knows."""
    me = Stranger(base_url, guest(base_url, "Stranger"), room_id)
    assert me.connect()["user"]["display_name"] == "Stranger"
    queue, playback = me.state["queue"], me.state["playback"]
    for track_id in tracks:
        me.do("queue.add", track_id=track_id)
    while playback["status"] != "playing":
        me.receive()
    assert playback["entry"]["track"]["track_id"] == tracks[0]
    assert [entry["track"]["track_id"] for entry in queue] == tracks[1:]

    me.do("chat.send", content="What a tune.")
    assert me.state["chat"][-1]["content"] == "What a tune."

    me.do("votes.cast", entry_id=queue[-1]["entry_id"])
    assert [entry["track"]["track_id"] for entry in queue] == [tracks[2], tracks[1]]
    assert queue[0]["votes"] == 1

    current = playback["entry"]["entry_id"]
    me.do("votes.skip", entry_id=current)
    assert playback["skip"] == {"votes": 1, "needed": 2}
    me.do("votes.retract", entry_id=current)
    assert playback["skip"]["votes"] == 0
    with pytest.raises(Refused, match="conflict"):
        me.do("votes.skip", entry_id=queue[0]["entry_id"])
    with pytest.raises(Refused, match="bad_request"):
        me.do("votes.skip", entry="what?")

    # Said, but the wire breaks before the answer: it is said again under the same id.
    pending = me.say("chat.send", content="Said once.")
    me.lose()
    me.connect()
    assert me.resumed
    me.answer(pending)
    me.do("votes.skip", entry_id=current)
    return me


async def test_it_plays_a_whole_evening(base_url: str, owned: Room) -> None:
    uploader = await register(base_url, f"up{uuid4().hex[:10]}")
    tracks = [await upload(base_url, uploader, 20_000 + number) for number in range(3)]
    me = await asyncio.to_thread(evening, base_url, owned.room_id, tracks)
    await owned.wait_for(lambda room: room.snapshot.seq >= me.state["seq"])
    contents = [message.content for message in owned.snapshot.chat]
    assert contents == ["What a tune.", "Said once."]

    skipped = owned.snapshot.playback.entry
    assert skipped is not None
    await owned.skip(skipped.entry_id)
    while skipped.entry_id in str(me.state["playback"]["entry"]):
        await asyncio.to_thread(me.receive)
    snapshot = owned.snapshot
    assert snapshot.playback.entry is not None
    assert me.state["playback"]["entry"]["entry_id"] == snapshot.playback.entry.entry_id
    assert [e["entry_id"] for e in me.state["queue"]] == [e.entry_id for e in snapshot.queue]

    assert len(me.present) == 2
    assert (await asyncio.to_thread(me.leave))["reason"] == "left"
    await owned.wait_for(lambda room: room.count == 1)
    seqs = [seq for seq, _ in me.log]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), "no gap, nothing twice"


def test_it_owes_us_nothing() -> None:
    text = (ROOT / "tests/protocol/stranger.py").read_text("utf-8")
    nodes = ast.walk(ast.parse(text))
    named = [n.names[0].name for n in nodes if isinstance(n, ast.Import)]
    nodes = ast.walk(ast.parse(text))
    named += [str(n.module) for n in nodes if isinstance(n, ast.ImportFrom)]
    assert {name.split(".")[0] for name in named} == {
        "contextlib",
        "json",
        "secrets",
        "typing",
        "urllib",
        "websockets",
    }
    assert text.count("\n") <= 150
