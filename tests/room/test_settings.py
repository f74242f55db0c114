"""The room as a whole: its name, its settings, its end."""

import pytest

from protocol.chat import ChatSend
from protocol.errors import ErrorCode
from protocol.members import MemberAdd
from protocol.playback import PlaybackEnded
from protocol.queue import QueueAdd
from protocol.rooms import (
    RoomClose,
    RoomClosed,
    RoomResume,
    RoomSettings,
    RoomUpdate,
    RoomUpdated,
    Wake,
)
from roomserver.room.context import SYSTEM
from tests.room.people import ANN, BOB, minutes, uid
from tests.room.scenario import NOON_MS, Scenario


def test_what_is_given_changes_and_what_is_absent_stays() -> None:
    scene = Scenario()
    scene.do(ANN, RoomUpdate(description="Where we cook."))
    (updated,) = scene.do(ANN, RoomUpdate(name="Cellar", settings=RoomSettings(repeat="all")))
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
    assert scene.do(ANN, RoomUpdate(name="Kitchen", settings=RoomSettings())) == []


def test_a_lower_limit_keeps_what_is_queued_and_takes_no_more() -> None:
    scene = Scenario()
    for number in range(4):
        scene.add(BOB, minutes(1, number))
    scene.do(ANN, RoomUpdate(settings=RoomSettings(queue_limit=2)))
    assert len(scene.queued) == 3
    command = QueueAdd(track_id=uid(0x7001))
    scene.refuses(ErrorCode.QUEUE_FULL, BOB, command, track=minutes(1))


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
