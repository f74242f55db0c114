"""Members: a durable place in the room, and the role that goes with it."""

from protocol.errors import ErrorCode
from protocol.members import (
    Member,
    MemberAdd,
    MemberAdded,
    MemberRemove,
    MemberRemoved,
    MemberRoleChanged,
    MemberSetRole,
)
from protocol.moderation import MemberBan, MemberMute
from protocol.playback import PlaybackNext
from protocol.queue import QueueRemove
from roomserver.room.context import SYSTEM
from tests.room.people import ANN, BOB, DAN, EVE, minutes, uid
from tests.room.scenario import NOON_MS, Scenario


def places(scene: Scenario) -> dict[str, int]:
    return scene.room.private.members


def test_who_was_admitted_has_a_place_and_is_admitted_once() -> None:
    scene = Scenario()
    scene.advance(5)
    member = Member(person=BOB, role="listener", joined_at_ms=NOON_MS + 5)
    assert scene.system(MemberAdd(person=BOB)) == [MemberAdded(at_ms=NOON_MS + 5, member=member)]
    assert places(scene) == {ANN.user_id: NOON_MS, BOB.user_id: NOON_MS + 5}
    assert scene.system(MemberAdd(person=BOB)) == []
    assert scene.system(MemberAdd(person=ANN)) == []
    assert scene.room.public.members[ANN.user_id].role == "owner"


def test_the_snapshot_tells_only_of_members_who_stand_out() -> None:
    scene = Scenario()
    for person in (BOB, EVE, DAN):
        scene.system(MemberAdd(person=person))
    scene.do(ANN, MemberSetRole(user_id=DAN.user_id, role="dj"))
    scene.do(ANN, MemberMute(user_id=EVE.user_id))
    assert set(scene.room.public.members) == {ANN.user_id, DAN.user_id, EVE.user_id}
    scene.do(ANN, MemberSetRole(user_id=DAN.user_id, role="listener"))
    assert set(scene.room.public.members) == {ANN.user_id, EVE.user_id}
    assert set(places(scene)) == {ANN.user_id, BOB.user_id, EVE.user_id, DAN.user_id}


def test_who_leaves_has_no_place_and_no_role_any_more() -> None:
    scene = Scenario()
    scene.do(ANN, MemberSetRole(user_id=DAN.user_id, role="dj"))
    assert scene.system(MemberRemove(user_id=DAN.user_id)) == [
        MemberRemoved(at_ms=NOON_MS, user_id=DAN.user_id)
    ]
    assert DAN.user_id not in scene.room.public.members
    assert DAN.user_id not in places(scene)
    scene.refuses(ErrorCode.NOT_MEMBER, SYSTEM, MemberRemove(user_id=DAN.user_id))
    scene.refuses(ErrorCode.NOT_MEMBER, SYSTEM, MemberRemove(user_id=EVE.user_id))


def test_a_mute_outlasts_the_place() -> None:
    scene = Scenario()
    scene.system(MemberAdd(person=EVE))
    scene.do(ANN, MemberMute(user_id=EVE.user_id))
    scene.system(MemberRemove(user_id=EVE.user_id))
    assert scene.room.public.members[EVE.user_id].joined_at_ms is None
    scene.system(MemberAdd(person=EVE))
    assert scene.room.public.members[EVE.user_id].is_muted(scene.now_ms)


def test_the_owner_stays() -> None:
    scene = Scenario()
    scene.refuses(ErrorCode.OWNER_STAYS, SYSTEM, MemberRemove(user_id=ANN.user_id))


def test_a_banned_person_is_not_admitted_until_the_ban_is_over() -> None:
    scene = Scenario()
    scene.do(ANN, MemberBan(user_id=EVE.user_id, duration_ms=1_000))
    scene.refuses(ErrorCode.BANNED, SYSTEM, MemberAdd(person=EVE))
    scene.advance(1_000)
    assert len(scene.system(MemberAdd(person=EVE))) == 1


def test_a_role_gives_its_rights_at_once() -> None:
    scene = Scenario()
    scene.system(MemberAdd(person=DAN))
    scene.add(ANN, minutes(3))
    entry_id = scene.add(ANN, minutes(3))
    scene.advance(10)
    scene.refuses(ErrorCode.NOT_ALLOWED, DAN, QueueRemove(entry_id=entry_id))
    assert scene.do(ANN, MemberSetRole(user_id=DAN.user_id, role="dj")) == [
        MemberRoleChanged(at_ms=NOON_MS + 10, person=DAN, role="dj", joined_at_ms=NOON_MS, by=ANN)
    ]
    scene.do(DAN, QueueRemove(entry_id=entry_id))
    scene.do(DAN, PlaybackNext(entry_id=scene.current))


def test_a_role_gives_a_place_to_who_had_none() -> None:
    scene = Scenario()
    scene.advance(70)
    scene.do(ANN, MemberSetRole(user_id=BOB.user_id, role="dj"))
    assert places(scene)[BOB.user_id] == NOON_MS + 70
    assert scene.room.public.members[BOB.user_id].role == "dj"


def test_the_role_that_somebody_has_already_is_no_event() -> None:
    scene = Scenario()
    assert scene.do(ANN, MemberSetRole(user_id=EVE.user_id, role="listener")) == []
    scene.do(ANN, MemberSetRole(user_id=EVE.user_id, role="dj"))
    assert scene.do(ANN, MemberSetRole(user_id=EVE.user_id, role="dj")) == []
    assert len(scene.do(ANN, MemberSetRole(user_id=EVE.user_id, role="listener"))) == 1
    assert EVE.user_id in places(scene)


def test_a_role_leaves_a_mute_as_it_is() -> None:
    scene = Scenario()
    scene.do(ANN, MemberMute(user_id=DAN.user_id, reason="Too loud."))
    scene.do(ANN, MemberSetRole(user_id=DAN.user_id, role="moderator"))
    mute = scene.room.public.members[DAN.user_id].mute
    assert mute is not None and mute.reason == "Too loud."


def test_nobody_unknown_or_banned_is_given_a_role() -> None:
    scene = Scenario()
    scene.refuses(ErrorCode.UNKNOWN_PERSON, ANN, MemberSetRole(user_id=uid(5), role="dj"))
    scene.do(ANN, MemberBan(user_id=EVE.user_id, duration_ms=1_000))
    command = MemberSetRole(user_id=EVE.user_id, role="dj")
    scene.refuses(ErrorCode.BANNED, ANN, command)
    scene.advance(1_000)
    assert len(scene.do(ANN, command)) == 1
