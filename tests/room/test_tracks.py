"""A track that is deleted leaves the room as if nobody had queued it, and the music goes on."""

import pytest

from protocol.errors import ErrorCode
from protocol.playback import LoadingDone, PlaybackEnded, PlaybackScheduled
from protocol.queue import QueueAdded, QueueRemove, QueueRemoved, QueueUndo
from protocol.rooms import QueueMode, RoomClose, RoomResume, RoomSettings, RoomSuspend
from protocol.tracks import TrackGone
from roomserver.room.context import SYSTEM
from tests.room.people import ANN, BOB, EVE, minutes, track
from tests.room.scenario import NOON_MS, Scenario

LOST, KEPT = minutes(3, 1), minutes(3, 2)
GONE = TrackGone(track_id=LOST.track_id)


def playing(*tracks: object, settings: RoomSettings | None = None) -> Scenario:
    """The first plays since noon + 250 ms, the others wait."""
    scene = Scenario(settings)
    for number, one in enumerate(tracks):
        scene.add((ANN, BOB, EVE)[number % 3], one)  # type: ignore[arg-type]
    scene.loaded()
    return scene


def test_its_entries_leave_the_queue_with_a_reason_and_the_music_goes_on() -> None:
    scene = playing(KEPT, LOST, KEPT, LOST)
    lost, kept = [scene.queued[0], scene.queued[2]], scene.queued[1]
    anchor = scene.playback.started_at_ms
    removed = scene.system(GONE)
    assert [event.entry_id for event in removed if isinstance(event, QueueRemoved)] == lost
    assert {(e.reason, e.by) for e in removed if isinstance(e, QueueRemoved)} == {
        ("track_gone", SYSTEM)
    }
    assert (scene.queued, scene.playback.started_at_ms) == ([kept], anchor)
    assert scene.system(GONE) == []


def test_what_plays_ends_as_skipped_and_the_next_begins() -> None:
    scene = playing(LOST, KEPT)
    (following,) = scene.queued
    scene.advance(60_250)
    ended = scene.system(GONE)[0]
    assert isinstance(ended, PlaybackEnded)
    assert (ended.reason, ended.heard_ms) == ("skipped", 60_250)
    assert ended.ended_at_ms == NOON_MS + 60_250 + 250
    assert (scene.current, scene.playback.status) == (following, "waiting")
    scene.system(LoadingDone(entry_id=following))
    assert scene.playback.status == "playing"


def test_without_anything_else_the_room_falls_silent() -> None:
    scene = playing(LOST, LOST)
    scene.system(GONE)
    assert (scene.playback.status, scene.queued, scene.playback.upcoming) == ("idle", [], [])


def test_a_start_that_is_agreed_is_taken_back_however_near() -> None:
    scene = playing(minutes(0.1, 7), LOST, KEPT)
    kept = scene.queued[1]
    scene.advance(6_100)
    (_, scheduled) = scene.system(GONE)
    assert isinstance(scheduled, PlaybackScheduled)
    assert [start.entry_id for start in scheduled.upcoming] == [kept]
    assert scheduled.upcoming[0].started_at_ms == scene.playback.ends_at_ms()
    scene.advance(1_000)
    assert scene.current == kept


@pytest.mark.parametrize("repeat", ["all", "one"])
def test_what_repeats_does_not_bring_it_back(repeat: str) -> None:
    scene = playing(track(48_000 * 4, 1), KEPT, settings=RoomSettings(repeat=repeat))  # type: ignore[arg-type]
    events = scene.system(GONE)
    heard = [entry.track for entry in scene.room.public.queue]
    assert LOST.track_id not in {one.track_id for one in heard}
    assert scene.playback.entry is not None and scene.playback.entry.track == KEPT
    added = [e.entry.track.track_id for e in events if isinstance(e, QueueAdded)]
    assert LOST.track_id not in added


@pytest.mark.parametrize("mode", ["open", "votes", "fair"])
def test_nobody_can_take_it_back_and_what_was_done_before_can_be(mode: QueueMode) -> None:
    scene = playing(KEPT, LOST, KEPT, KEPT, settings=RoomSettings(queue_mode=mode))
    removed = scene.queued[1]
    scene.do(ANN, QueueRemove(entry_id=removed))
    scene.system(GONE)
    assert removed not in scene.queued
    scene.do(ANN, QueueUndo())
    assert removed in scene.queued
    scene.refuses(ErrorCode.NOTHING_TO_UNDO, ANN, QueueUndo())


def test_a_room_that_sleeps_wakes_with_what_is_left() -> None:
    scene = playing(LOST, KEPT)
    (following,) = scene.queued
    scene.present = 0
    scene.system(RoomSuspend(vacant_since_ms=float(scene.now_ms)))
    scene.system(GONE)
    assert (scene.playback.status, scene.queued) == ("idle", [following])
    scene.present = 1
    scene.system(RoomResume())
    assert scene.current == following


def test_only_the_server_says_so_and_only_to_an_open_room() -> None:
    scene = playing(LOST, KEPT)
    scene.refuses(ErrorCode.NOT_ALLOWED, ANN, GONE)
    assert scene.playback.entry is not None
    scene.do(ANN, RoomClose())
    scene.refuses(ErrorCode.ROOM_CLOSED, SYSTEM, GONE)
