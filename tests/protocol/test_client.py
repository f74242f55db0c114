"""The client without I/O, talked to frame by frame."""

import json

import pytest

from protocol.chat import ChatSend
from protocol.client import JoinRefused, Turn
from protocol.codec import decode_snapshot, encode
from protocol.errors import ErrorCode
from protocol.frames import (
    Ack,
    Cmd,
    Error,
    Have,
    Join,
    Joined,
    Leave,
    Left,
    Presence,
    Probe,
    Probed,
    Reject,
    SignalUp,
)
from protocol.members import Member
from protocol.presence import Typing
from tests.protocol.talk import ANN, BOB, LINEAGE, OTHER, ROOM, SEQ, SNAPSHOT, Talk, said


def test_events_are_folded_into_the_snapshot_and_told(talk: Talk) -> None:
    frame = said("one", "two", first_seq=SEQ + 1)
    assert talk.hear(frame) == Turn([], [frame])
    assert (talk.seq, talk.heard) == (SEQ + 2, ["one", "two"])


def test_what_was_heard_before_is_not_told_again(talk: Talk) -> None:
    talk.hear(said("one", "two", first_seq=SEQ + 1))
    turn = talk.hear(said("one", "two", "three", first_seq=SEQ + 1))
    assert turn == Turn([], [said("three", first_seq=SEQ + 3)])
    assert talk.hear(said("two", first_seq=SEQ + 2)) == Turn([], [])
    assert (talk.seq, talk.heard) == (SEQ + 3, ["one", "two", "three"])


def test_a_gap_makes_the_client_ask_once_for_what_is_missing(talk: Talk) -> None:
    turn = talk.hear(said("three", first_seq=SEQ + 3))
    (join,) = turn.send
    assert isinstance(join, Join)
    assert join.have == Have(lineage=LINEAGE, seq=SEQ)
    assert talk.hear(said("four", first_seq=SEQ + 4)) == Turn([], [])
    assert talk.heard == []
    talk.hear(talk.joined(join.id, resumed_from=SEQ + 1))
    talk.hear(said("one", "two", "three", "four", first_seq=SEQ + 1))
    assert talk.heard == ["one", "two", "three", "four"]


def test_a_resume_that_does_not_fit_asks_for_a_snapshot(talk: Talk) -> None:
    (join,) = talk.hear(said("three", first_seq=SEQ + 3)).send
    (again,) = talk.hear(talk.joined(join.id, resumed_from=SEQ + 2)).send  # type: ignore[union-attr]
    assert isinstance(again, Join)
    assert again.have is None
    talk.hear(talk.joined(again.id))
    assert talk.seq == SEQ


def test_a_lineage_of_a_restored_history_comes_with_its_snapshot(talk: Talk) -> None:
    restored = decode_snapshot(encode(SNAPSHOT))
    restored.lineage, restored.seq = OTHER, 2
    talk.lose(1006)
    (join,) = talk.connect().send
    talk.hear(Joined(id=join.id, room=ROOM, you=Member(person=BOB), snapshot=restored))  # type: ignore[union-attr]
    assert talk.client.rooms[ROOM].have == Have(lineage=OTHER, seq=2)


def test_an_event_of_a_newer_server_has_its_seq_and_changes_nothing(talk: Talk) -> None:
    frame = json.loads(encode(said("one", "two", first_seq=SEQ + 1)))
    frame["events"][0] = {"type": "votes.changed", "at_ms": 1, "votes": 3}
    talk.client.receive(json.dumps(frame), talk.now_ms)
    assert (talk.seq, talk.heard) == (SEQ + 2, ["two"])
    assert talk.hear(said("three", first_seq=SEQ + 3)).send == []


@pytest.mark.parametrize("text", ['{"type":"push","push":{}}', "{", b"\xff", "[]", '{"type":1}'])
def test_what_the_client_does_not_know_is_passed_over(talk: Talk, text: str | bytes) -> None:
    assert talk.client.receive(text, talk.now_ms) == Turn([], [])


def test_a_command_is_answered_once(talk: Talk) -> None:
    frame_id, turn = talk.client.command(ROOM, ChatSend(content="hi"), talk.now_ms)
    assert turn.send == [Cmd(id=frame_id, room=ROOM, cmd=ChatSend(content="hi"))]
    ack = Ack(id=frame_id, first_seq=SEQ + 1, seq=SEQ + 1)
    assert talk.hear(ack) == Turn([], [ack])
    assert talk.hear(ack) == Turn([], [])
    assert talk.client.unanswered == []


