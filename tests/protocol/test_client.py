"""The client without I/O, talked to frame by frame."""

import json

import msgspec
import pytest

from protocol.chat import ChatSend, ChatSent
from protocol.client import Client, JoinRefused, Turn
from protocol.codec import decode_snapshot, encode
from protocol.errors import ErrorCode
from protocol.frames import (
    Ack,
    AnyServerFrame,
    Cmd,
    Error,
    Events,
    Have,
    Hello,
    Join,
    Joined,
    Leave,
    Left,
    Presence,
    Probe,
    Probed,
    Reject,
    Resumed,
    SignalUp,
    Welcome,
)
from protocol.generate.examples import examples
from protocol.members import Member
from protocol.presence import Typing
from protocol.snapshot import Snapshot
from protocol.users import Person

BOB = Person(user_id="b2b2b2b2-0000-4000-8000-000000000002", display_name="Bob", kind="guest")
ANN = Person(user_id="a1a1a1a1-0000-4000-8000-000000000001", display_name="Ann")
SNAPSHOT = decode_snapshot(examples()[Snapshot][0])
ROOM, LINEAGE, SEQ = SNAPSHOT.room.room_id, SNAPSHOT.lineage, SNAPSHOT.seq
SAID = msgspec.json.decode(examples()[ChatSent][0], type=ChatSent)
OTHER = "0b9a7a52-77b3-4f0e-8a53-7f1f2ddc6a99"


def said(*contents: str, first_seq: int) -> Events:
    """A run of messages."""
    events = [msgspec.structs.replace(SAID, content=content) for content in contents]
    return Events(room=ROOM, first_seq=first_seq, events=events)


class Talk:
    """A client and the server's side of the conversation, by hand."""

    def __init__(self) -> None:
        self.client = Client("test-client")
        self.now_ms = 1_000.0

    def hear(self, frame: AnyServerFrame) -> Turn:
        return self.client.receive(encode(frame), self.now_ms)

    def connect(self) -> Turn:
        assert self.client.connected("token").send == [
            Hello(client_id="test-client", token="token")
        ]
        return self.hear(Welcome(user=BOB, conn_id="c", now_ms=5_000.0))

    def join(self) -> Turn:
        (join,) = self.client.join(ROOM).send
        assert isinstance(join, Join)
        return self.hear(self.joined(join.id))

    def joined(self, join_id: int, resumed_from: int | None = None) -> Joined:
        you = Member(person=BOB)
        if resumed_from is None:
            return Joined(id=join_id, room=ROOM, you=you, snapshot=SNAPSHOT)
        resumed = Resumed(lineage=LINEAGE, from_seq=resumed_from)
        return Joined(id=join_id, room=ROOM, you=you, resumed=resumed)

    @property
    def seq(self) -> int:
        snapshot = self.client.rooms[ROOM].snapshot
        assert snapshot is not None
        return snapshot.seq

    @property
    def heard(self) -> list[str]:
        snapshot = self.client.rooms[ROOM].snapshot
        assert snapshot is not None
        return [message.content for message in snapshot.chat[1:]]


@pytest.fixture
def talk() -> Talk:
    """In the room."""
    talk = Talk()
    talk.connect()
    talk.join()
    return talk


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
    talk.client.disconnected(1006)
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
    frame_id, turn = talk.client.command(ROOM, ChatSend(content="hi"))
    assert turn.send == [Cmd(id=frame_id, room=ROOM, cmd=ChatSend(content="hi"))]
    ack = Ack(id=frame_id, first_seq=SEQ + 1, seq=SEQ + 1)
    assert talk.hear(ack) == Turn([], [ack])
    assert talk.hear(ack) == Turn([], [])
    assert talk.client.unanswered == []


def test_a_refusal_is_an_answer_as_well_and_so_is_an_error_with_the_id(talk: Talk) -> None:
    first, _ = talk.client.command(ROOM, ChatSend(content="a"))
    second, _ = talk.client.command(ROOM, ChatSend(content="b"))
    refusal = Reject(id=first, code=ErrorCode.RATE_LIMITED, temporary=True, retry_after_ms=70)
    assert talk.hear(refusal).happened == [refusal]
    (told,) = talk.hear(Error(id=second, code=ErrorCode.BAD_REQUEST, message="no")).happened
    assert isinstance(told, Reject)
    assert (told.id, told.code, told.message) == (second, ErrorCode.BAD_REQUEST, "no")
    assert talk.client.unanswered == []


def test_what_was_not_answered_is_sent_again_in_order_with_its_id(talk: Talk) -> None:
    ids = [talk.client.command(ROOM, ChatSend(content=text))[0] for text in "abc"]
    talk.hear(Ack(id=ids[1], first_seq=1, seq=1))
    talk.client.disconnected(1006)
    last, turn = talk.client.command(ROOM, ChatSend(content="d"))
    assert turn.send == []
    (join,) = talk.connect().send
    assert isinstance(join, Join)
    assert join.have == Have(lineage=LINEAGE, seq=SEQ)
    assert join.id > last, "ids count up over connections"
    turn = talk.hear(talk.joined(join.id, resumed_from=SEQ + 1))
    assert [frame.id for frame in turn.send] == [ids[0], ids[2], last]  # type: ignore[union-attr]


