"""Chat: what was said, where in the music, and what became of it."""

import pytest

from protocol.chat import (
    CHAT_IN_SNAPSHOT,
    ChatDelete,
    ChatDeleted,
    ChatEdit,
    ChatEdited,
    ChatMessage,
    ChatReact,
    ChatReacted,
    ChatSend,
    ChatSent,
)
from protocol.errors import ErrorCode
from protocol.users import Person
from tests.room.people import ANN, BOB, EVE, minutes, uid
from tests.room.scenario import NOON_MS, Scenario


def say(scene: Scenario, content: str, reply_to: str | None = None, by: Person = BOB) -> ChatSent:
    (said,) = scene.do(by, ChatSend(content=content, reply_to=reply_to))
    assert isinstance(said, ChatSent)
    return said


def last(scene: Scenario) -> ChatMessage:
    return scene.room.public.chat[-1]


def talk_past(scene: Scenario, message: ChatSent) -> None:
    """Say so much that the message is no longer in the snapshot."""
    for number in range(CHAT_IN_SNAPSHOT):
        say(scene, f"more {number}", by=EVE)
    assert message.message_id not in {said.message_id for said in scene.room.public.chat}


def test_a_message_tells_who_said_it_and_when() -> None:
    scene = Scenario()
    scene.advance(5)
    said = say(scene, "hello")
    assert (said.by, said.content, said.at_ms) == (BOB, "hello", NOON_MS + 5)
    assert said.entry_id is None and said.position_ms is None
    assert (last(scene).message_id, last(scene).content) == (said.message_id, "hello")


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


def test_a_mention_counts_once_and_in_the_order_of_the_text() -> None:
    scene = Scenario()
    names = [EVE.user_id, ANN.user_id, EVE.user_id]
    (said,) = scene.do(BOB, ChatSend(content="@Eve @Ann @Eve", mentions=names))
    assert isinstance(said, ChatSent)
    assert said.mentions == last(scene).mentions == [EVE.user_id, ANN.user_id]


def test_a_reply_names_a_message_that_there_is() -> None:
    scene = Scenario()
    first = say(scene, "one")
    assert say(scene, "two", reply_to=first.message_id).reply_to == first.message_id
    scene.refuses(ErrorCode.UNKNOWN_MESSAGE, EVE, ChatSend(content="what?", reply_to=uid(3)))


def test_a_reply_to_a_deleted_message_is_not_lost() -> None:
    scene = Scenario()
    first = say(scene, "one")
    scene.do(BOB, ChatDelete(message_id=first.message_id))
    assert say(scene, "too late", reply_to=first.message_id).reply_to == first.message_id


def test_messages_are_named_apart() -> None:
    scene = Scenario()
    assert len({say(scene, "same").message_id for _ in range(5)}) == 5


@pytest.mark.parametrize("present", [0, 3])
def test_people_may_chat_whether_or_not_the_room_is_awake(present: int) -> None:
    scene = Scenario(present=present)
    assert say(scene, "hi").content == "hi"


def test_an_edit_changes_the_words_and_tells_when() -> None:
    scene = Scenario()
    said = say(scene, "helo @Eve")
    scene.advance(1_000)
    edit = ChatEdit(message_id=said.message_id, content="hello @Eve", mentions=[EVE.user_id] * 2)
    assert scene.do(BOB, edit) == [
        ChatEdited(
            at_ms=NOON_MS + 1_000,
            message_id=said.message_id,
            content="hello @Eve",
            mentions=[EVE.user_id],
        )
    ]
    assert (last(scene).content, last(scene).edited_at_ms) == ("hello @Eve", NOON_MS + 1_000)
    assert last(scene).at_ms == NOON_MS
    assert scene.do(BOB, edit) == []


def test_only_the_author_edits_and_a_deleted_message_stays_deleted() -> None:
    scene = Scenario()
    said = say(scene, "mine")
    edit = ChatEdit(message_id=said.message_id, content="yours")
    for other in (ANN, EVE):
        scene.refuses(ErrorCode.NOT_ALLOWED, other, edit)
    scene.do(BOB, ChatDelete(message_id=said.message_id))
    scene.refuses(ErrorCode.UNKNOWN_MESSAGE, BOB, edit)
    scene.refuses(ErrorCode.UNKNOWN_MESSAGE, BOB, ChatEdit(message_id=uid(3), content="what?"))


