"""Sleep: a room with nobody in it rests at its position and goes on from there."""

import pytest

from protocol.playback import (
    LoadingDone,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
    PlaybackStarted,
    PlaybackWaiting,
)
from protocol.queue import QueueRemove
from protocol.rooms import (
    RoomResume,
    RoomResumed,
    RoomSettings,
    RoomSuspend,
    RoomSuspended,
    RoomUpdate,
    SettingsChange,
    Wake,
)
from tests.room.people import ANN, minutes
from tests.room.scenario import NOON_MS, Scenario

HOUR_MS = 3_600_000


def asleep(*, paused: bool = False, loaded: bool = True) -> Scenario:
    """All left 10 s into the first of two tracks; a minute later the room was suspended."""
    scene = Scenario()
    scene.add(ANN, minutes(3))
    scene.add(ANN, minutes(3, 2))
    if loaded:
        scene.loaded()
    if paused:
        scene.pause()
    scene.advance(10_250 if loaded else 100)
    scene.present = 0
    vacant_since_ms = float(scene.now_ms)
    scene.advance(60_000 if loaded else 0)
    scene.system(RoomSuspend(vacant_since_ms=vacant_since_ms))
    return scene


def come_back(scene: Scenario) -> list[type]:
    """An hour later somebody joins. Returns what happens."""
    scene.advance(HOUR_MS)
    scene.present = 1
    return [type(event) for event in scene.system(RoomResume())]


def test_a_suspended_room_rests_where_the_last_person_left() -> None:
    scene = asleep()
    suspended = scene.log[-1]
    assert isinstance(suspended, RoomSuspended) and suspended.position_ms == 10_000
    assert scene.room.next_wake() is None
    assert scene.system(Wake()) == []
    assert scene.advance(HOUR_MS) == []


def test_what_played_goes_on_at_its_position() -> None:
    scene = asleep()
    scene.advance(HOUR_MS)
    scene.present = 1
    resumed, started, _scheduled = scene.system(RoomResume())
    assert isinstance(resumed, RoomResumed) and isinstance(started, PlaybackStarted)
    assert started.position_ms == 10_000
    assert started.started_at_ms == scene.now_ms + 250
    assert scene.system(RoomResume()) == []


def test_nothing_is_heard_while_a_room_sleeps() -> None:
    scene = asleep()
    come_back(scene)
    scene.advance(200_000)
    assert scene.plays.ended[0].heard_ms == 180_000


def test_what_waited_waits_again() -> None:
    scene = asleep(loaded=False)
    assert scene.system(LoadingDone(entry_id=scene.current)) == []
    assert come_back(scene) == [RoomResumed, PlaybackWaiting]
    assert scene.room.next_wake() == scene.now_ms + 3_000


def test_what_was_paused_stays_paused() -> None:
    scene = asleep(paused=True)
    assert come_back(scene) == [RoomResumed]
    assert scene.playback.status == "paused"
    started, _ = scene.do(ANN, PlaybackPlay())
    assert isinstance(started, PlaybackStarted) and started.position_ms == 0


def test_an_entry_that_began_after_the_last_person_left_rests_at_its_beginning() -> None:
    scene = Scenario()
    scene.add(ANN, minutes(1))
    scene.add(ANN, minutes(3, 2))
    scene.loaded()
    scene.advance(90_000)
    scene.system(RoomSuspend(vacant_since_ms=NOON_MS + 30_000.0))
    assert scene.playback.position_ms == 0


def test_a_suspended_room_takes_entries_and_begins_them_when_somebody_comes() -> None:
    scene = Scenario(present=0)
    first = scene.add(ANN, minutes(3))
    second = scene.add(ANN, minutes(3, 2))
    assert scene.queued == [first, second] and scene.playback.status == "idle"
    scene.do(ANN, QueueRemove(entry_id=first))
    assert come_back(scene) == [RoomResumed, PlaybackWaiting]
    assert scene.current == second


def test_acts_in_a_suspended_room_take_effect_when_somebody_comes() -> None:
    scene = asleep()
    scene.do(ANN, PlaybackSeek(entry_id=scene.current, position_ms=60_000.0))
    assert scene.playback.position_ms == 60_000
    scene.do(ANN, PlaybackPause(entry_id=scene.current))
    scene.do(ANN, PlaybackSeek(entry_id=scene.current, position_ms=70_000.0))
    assert (scene.playback.status, scene.playback.position_ms) == ("paused", 70_000)
    scene.do(ANN, PlaybackPlay(entry_id=scene.current))
    assert scene.advance(HOUR_MS) == []
    assert come_back(scene) == [RoomResumed, PlaybackWaiting]
    assert scene.playback.position_ms == 70_000


def test_another_entry_can_be_chosen_while_the_room_sleeps() -> None:
    scene = asleep()
    wanted = scene.queued[0]
    scene.do(ANN, PlaybackPlayEntry(entry_id=wanted))
    assert scene.plays.ended[0].heard_ms == 10_000
    assert come_back(scene) == [RoomResumed, PlaybackWaiting]
    assert scene.current == wanted


@pytest.mark.parametrize("present", [0, 2])
def test_the_next_entry_can_be_chosen_while_the_room_sleeps(present: int) -> None:
    scene = asleep()
    wanted = scene.queued[0]
    scene.next()
    scene.present = present
    scene.system(RoomResume())
    assert scene.current == wanted
    assert scene.playback.status == ("waiting" if present else "playing")


def test_play_in_a_suspended_idle_room_begins_the_first_entry_when_somebody_comes() -> None:
    scene = Scenario(present=0)
    first = scene.add(ANN, minutes(3))
    scene.do(ANN, PlaybackPlay())
    assert scene.room.next_wake() is None
    assert come_back(scene) == [RoomResumed, PlaybackWaiting]
    assert scene.current == first


def test_a_room_that_is_always_on_does_not_sleep() -> None:
    scene = Scenario(RoomSettings(always_on=True))
    assert scene.system(RoomSuspend(vacant_since_ms=NOON_MS + 0.0)) == []


def test_a_sleeping_room_that_becomes_always_on_wakes() -> None:
    scene = asleep()
    events = scene.do(ANN, RoomUpdate(settings=SettingsChange(always_on=True)))
    assert [type(event) for event in events[1:3]] == [RoomResumed, PlaybackStarted]


def test_suspending_twice_is_no_event() -> None:
    scene = asleep()
    assert scene.system(RoomSuspend(vacant_since_ms=NOON_MS + 0.0)) == []
