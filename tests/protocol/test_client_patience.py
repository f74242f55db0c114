"""A client's waits: for another try of a command or a room, and for another connection."""

import pytest

from protocol.chat import ChatSend
from protocol.client import Client, JoinRefused
from protocol.client_backoff import LONGEST_WAIT_MS
from protocol.errors import ErrorCode
from protocol.frames import Cmd, Join, Reconnect, Reject
from protocol.ids import FrameId
from tests.protocol.talk import ROOM, SEQ, Talk


def refusal(
    frame_id: FrameId, code: ErrorCode = ErrorCode.RATE_LIMITED, wait_ms: int | None = 400
) -> Reject:
    return Reject(id=frame_id, code=code, temporary=True, retry_after_ms=wait_ms)


def commands(talk: Talk) -> list[FrameId]:
    """The commands that go out at the talk's instant."""
    return [frame.id for frame in talk.client.tick(talk.now_ms).send if isinstance(frame, Cmd)]


def say(talk: Talk, patience_ms: float | None = None) -> FrameId:
    said = ChatSend(content="hi")
    return talk.client.command(ROOM, said, talk.now_ms, patience_ms=patience_ms)[0]


@pytest.mark.parametrize("code", [ErrorCode.RATE_LIMITED, ErrorCode.UNAVAILABLE])
def test_a_command_that_has_to_wait_goes_out_again_under_its_id(
    talk: Talk, code: ErrorCode
) -> None:
    frame_id = say(talk)
    assert talk.hear(refusal(frame_id, code)).happened == []
    talk.client.tick(talk.now_ms)
    assert talk.client.next_tick_ms() == talk.now_ms + 250, "the next probe"
    talk.now_ms += 399
    assert commands(talk) == []
    assert talk.client.next_tick_ms() == talk.now_ms + 1
    talk.now_ms += 1
    assert commands(talk) == [frame_id]
    assert commands(talk) == [], "once"


def test_a_refusal_that_names_no_time_is_tried_again_after_a_second(talk: Talk) -> None:
    frame_id = say(talk)
    talk.hear(refusal(frame_id, wait_ms=None))
    talk.now_ms += 1_000
    assert commands(talk) == [frame_id]


def test_patience_ends_when_the_caller_said(talk: Talk) -> None:
    frame_id = say(talk, patience_ms=1_000)
    assert talk.hear(refusal(frame_id)).happened == []
    talk.now_ms += 400
    assert commands(talk) == [frame_id]
    last = refusal(frame_id, wait_ms=601)
    assert talk.hear(last).happened == [last], "another wait would be too long"
    assert talk.client.unanswered == []


def test_without_patience_every_refusal_is_told(talk: Talk) -> None:
    told = refusal(say(talk, patience_ms=0))
    assert talk.hear(told).happened == [told]


@pytest.mark.parametrize("code", [ErrorCode.QUEUE_FULL, ErrorCode.INTERNAL, ErrorCode.MUTED])
def test_a_refusal_about_the_command_itself_is_not_tried_again(talk: Talk, code: ErrorCode) -> None:
    told = refusal(say(talk), code)
    assert talk.hear(told).happened == [told]


def test_a_wait_goes_on_over_a_reconnect(talk: Talk) -> None:
    waiting, other = say(talk), say(talk)
    talk.hear(refusal(waiting))
    talk.lose(1006)
    (join,) = talk.connect().send
    assert isinstance(join, Join)
    sent = talk.hear(talk.joined(join.id, resumed_from=SEQ + 1)).send
    assert [frame.id for frame in sent if isinstance(frame, Cmd)] == [other]
    talk.now_ms += 400
    assert commands(talk) == [waiting]


def test_a_due_command_waits_for_its_room_without_waking_the_driver(talk: Talk) -> None:
    talk.hear(refusal(say(talk)))
    talk.lose(1006)
    talk.connect()
    talk.now_ms += 500
    assert commands(talk) == [], "we are not in the room yet"
    assert talk.client.next_tick_ms() == talk.now_ms + 250, "the next probe"


def test_what_nobody_waits_for_any_more_is_not_sent_again(talk: Talk) -> None:
    talk.client.forget(say(talk))
    talk.lose(1006)
    (join,) = talk.connect().send
    assert isinstance(join, Join)
    assert talk.hear(talk.joined(join.id, resumed_from=SEQ + 1)).send == []


def test_a_first_join_is_tried_again_as_long_as_there_is_patience() -> None:
    talk = Talk()
    talk.connect()
    (join,) = talk.client.join(ROOM, talk.now_ms, patience_ms=1_000).send
    assert isinstance(join, Join)
    assert talk.hear(refusal(join.id, ErrorCode.UNAVAILABLE)).happened == []
    talk.now_ms += 400
    (again,) = [f for f in talk.client.tick(talk.now_ms).send if isinstance(f, Join)]
    last = refusal(again.id, ErrorCode.UNAVAILABLE, wait_ms=601)
    assert talk.hear(last).happened == [JoinRefused(ROOM, last)]


def test_ids_can_go_on_where_an_earlier_process_ended() -> None:
    client = Client("kitchen-radio", first_id=1_000)
    client.connected("token")
    assert client.join(ROOM, 0).send == []
    assert client.command(ROOM, ChatSend(content="hi"), 0)[0] == 1_000


def test_waits_grow_up_to_a_bound_and_are_a_matter_of_chance() -> None:
    talk = Talk()
    waits = [talk.lose(1006, chance=1.0).wait_ms for _ in range(8)]
    assert waits == [200, 400, 800, 1_600, 3_200, 6_400, LONGEST_WAIT_MS, LONGEST_WAIT_MS]
    assert talk.lose(1006, chance=0.25).wait_ms == LONGEST_WAIT_MS / 4


@pytest.mark.parametrize("code", [1001, 1006, 1012])
def test_a_welcome_makes_the_waits_short_again(code: int) -> None:
    talk = Talk()
    for _ in range(4):
        talk.lose(1006)
    talk.connect()
    assert talk.lose(code, chance=1.0).wait_ms == 200


def test_a_server_that_welcomes_and_throws_out_is_not_asked_ever_faster() -> None:
    talk = Talk()
    waits = []
    for _ in range(4):
        talk.connect()
        waits.append(talk.lose(1011, chance=1.0).wait_ms)
    assert waits == [200, 400, 800, 1_600]
    talk.connect()
    talk.now_ms += 10_000
    assert talk.lose(1011, chance=1.0).wait_ms == 200, "that was a good connection"


def test_a_refused_handshake_can_name_a_wait() -> None:
    client = Client("test-client")
    assert client.disconnected(1006, 0, 0.5, wait_ms=3_000).wait_ms == 3_100


def test_a_server_that_asks_for_it_gets_a_new_connection_in_time(talk: Talk) -> None:
    assert talk.hear(Reconnect(after_ms=100)).happened == []
    talk.client.tick(talk.now_ms)
    assert talk.client.next_tick_ms() == talk.now_ms + 100
    talk.now_ms += 99
    assert not talk.client.tick(talk.now_ms).renew
    talk.now_ms += 1
    assert talk.client.tick(talk.now_ms).renew
    verdict = talk.lose(1000, chance=1.0)
    assert (verdict.reconnect, verdict.wait_ms) == (True, 0), "at once: the wait is over"
    assert talk.lose(1006, chance=1.0).wait_ms > 0