def test_a_deleted_message_keeps_its_place_and_nothing_of_what_was_said() -> None:
    scene = Scenario()
    said = say(scene, "secret")
    scene.do(BOB, ChatReact(message_id=said.message_id, emoji="🔥"))
    delete = ChatDelete(message_id=said.message_id)
    scene.refuses(ErrorCode.NOT_ALLOWED, EVE, delete)
    assert scene.do(ANN, delete) == [ChatDeleted(at_ms=NOON_MS, message_id=said.message_id, by=ANN)]
    gone = last(scene)
    assert (gone.deleted, gone.content, gone.mentions, gone.reactions) == (True, "", [], {})
    assert (gone.by, gone.at_ms) == (BOB, NOON_MS)
    assert scene.do(BOB, delete) == []
    scene.refuses(ErrorCode.UNKNOWN_MESSAGE, BOB, ChatDelete(message_id=uid(3)))


def test_each_account_counts_once_for_each_emoji() -> None:
    scene = Scenario()
    said = say(scene, "dance!")

    def react(actor: Person, emoji: str, on: bool = True) -> list[tuple[str, int, bool]]:
        command = ChatReact(message_id=said.message_id, emoji=emoji, on=on)  # type: ignore[arg-type]
        events = scene.do(actor, command)
        assert all(isinstance(event, ChatReacted) for event in events)
        return [(event.by, event.count, event.on) for event in events]  # type: ignore[union-attr]

    assert react(ANN, "💃") == [(ANN.user_id, 1, True)]
    assert react(ANN, "💃") == []
    assert react(EVE, "💃") == [(EVE.user_id, 2, True)]
    assert react(ANN, "🔥") == [(ANN.user_id, 1, True)]
    assert last(scene).reactions == {"💃": 2, "🔥": 1}
    assert react(BOB, "💃", on=False) == []
    assert react(ANN, "💃", on=False) == [(ANN.user_id, 1, False)]
    assert react(ANN, "💃", on=False) == []
    assert react(EVE, "💃", on=False) == [(EVE.user_id, 0, False)]
    assert last(scene).reactions == {"🔥": 1}
    assert react(ANN, "💃") == [(ANN.user_id, 1, True)]


def test_an_older_message_can_be_answered_edited_and_deleted() -> None:
    scene = Scenario()
    old = say(scene, "long ago")
    talk_past(scene, old)
    assert say(scene, "as I said", reply_to=old.message_id).reply_to == old.message_id
    edit = ChatEdit(message_id=old.message_id, content="long, long ago")
    scene.refuses(ErrorCode.NOT_ALLOWED, EVE, edit)
    (edited,) = scene.do(BOB, edit)
    assert isinstance(edited, ChatEdited) and edited.content == "long, long ago"
    assert scene.do(BOB, edit) == []
    (deleted,) = scene.do(ANN, ChatDelete(message_id=old.message_id))
    assert isinstance(deleted, ChatDeleted)
    scene.refuses(ErrorCode.UNKNOWN_MESSAGE, BOB, edit)
    assert scene.do(ANN, ChatDelete(message_id=old.message_id)) == []


def test_one_reacts_to_the_last_messages_only() -> None:
    scene = Scenario()
    old, gone = say(scene, "old"), say(scene, "gone")
    scene.do(ANN, ChatReact(message_id=old.message_id, emoji="👍"))
    scene.do(BOB, ChatDelete(message_id=gone.message_id))
    scene.refuses(ErrorCode.UNKNOWN_MESSAGE, ANN, ChatReact(message_id=gone.message_id, emoji="👍"))
    talk_past(scene, old)
    for on in (True, False):
        late = ChatReact(message_id=old.message_id, emoji="👍", on=on)
        scene.refuses(ErrorCode.UNKNOWN_MESSAGE, ANN, late)


def test_who_reacted_is_remembered_only_while_the_snapshot_has_the_message() -> None:
    scene = Scenario()
    old, gone, empty = (say(scene, text) for text in ("old", "gone", "empty"))
    for said in (old, gone, empty):
        scene.do(ANN, ChatReact(message_id=said.message_id, emoji="👏"))
    assert set(scene.room.private.reacted) == {old.message_id, gone.message_id, empty.message_id}
    scene.do(BOB, ChatDelete(message_id=gone.message_id))
    scene.do(ANN, ChatReact(message_id=empty.message_id, emoji="👏", on=False))
    assert set(scene.room.private.reacted) == {old.message_id}
    talk_past(scene, old)
    assert scene.room.private.reacted == {}