def test_no_command_goes_out_before_its_room_is_joined() -> None:
    talk = Talk()
    talk.client.join(ROOM)
    frame_id, turn = talk.client.command(ROOM, ChatSend(content="early"))
    assert turn.send == []
    (join,) = talk.connect().send
    turn = talk.hear(talk.joined(join.id))  # type: ignore[union-attr]
    assert turn.send == [Cmd(id=frame_id, room=ROOM, cmd=ChatSend(content="early"))]


def test_a_rejoin_over_a_gap_sends_nothing_twice(talk: Talk) -> None:
    talk.client.command(ROOM, ChatSend(content="on its way"))
    (join,) = talk.hear(said("three", first_seq=SEQ + 3)).send
    assert talk.hear(talk.joined(join.id, resumed_from=SEQ + 1)).send == []  # type: ignore[union-attr]


def test_a_refused_join_is_told_and_ends_what_waits_for_the_room() -> None:
    talk = Talk()
    talk.connect()
    (join,) = talk.client.join(ROOM).send
    frame_id, _ = talk.client.command(ROOM, ChatSend(content="early"))
    refusal = Reject(id=join.id, code=ErrorCode.ROOM_CLOSED, temporary=False)  # type: ignore[union-attr]
    refused, dropped = talk.hear(refusal).happened
    assert refused == JoinRefused(ROOM, refusal)
    assert isinstance(dropped, Reject)
    assert (dropped.id, dropped.code) == (frame_id, ErrorCode.ROOM_CLOSED)
    assert talk.client.rooms == {}


def test_a_temporary_refusal_to_come_back_is_tried_again_when_it_is_time(talk: Talk) -> None:
    talk.client.disconnected(1012)
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
    talk.client.disconnected(1006)
    assert talk.connect().send == []


def test_the_answer_to_leaving_does_not_end_a_join_that_came_after(talk: Talk) -> None:
    talk.client.leave(ROOM)
    (join,) = talk.client.join(ROOM).send
    assert talk.hear(Left(room=ROOM, reason="left")) == Turn([], [])
    talk.hear(talk.joined(join.id))  # type: ignore[union-attr]
    assert talk.seq == SEQ


def test_being_sent_out_is_told_and_is_not_undone_by_a_reconnect(talk: Talk) -> None:
    left = Left(room=ROOM, reason="kicked")
    assert talk.hear(left) == Turn([], [left])
    frame_id, turn = talk.client.command(ROOM, ChatSend(content="hello?"))
    (refusal,) = turn.happened
    assert isinstance(refusal, Reject)
    assert (refusal.id, refusal.code, turn.send) == (frame_id, ErrorCode.NOT_MEMBER, [])
    talk.client.disconnected(1006)
    assert talk.connect().send == []


def test_what_was_not_answered_by_a_room_that_was_left_is_given_up(talk: Talk) -> None:
    frame_id, _ = talk.client.command(ROOM, ChatSend(content="on its way"))
    assert talk.client.leave(ROOM).happened == [], "its answer may still come"
    talk.client.disconnected(1006)
    assert [f.id for f in talk.connect().happened if isinstance(f, Reject)] == [frame_id]


def test_presence_begins_anew_with_each_join_and_ignores_an_older_home(talk: Talk) -> None:
    copy = talk.client.rooms[ROOM]
    talk.hear(Presence(room=ROOM, fence=3, count=2, present=[ANN, BOB]))
    talk.hear(Presence(room=ROOM, fence=3, count=1, gone=[ANN.user_id]))
    assert (copy.count, list(copy.present.values())) == (1, [BOB])
    assert talk.hear(Presence(room=ROOM, fence=2, count=9)).happened == []
    talk.client.disconnected(1006)
    (join,) = talk.connect().send
    talk.hear(talk.joined(join.id, resumed_from=SEQ + 1))  # type: ignore[union-attr]
    talk.hear(Presence(room=ROOM, fence=4, count=1, present=[ANN]))
    assert (copy.count, list(copy.present.values())) == (1, [ANN])


def test_a_signal_goes_out_only_where_somebody_can_hear_it(talk: Talk) -> None:
    assert talk.client.signal(ROOM, Typing()).send == [SignalUp(room=ROOM, signal=Typing())]
    talk.client.disconnected(1006)
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
    talk.client.disconnected(1006)
    assert talk.client.next_tick_ms() is None


@pytest.mark.parametrize(
    ("code", "reconnect", "new_credentials"),
    [(1006, True, False), (1012, True, False), (4401, True, True), (4409, False, False)],
)
def test_a_close_code_says_whether_to_come_back(
    talk: Talk, code: int, reconnect: bool, new_credentials: bool
) -> None:
    advice, wait_ms = talk.client.disconnected(code)
    assert (advice.reconnect, advice.new_credentials, wait_ms) == (reconnect, new_credentials, 0)


def test_a_code_that_is_not_known_is_a_lost_connection_and_a_told_wait_is_kept(talk: Talk) -> None:
    talk.hear(Error(code=ErrorCode.RATE_LIMITED, retry_after_ms=900))
    advice, wait_ms = talk.client.disconnected(4999)
    assert advice.reconnect
    assert wait_ms == 900
