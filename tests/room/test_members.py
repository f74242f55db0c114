"""Members: a durable place in the room."""

from protocol.errors import ErrorCode
from protocol.members import Member, MemberAdd, MemberAdded, MemberRemove, MemberRemoved
from roomserver.room.context import SYSTEM
from tests.room.people import ANN, BOB, EVE
from tests.room.scenario import NOON_MS, Scenario


def test_who_was_admitted_has_a_place_and_is_admitted_once() -> None:
    scene = Scenario()
    member = Member(person=BOB, role="listener", joined_at_ms=NOON_MS)
    assert scene.system(MemberAdd(person=BOB)) == [MemberAdded(at_ms=NOON_MS, member=member)]
    assert scene.room.public.members[BOB.user_id] == member
    assert scene.system(MemberAdd(person=BOB)) == []
    assert scene.system(MemberAdd(person=ANN)) == []
    assert scene.room.public.members[ANN.user_id].role == "owner"


def test_who_leaves_has_no_place_any_more() -> None:
    scene = Scenario()
    scene.system(MemberAdd(person=BOB))
    assert scene.system(MemberRemove(user_id=BOB.user_id)) == [
        MemberRemoved(at_ms=NOON_MS, user_id=BOB.user_id)
    ]
    assert BOB.user_id not in scene.room.public.members
    scene.refuses(ErrorCode.NOT_MEMBER, SYSTEM, MemberRemove(user_id=EVE.user_id))


def test_the_owner_stays() -> None:
    scene = Scenario()
    scene.refuses(ErrorCode.OWNER_STAYS, SYSTEM, MemberRemove(user_id=ANN.user_id))