def test_a_refusal_is_an_answer_as_well_and_so_is_an_error_with_the_id(talk: Talk) -> None:
    first, _ = talk.client.command(ROOM, ChatSend(content="a"), talk.now_ms)
    second, _ = talk.client.command(ROOM, ChatSend(content="b"), talk.now_ms)
    refusal = Reject(id=first, code=ErrorCode.QUEUE_FULL, temporary=True)
    assert talk.hear(refusal).happened == [refusal]
    (told,) = talk.hear(Error(id=second, code=ErrorCode.BAD_REQUEST, message="no")).happened
    assert isinstance(told, Reject)
    assert (told.id, told.code, told.message) == (second, ErrorCode.BAD_REQUEST, "no")
    assert talk.client.unanswered == []


def test_what_was_not_answered_is_sent_again_in_order_with_its_id(talk: Talk) -> None:
    ids = [talk.client.command(ROOM, ChatSend(content=text), talk.now_ms)[0] for text in "abc"]
    talk.hear(Ack(id=ids[1], first_seq=1, seq=1))
    talk.lose(1006)
    last, turn = talk.client.command(ROOM, ChatSend(content="d"), talk.now_ms)
    assert turn.send == []
    (join,) = talk.connect().send
    assert isinstance(join, Join)
    assert join.have == Have(lineage=LINEAGE, seq=SEQ)
    assert join.id > last, "ids count up over connections"
    turn = talk.hear(talk.joined(join.id, resumed_from=SEQ + 1))
    assert [frame.id for frame in turn.send] == [ids[0], ids[2], last]  # type: ignore[union-attr]


def test_no_command_goes_out_before_its_room_is_joined() -> None:
    talk = Talk()
    talk.client.join(ROOM, talk.now_ms)
    frame_id, turn = talk.client.command(ROOM, ChatSend(content="early"), talk.now_ms)
    assert turn.send == []
    (join,) = talk.connect().send
    turn = talk.hear(talk.joined(join.id))  # type: ignore[union-attr]
    assert turn.send == [Cmd(id=frame_id, room=ROOM, cmd=ChatSend(content="early"))]


def test_a_rejoin_over_a_gap_sends_nothing_twice(talk: Talk) -> None:
    talk.client.command(ROOM, ChatSend(content="on its way"), talk.now_ms)
    (join,) = talk.hear(said("three", first_seq=SEQ + 3)).send
    assert talk.hear(talk.joined(join.id, resumed_from=SEQ + 1)).send == []  # type: ignore[union-attr]


def test_a_refused_join_is_told_and_ends_what_waits_for_the_room() -> None:
    talk = Talk()
    talk.connect()
    (join,) = talk.client.join(ROOM, talk.now_ms).send
    frame_id, _ = talk.client.command(ROOM, ChatSend(content="early"), talk.now_ms)
    refusal = Reject(id=join.id, code=ErrorCode.ROOM_CLOSED, temporary=False)  # type: ignore[union-attr]
    refused, dropped = talk.hear(refusal).happened
    assert refused == JoinRefused(ROOM, refusal)
    assert isinstance(dropped, Reject)
    assert (dropped.id, dropped.code) == (frame_id, ErrorCode.ROOM_CLOSED)
    assert talk.client.rooms == {}


def test_a_temporary_refusal_to_come_back_is_tried_again_when_it_is_time(talk: Talk) -> None:
    talk.lose(1012)
    (join,) = talk.connect().send
    refusal = Reject(
        id=join.id,  # type: ignore[union-attr]
        code=ErrorCode.UNAVAILABLE,
        temporary=True,
        retry_after_ms=300,
    )
    assert talk.hear(refusal) == Turn([], [])
    assert not any(isinstance(frame, Join) for frame in talk.client.tick(1_299).send)
    (again,) = [f for f in talk.client.tick(1_300).send if isinstance(f, Join)]
    assert again.have == Have(lineage=LINEAGE, seq=SEQ)
    assert talk.hear(talk.joined(again.id, resumed_from=SEQ + 1)).happened != []


def test_leaving_forgets_the_room(talk: Talk) -> None:
    (leave,) = talk.client.leave(ROOM).send
    assert isinstance(leave, Leave)
    assert talk.client.leave(ROOM).send == []
    assert talk.hear(said("late", first_seq=SEQ + 1)) == Turn([], [])
    talk.lose(1006)
    assert talk.connect().send == []


