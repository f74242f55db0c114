"""What a client's copy of a room tells: who came and went, what was skipped, one's own place."""

from protocol.client import Missed, Moved
from protocol.client_room import Came, Resynced, Went
from protocol.codec import decode_snapshot, encode
from protocol.frames import Events, Join, Joined, Presence
from protocol.members import Member, MemberRoleChanged
from protocol.moderation import MemberMuted, MemberUnmuted
from protocol.snapshot import Snapshot
from protocol.users import Person
from tests.protocol.talk import ANN, BOB, LINEAGE, OTHER, ROOM, SEQ, SNAPSHOT, Talk, said

EVE = Person(user_id="e5e5e5e5-0000-4000-8000-000000000005", display_name="Eve")


def snapshot(seq: int, lineage: str = LINEAGE) -> Snapshot:
    """The snapshot at another seq."""
    copy = decode_snapshot(encode(SNAPSHOT))
    copy.seq, copy.lineage = seq, lineage
    return copy


def come_back(talk: Talk) -> int:
    """A lost connection, a new one; the id of the join that it sends."""
    talk.lose(1006)
    (join,) = talk.connect().send
    assert isinstance(join, Join)
    return join.id


def test_who_comes_and_goes_is_told_but_not_whom_a_newcomer_finds(talk: Talk) -> None:
    first = talk.hear(Presence(room=ROOM, fence=1, count=2, present=[ANN, BOB]))
    assert first.happened == [Moved(ROOM, [])]
    second = talk.hear(
        Presence(room=ROOM, fence=1, count=2, present=[EVE, ANN], gone=[BOB.user_id])
    )
    assert second.happened == [Moved(ROOM, [Went(BOB), Came(EVE)])]
    again = talk.hear(Presence(room=ROOM, fence=1, count=2, gone=[BOB.user_id]))
    assert again.happened == [Moved(ROOM, [])]


def test_who_came_and_went_while_we_were_away_is_told(talk: Talk) -> None:
    talk.hear(Presence(room=ROOM, fence=1, count=2, present=[ANN, BOB]))
    talk.hear(talk.joined(come_back(talk), resumed_from=SEQ + 1))
    turn = talk.hear(Presence(room=ROOM, fence=1, count=2, present=[BOB, EVE]))
    assert turn.happened == [Moved(ROOM, [Went(ANN), Came(EVE)])]


def test_a_part_of_those_present_does_not_say_who_went(talk: Talk) -> None:
    talk.hear(Presence(room=ROOM, fence=1, count=900, present=[ANN, BOB]))
    talk.hear(talk.joined(come_back(talk), resumed_from=SEQ + 1))
    turn = talk.hear(Presence(room=ROOM, fence=1, count=900, present=[BOB, EVE]))
    assert turn.happened == [Moved(ROOM, [])]
    assert talk.client.rooms[ROOM].count == 900


def test_a_snapshot_instead_of_events_is_told_as_such(talk: Talk) -> None:
    talk.hear(said("one", first_seq=SEQ + 1))
    joined = Joined(
        id=come_back(talk), room=ROOM, you=Member(person=BOB), snapshot=snapshot(SEQ + 700)
    )
    missed = Missed(ROOM, Resynced(SEQ + 1, SEQ + 700, lineage_changed=False))
    assert talk.hear(joined).happened == [joined, missed]
    assert talk.hear(said("next", first_seq=SEQ + 701)).happened != []


def test_a_snapshot_of_what_we_have_skips_nothing(talk: Talk) -> None:
    joined = Joined(id=come_back(talk), room=ROOM, you=Member(person=BOB), snapshot=snapshot(SEQ))
    assert talk.hear(joined).happened == [joined]


def test_a_restored_history_is_told_even_at_the_same_seq(talk: Talk) -> None:
    you = Member(person=BOB)
    joined = Joined(id=come_back(talk), room=ROOM, you=you, snapshot=snapshot(SEQ, OTHER))
    missed = Missed(ROOM, Resynced(SEQ, SEQ, lineage_changed=True))
    assert talk.hear(joined).happened == [joined, missed]


def test_a_copy_that_was_dropped_is_still_known_to_have_been_told(talk: Talk) -> None:
    (again,) = talk.hear(talk.joined(come_back(talk), resumed_from=SEQ + 5)).send
    assert isinstance(again, Join)
    assert again.have is None
    joined = Joined(id=again.id, room=ROOM, you=Member(person=BOB), snapshot=snapshot(SEQ + 9))
    missed = Missed(ROOM, Resynced(SEQ, SEQ + 9, lineage_changed=False))
    assert talk.hear(joined).happened == [joined, missed]


def test_the_first_snapshot_skips_nothing(talk: Talk) -> None:
    assert talk.client.rooms[ROOM].resynced is None


def place(talk: Talk) -> Member:
    """Our own."""
    you = talk.client.rooms[ROOM].you
    assert you is not None
    return you


def test_ones_own_place_is_as_it_is_now(talk: Talk) -> None:
    assert place(talk).role == "listener"
    made = MemberRoleChanged(at_ms=5, person=BOB, role="moderator", joined_at_ms=5, by=ANN)
    muted = MemberMuted(at_ms=6, person=BOB, until_ms=900, by=ANN)
    talk.hear(Events(room=ROOM, first_seq=SEQ + 1, events=[made, muted]))
    assert place(talk).role == "moderator"
    assert place(talk).is_muted(899)
    unmuted = MemberUnmuted(at_ms=7, user_id=BOB.user_id, by=ANN)
    back = MemberRoleChanged(at_ms=7, person=BOB, role="listener", joined_at_ms=5, by=ANN)
    talk.hear(Events(room=ROOM, first_seq=SEQ + 3, events=[unmuted, back]))
    assert place(talk).role == "listener"
    assert not place(talk).is_muted(899)
