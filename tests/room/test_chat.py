"""Chat: what was said, and where in the music."""

import pytest

from protocol.chat import CHAT_IN_SNAPSHOT, ChatSend, ChatSent
from protocol.errors import ErrorCode
from tests.room.people import ANN, BOB, EVE, minutes, uid
from tests.room.scenario import NOON_MS, Scenario


def say(scene: Scenario, content: str, reply_to: str | None = None) -> ChatSent:
    (said,) = scene.do(BOB, ChatSend(content=content, reply_to=reply_to))
    assert isinstance(said, ChatSent)
    return said


def test_a_message_tells_who_said_it_and_when() -> None:
    scene = Scenario()
    scene.advance(5)
    said = say(scene, "hello")
    assert (said.by, said.content, said.at_ms) == (BOB, "hello", NOON_MS + 5)
    assert said.entry_id is None and said.position_ms is None
    assert scene.room.public.chat == [said]


def test_a_message_tells_where_in_the_music_it_was_said() -> None:
    scene = Scenario()
    entry_id = scene.add(ANN, minutes(3))
    assert say(scene, "still loading").entry_id is None
    scene.loaded()
    scene.advance(30_250)
    said = say(scene, "this bit!")
    assert (said.entry_id, said.position_ms) == (entry_id, 30_000)
    scene.pause()
    assert say(scene, "quiet").entry_id is None


def test_a_reply_names_one_of_the_last_messages() -> None:
    scene = Scenario()
    first = say(scene, "one")
    assert say(scene, "two", reply_to=first.message_id).reply_to == first.message_id
    for number in range(CHAT_IN_SNAPSHOT):
        say(scene, f"more {number}")
    assert len(scene.room.public.chat) == CHAT_IN_SNAPSHOT
    for gone in (first.message_id, uid(3)):
        command = ChatSend(content="what?", reply_to=gone)
        scene.refuses(ErrorCode.UNKNOWN_MESSAGE, EVE, command)


def test_messages_are_named_apart() -> None:
    scene = Scenario()
    assert len({say(scene, "same").message_id for _ in range(5)}) == 5


@pytest.mark.parametrize("present", [0, 3])
def test_people_may_chat_whether_or_not_the_room_is_awake(present: int) -> None:
    scene = Scenario(present=present)
    assert say(scene, "hi").content == "hi"
