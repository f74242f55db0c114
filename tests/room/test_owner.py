"""Owner: one at a time, and how the room changes hands."""

import pytest
from msgspec.structs import replace

from protocol.errors import ErrorCode, Rejected
from protocol.members import GivenRole, MemberAdd, MemberRemove, MemberSetRole
from protocol.moderation import MemberBan, MemberMute
from protocol.owner import OwnerChanged, OwnerSucceed, OwnerTransfer
from protocol.playback import PlaybackEnded
from protocol.rooms import RoomClose, RoomClosed, RoomUpdate
from protocol.users import Person
from roomserver.room.context import SYSTEM
from tests.room.people import ANN, BOB, DAN, EVE, ROB, minutes, uid
from tests.room.scenario import NOON_MS, Scenario

ABSENT = OwnerSucceed(reason="absent")
DELETED = OwnerSucceed(reason="account_deleted")


def give(scene: Scenario, person: Person, role: GivenRole) -> None:
    """A role; the clock goes on, so that nobody is served for equally long."""
    scene.do(ANN, MemberSetRole(user_id=person.user_id, role=role))
    scene.advance(100)


def join(scene: Scenario, person: Person) -> None:
    scene.lookups.accounts[person.user_id] = person
    scene.system(MemberAdd(person=person))
    scene.advance(100)


def owner_id(scene: Scenario) -> str:
    public = scene.room.public
    owners = [key for key, member in public.members.items() if member.role == "owner"]
    assert owners == [public.room.owner_id], "one owner at a time"
    return public.room.owner_id


def test_the_owner_hands_the_room_over_and_becomes_a_moderator() -> None:
    scene = Scenario()
    join(scene, EVE)
    assert scene.do(ANN, OwnerTransfer(user_id=EVE.user_id)) == [
        OwnerChanged(
            at_ms=NOON_MS + 100,
            owner=EVE,
            joined_at_ms=NOON_MS,
            before=ANN.user_id,
            reason="transferred",
        )
    ]
    assert owner_id(scene) == EVE.user_id
    assert scene.room.public.members[ANN.user_id].role == "moderator"
    scene.refuses(ErrorCode.NOT_ALLOWED, ANN, RoomClose())
    scene.refuses(ErrorCode.OUTRANKED, ANN, MemberMute(user_id=EVE.user_id))
    scene.refuses(ErrorCode.NOT_ALLOWED, ANN, OwnerTransfer(user_id=ANN.user_id))
    scene.do(EVE, RoomUpdate(name="Eve's"))
    scene.system(MemberRemove(user_id=ANN.user_id))


def test_who_has_no_place_gets_one_with_the_room() -> None:
    scene = Scenario()
    scene.advance(30)
    scene.do(ANN, OwnerTransfer(user_id=DAN.user_id))
    assert scene.room.private.members[DAN.user_id] == NOON_MS + 30


def test_the_new_owner_is_not_muted() -> None:
    scene = Scenario()
    scene.do(ANN, MemberMute(user_id=EVE.user_id))
    scene.do(ANN, OwnerTransfer(user_id=EVE.user_id))
    assert scene.room.public.members[EVE.user_id].mute is None


def test_to_whom_the_room_belongs_already_it_is_not_handed_over() -> None:
    scene = Scenario()
    assert scene.do(ANN, OwnerTransfer(user_id=ANN.user_id)) == []


def test_a_room_is_handed_over_only_to_a_person_with_an_account_who_is_not_banned() -> None:
    scene = Scenario()
    for who in (BOB, ROB):
        join(scene, who)
        scene.refuses(ErrorCode.ACCOUNT_REQUIRED, ANN, OwnerTransfer(user_id=who.user_id))
    scene.refuses(ErrorCode.UNKNOWN_PERSON, ANN, OwnerTransfer(user_id=uid(5)))
    scene.do(ANN, MemberBan(user_id=EVE.user_id))
    scene.refuses(ErrorCode.BANNED, ANN, OwnerTransfer(user_id=EVE.user_id))
    assert owner_id(scene) == ANN.user_id


@pytest.mark.parametrize("command", [ABSENT, DELETED])
def test_the_longest_serving_moderator_follows(command: OwnerSucceed) -> None:
    scene = Scenario()
    join(scene, DAN)
    join(scene, EVE)
    # The place counts, not the role: Dan became a moderator later, but has been here longer.
    give(scene, EVE, "moderator")
    give(scene, DAN, "moderator")
    (changed,) = scene.system(command)
    assert isinstance(changed, OwnerChanged)
    assert (changed.owner, changed.reason, changed.before) == (DAN, command.reason, ANN.user_id)
    assert owner_id(scene) == DAN.user_id


def test_an_absent_owner_stays_a_moderator_and_a_deleted_one_is_gone() -> None:
    for command, role in ((ABSENT, "moderator"), (DELETED, None)):
        scene = Scenario()
        give(scene, DAN, "moderator")
        scene.system(command)
        member = scene.room.public.members.get(ANN.user_id)
        assert (None if member is None else member.role) == role
        assert (ANN.user_id in scene.room.private.members) == (role is not None)


@pytest.mark.parametrize("person", [BOB, ROB])
def test_neither_a_guest_nor_a_bot_follows(person: Person) -> None:
    scene = Scenario()
    give(scene, person, "moderator")
    assert scene.system(ABSENT) == []
    give(scene, DAN, "moderator")
    scene.system(ABSENT)
    assert owner_id(scene) == DAN.user_id


def test_without_a_moderator_an_absent_owner_stays() -> None:
    scene = Scenario()
    join(scene, EVE)
    give(scene, DAN, "dj")
    assert scene.system(ABSENT) == []
    assert owner_id(scene) == ANN.user_id


def test_without_a_moderator_the_longest_serving_member_follows_a_deleted_owner() -> None:
    scene = Scenario()
    for person in (BOB, ROB, EVE):
        join(scene, person)
    give(scene, DAN, "dj")
    scene.system(DELETED)
    assert owner_id(scene) == EVE.user_id


def test_a_deleted_owner_with_nobody_to_follow_leaves_a_closed_room() -> None:
    scene = Scenario()
    join(scene, BOB)
    scene.add(BOB, minutes(3))
    scene.loaded()
    ended, closed = scene.system(DELETED)
    assert isinstance(ended, PlaybackEnded)
    assert closed == RoomClosed(at_ms=scene.now_ms, by=SYSTEM)


def test_a_guest_does_not_follow_even_if_a_home_says_so() -> None:
    scene = Scenario()
    join(scene, BOB)
    steps = scene.room.apply(DELETED, replace(scene.context(SYSTEM, DELETED), target=BOB))
    assert [type(step.event) for step in steps] == [RoomClosed]


def test_who_was_to_follow_and_has_just_left_closes_nothing() -> None:
    scene = Scenario()
    join(scene, EVE)
    join(scene, DAN)
    context = scene.context(SYSTEM, DELETED)
    assert context.target == EVE
    scene.system(MemberRemove(user_id=EVE.user_id))
    with pytest.raises(Rejected) as caught:
        scene.room.apply(DELETED, context)
    assert caught.value.code == ErrorCode.UNKNOWN_PERSON
    scene.system(DELETED)
    assert owner_id(scene) == DAN.user_id
