"""The room as a whole: its name, its settings, its end."""

import pytest

from protocol.chat import ChatSend
from protocol.errors import ErrorCode
from protocol.members import MemberAdd
from protocol.permissions import Permissions
from protocol.playback import PlaybackEnded
from protocol.queue import QueueAdd
from protocol.rooms import (
    RoomClose,
    RoomClosed,
    RoomResume,
    RoomUpdate,
    RoomUpdated,
    SettingsChange,
    Wake,
)
from roomserver.room.context import SYSTEM
from tests.room.people import ANN, BOB, minutes, uid
from tests.room.scenario import NOON_MS, Scenario


def test_what_is_given_changes_and_what_is_absent_stays() -> None:
    scene = Scenario()
    scene.do(ANN, RoomUpdate(description="Where we cook."))
    (updated,) = scene.do(ANN, RoomUpdate(name="Cellar", settings=SettingsChange(repeat="all")))
    assert isinstance(updated, RoomUpdated)
    room = scene.room.public.room
    assert (room.name, room.description, room.settings.repeat) == (
        "Cellar",
        "Where we cook.",
        "all",
    )
    scene.do(ANN, RoomUpdate(description=""))
    assert scene.room.public.room.description == ""


def test_changing_nothing_is_no_event() -> None:
    scene = Scenario()
    assert scene.do(ANN, RoomUpdate()) == []
    assert scene.do(ANN, RoomUpdate(name="Kitchen", settings=SettingsChange())) == []


def test_a_lower_limit_keeps_what_is_queued_and_takes_no_more() -> None:
    scene = Scenario()
    for number in range(4):
        scene.add(BOB, minutes(1, number))
    scene.do(ANN, RoomUpdate(settings=SettingsChange(queue_limit=2)))
    assert len(scene.queued) == 3
    command = QueueAdd(track_id=uid(0x7001))
    scene.refuses(ErrorCode.QUEUE_FULL, BOB, command, track=minutes(1))


def test_a_name_is_stored_clean_and_a_bad_one_is_refused() -> None:
    scene = Scenario()
    (updated,) = scene.do(ANN, RoomUpdate(name="  Caf\u0065\u0301   Noir "))
    assert isinstance(updated, RoomUpdated) and updated.room.name == "Caf\u00e9 Noir"
    assert scene.do(ANN, RoomUpdate(name="Caf\u00e9  Noir")) == []
    for name in ("\u200b", "   ", "a\u202eb", "line\nbreak", "\u3164"):
        refusal = scene.refuses(ErrorCode.BAD_REQUEST, ANN, RoomUpdate(name=name))
        assert refusal.details == {"path": "name"}
    assert scene.room.public.room.name == "Caf\u00e9 Noir"


def test_a_bad_name_changes_nothing_of_the_rest() -> None:
    scene = Scenario()
    command = RoomUpdate(name=" ", description="new", visibility="private")
    scene.refuses(ErrorCode.BAD_REQUEST, ANN, command)
    assert scene.room.public.room.description == ""


def test_of_the_table_only_the_actions_that_are_named_change() -> None:
    scene = Scenario()
    table = SettingsChange(permissions={"skip": "dj", "update": "moderator"})
    (updated,) = scene.do(ANN, RoomUpdate(settings=table))
    assert isinstance(updated, RoomUpdated)
    assert updated.room.settings.permissions == Permissions(skip="dj", update="moderator")
    assert scene.do(ANN, RoomUpdate(settings=table)) == []
    scene.do(ANN, RoomUpdate(settings=SettingsChange(permissions={"skip": "guest"})))
    assert scene.room.public.room.settings.permissions == Permissions(update="moderator")


def test_who_may_tune_the_room_can_neither_hide_it_nor_give_rights() -> None:
    scene = Scenario()
    tune = RoomUpdate(settings=SettingsChange(repeat="all"))
    scene.refuses(ErrorCode.NOT_ALLOWED, BOB, tune)
    scene.do(ANN, RoomUpdate(settings=SettingsChange(permissions={"update": "guest"})))
    assert len(scene.do(BOB, tune)) == 1
    for command in (
        RoomUpdate(visibility="private"),
        RoomUpdate(name="Bob's", settings=SettingsChange(permissions={"set_role": "guest"})),
        RoomClose(),
    ):
        scene.refuses(ErrorCode.NOT_ALLOWED, BOB, command)
    assert scene.room.public.room.name == "Kitchen"


def test_a_limit_that_is_taken_away_is_told_from_one_that_is_not_named() -> None:
    scene = Scenario()
    scene.do(ANN, RoomUpdate(settings=SettingsChange(entries_per_person=3)))
    scene.do(ANN, RoomUpdate(settings=SettingsChange(queue_limit=20)))
    assert scene.room.public.room.settings.entries_per_person == 3
    scene.do(ANN, RoomUpdate(settings=SettingsChange(entries_per_person=None)))
    assert scene.room.public.room.settings.entries_per_person is None


def test_closing_ends_the_music_and_then_the_room() -> None:
    scene = Scenario()
    scene.add(BOB, minutes(3))
    scene.add(BOB, minutes(3))
    scene.loaded()
    scene.advance(10_250)
    ended, closed = scene.do(ANN, RoomClose())
    assert isinstance(ended, PlaybackEnded) and ended.heard_ms == 10_000
    assert closed == RoomClosed(at_ms=NOON_MS + 10_250, by=ANN)
    assert scene.room.next_wake() is None


@pytest.mark.parametrize("command", [ChatSend(content="?"), RoomUpdate(name="x"), RoomClose()])
def test_a_closed_room_refuses_its_people(command: ChatSend | RoomUpdate | RoomClose) -> None:
    scene = Scenario()
    scene.do(ANN, RoomClose())
    scene.refuses(ErrorCode.ROOM_CLOSED, ANN, command)


@pytest.mark.parametrize("command", [Wake(), RoomResume(), MemberAdd(person=BOB)])
def test_a_closed_room_refuses_the_home_too(command: Wake | RoomResume | MemberAdd) -> None:
    scene = Scenario()
    scene.do(ANN, RoomClose())
    scene.refuses(ErrorCode.ROOM_CLOSED, SYSTEM, command)