def test_the_answer_to_leaving_does_not_end_a_join_that_came_after(talk: Talk) -> None:
    talk.client.leave(ROOM)
    (join,) = talk.client.join(ROOM, talk.now_ms).send
    assert talk.hear(Left(room=ROOM, reason="left")) == Turn([], [])
    talk.hear(talk.joined(join.id))  # type: ignore[union-attr]
    assert talk.seq == SEQ


def test_being_sent_out_is_told_and_is_not_undone_by_a_reconnect(talk: Talk) -> None:
    left = Left(room=ROOM, reason="kicked")
    assert talk.hear(left) == Turn([], [left])
    frame_id, turn = talk.client.command(ROOM, ChatSend(content="hello?"), talk.now_ms)
    (refusal,) = turn.happened
    assert isinstance(refusal, Reject)
    assert (refusal.id, refusal.code, turn.send) == (frame_id, ErrorCode.NOT_MEMBER, [])
    talk.lose(1006)
    assert talk.connect().send == []


def test_what_was_not_answered_by_a_room_that_was_left_is_given_up(talk: Talk) -> None:
    frame_id, _ = talk.client.command(ROOM, ChatSend(content="on its way"), talk.now_ms)
    assert talk.client.leave(ROOM).happened == [], "its answer may still come"
    talk.lose(1006)
    assert [f.id for f in talk.connect().happened if isinstance(f, Reject)] == [frame_id]


def test_presence_begins_anew_with_each_join_and_ignores_an_older_home(talk: Talk) -> None:
    copy = talk.client.rooms[ROOM]
    talk.hear(Presence(room=ROOM, fence=3, count=2, present=[ANN, BOB]))
    talk.hear(Presence(room=ROOM, fence=3, count=1, gone=[ANN.user_id]))
    assert (copy.count, list(copy.present.values())) == (1, [BOB])
    assert talk.hear(Presence(room=ROOM, fence=2, count=9)).happened == []
    talk.lose(1006)
    (join,) = talk.connect().send
    talk.hear(talk.joined(join.id, resumed_from=SEQ + 1))  # type: ignore[union-attr]
    talk.hear(Presence(room=ROOM, fence=4, count=1, present=[ANN]))
    assert (copy.count, list(copy.present.values())) == (1, [ANN])


def test_a_signal_goes_out_only_where_somebody_can_hear_it(talk: Talk) -> None:
    assert talk.client.signal(ROOM, Typing()).send == [SignalUp(room=ROOM, signal=Typing())]
    talk.lose(1006)
    assert talk.client.signal(ROOM, Typing()).send == []


def test_probes_set_the_clock_and_come_when_due(talk: Talk) -> None:
    assert talk.client.clock.now_ms(1_000) == 5_000
    assert talk.client.next_tick_ms() == 1_000
    assert talk.client.tick(1_000).send == [Probe(t0=1_000)]
    assert talk.client.next_tick_ms() == 1_250
    talk.now_ms = 1_020.0
    talk.hear(Probed(t0=1_000, t1=6_010, t2=6_010))
    assert talk.client.clock.now_ms(1_020) == 6_020
    talk.client.tick(7_100)
    assert talk.client.next_tick_ms() == 8_100
    talk.lose(1006)
    assert talk.client.next_tick_ms() is None


@pytest.mark.parametrize(
    ("code", "reconnect", "new_credentials"),
    [(1006, True, False), (1012, True, False), (4401, True, True), (4409, False, False)],
)
def test_a_close_code_says_whether_to_come_back(
    talk: Talk, code: int, reconnect: bool, new_credentials: bool
) -> None:
    verdict = talk.lose(code)
    assert verdict.reconnect is reconnect
    assert (verdict.advice.new_credentials, verdict.wait_ms) == (new_credentials, 0)


@pytest.mark.parametrize("code", [1002, 1003, 1007, 1008, 1009, 4403, 4409])
def test_after_these_codes_a_client_does_not_come_back(talk: Talk, code: int) -> None:
    assert not talk.lose(code).reconnect


def test_a_code_that_is_not_known_is_a_lost_connection_and_a_told_wait_is_kept(talk: Talk) -> None:
    talk.hear(Error(code=ErrorCode.RATE_LIMITED, retry_after_ms=900))
    verdict = talk.lose(4999)
    assert verdict.reconnect
    assert verdict.wait_ms == 900


def test_credentials_that_are_refused_twice_are_no_good() -> None:
    talk = Talk()
    assert talk.lose(4401).reconnect
    talk.client.connected("fresh")
    assert not talk.lose(4401).reconnect


def test_credentials_that_were_good_once_may_expire_again_and_again(talk: Talk) -> None:
    for _ in range(3):
        assert talk.lose(4401).reconnect
        talk.connect()
