"""Playback: acts at agreed instants, waiting for loading, moving on without a gap."""

import pytest

from protocol.errors import ErrorCode
from protocol.playback import (
    LoadingDone,
    PlaybackEnded,
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackScheduled,
    PlaybackSeek,
    PlaybackSeeked,
    PlaybackStarted,
    PlaybackWaiting,
)
from protocol.rooms import RoomSettings, Wake
from tests.room.people import ANN, BOB, EVE, minutes, track, uid
from tests.room.scenario import NOON_MS, Scenario


def playing(*lengths: float, settings: RoomSettings | None = None) -> Scenario:
    """A room in which the first of several tracks plays since noon + 250 ms."""
    scene = Scenario(settings)
    for number, length in enumerate(lengths):
        scene.add(ANN, minutes(length, number))
    scene.loaded()
    return scene


def test_the_first_entry_waits_for_those_present_to_load_it() -> None:
    scene = Scenario()
    entry_id = scene.add(BOB, minutes(3))
    assert scene.log[-1] == PlaybackWaiting(
        at_ms=NOON_MS, entry_id=entry_id, position_ms=0.0, until_ms=NOON_MS + 3_000.0
    )
    assert scene.queued == []
    scene.advance(700)
    (started,) = scene.loaded(missing=[EVE.user_id])
    assert started == PlaybackStarted(
        at_ms=NOON_MS + 700,
        entry_id=entry_id,
        started_at_ms=NOON_MS + 950.0,
        position_ms=0.0,
        missing=[EVE.user_id],
    )


def test_with_nobody_to_wait_for_the_first_entry_starts_at_once() -> None:
    scene = Scenario(RoomSettings(always_on=True), present=0)
    scene.add(ANN, minutes(3))
    assert scene.playback.status == "playing"
    assert scene.playback.started_at_ms == NOON_MS + 250


def test_a_start_is_waited_for_three_seconds_and_no_longer() -> None:
    scene = Scenario()
    scene.add(ANN, minutes(3))
    assert scene.advance(2_999) == []
    (started,) = scene.advance(1)
    assert isinstance(started, PlaybackStarted)
    assert started.started_at_ms == NOON_MS + 3_250


def test_news_of_loading_that_came_too_late_is_no_event() -> None:
    scene = Scenario()
    first = scene.add(ANN, minutes(3))
    assert scene.system(LoadingDone(entry_id=uid(5))) == []
    scene.loaded()
    assert scene.system(LoadingDone(entry_id=first)) == []
    scene.next()
    assert scene.system(LoadingDone(entry_id=first)) == []


def test_who_missed_two_starts_in_a_row_is_not_waited_for_until_in_time_again() -> None:
    scene = Scenario()
    for number in range(4):
        scene.add(ANN, minutes(3, number))
    scene.loaded(missing=[BOB.user_id, EVE.user_id])
    assert scene.room.private.waits_for(BOB.user_id)
    scene.do(ANN, PlaybackPlayEntry(entry_id=scene.queued[0]))
    scene.loaded(missing=[BOB.user_id])
    assert not scene.room.private.waits_for(BOB.user_id)
    assert scene.room.private.waits_for(EVE.user_id)
    scene.do(ANN, PlaybackPlayEntry(entry_id=scene.queued[0]))
    scene.loaded()
    assert scene.room.private.waits_for(BOB.user_id)


def test_pause_and_play_act_a_lead_from_now_and_keep_the_position() -> None:
    scene = playing(3)
    scene.advance(10_250)
    scene.lead_ms = 400
    scene.pause(BOB)
    assert scene.playback.started_at_ms == NOON_MS + 10_650
    assert scene.playback.position_ms == 10_400
    assert scene.pause() == []
    scene.advance(60_000)
    (started,) = scene.do(BOB, PlaybackPlay(entry_id=scene.current))[:1]
    assert isinstance(started, PlaybackStarted)
    assert (started.started_at_ms, started.position_ms) == (NOON_MS + 70_650, 10_400)
    assert scene.do(BOB, PlaybackPlay(entry_id=scene.current)) == []


def test_seeking_moves_the_anchor_and_the_agreed_starts() -> None:
    scene = playing(3, 3)
    scene.advance(1_000)
    seeked, scheduled = scene.seek(100_000.004)
    assert isinstance(seeked, PlaybackSeeked) and isinstance(scheduled, PlaybackScheduled)
    assert seeked.started_at_ms == NOON_MS + 1_250
    assert seeked.position_ms == 100_000, "a position is that of a sample"
    assert scheduled.upcoming[0].started_at_ms == NOON_MS + 1_250 + 80_000


def test_seeking_beyond_the_end_stops_at_the_end() -> None:
    scene = playing(3, 3)
    scene.seek(86_400_000)
    assert scene.playback.position_ms == 180_000
    ended, started, *_ = scene.advance(250)
    assert isinstance(ended, PlaybackEnded) and ended.reason == "finished"
    assert isinstance(started, PlaybackStarted)


def test_seeking_in_a_paused_entry_leaves_it_paused() -> None:
    scene = playing(3, 3)
    scene.pause()
    scene.seek(60_000)
    assert (scene.playback.status, scene.playback.position_ms) == ("paused", 60_000)
    assert scene.room.next_wake() is None


def test_seeking_in_an_entry_that_waits_makes_it_wait_at_the_new_place() -> None:
    scene = Scenario()
    scene.add(ANN, minutes(3))
    scene.advance(1_000)
    scene.seek(60_000)
    assert (scene.playback.status, scene.playback.position_ms) == ("waiting", 60_000)
    assert scene.room.next_wake() == NOON_MS + 4_000


def test_a_lead_that_became_shorter_does_not_overtake_an_agreed_act() -> None:
    scene = playing(3)
    scene.advance(10_000)
    scene.lead_ms = 1_500
    scene.seek(60_000)
    scene.lead_ms = 250
    scene.pause()
    assert scene.playback.started_at_ms == NOON_MS + 11_500
    assert scene.playback.position_ms == 60_000


def test_the_next_entry_starts_at_the_exact_end_without_waiting() -> None:
    scene = Scenario()
    first = scene.add(ANN, track(4_800_001))
    second = scene.add(ANN, track(4_800_007, 2))
    scene.loaded()
    ends_at_ms = NOON_MS + 250 + 4_800_001 / 48
    assert scene.room.next_wake() == pytest.approx(ends_at_ms, abs=1 / 48 / 80)
    scene.advance(100_249)
    assert scene.current == first
    ended, started = scene.advance(2)
    assert ended == PlaybackEnded(
        at_ms=NOON_MS + 100_251,
        entry_id=first,
        ended_at_ms=ends_at_ms,
        reason="finished",
        heard_ms=4_800_001 / 48,
    )
    assert started == PlaybackStarted(
        at_ms=NOON_MS + 100_251, entry_id=second, started_at_ms=ends_at_ms, position_ms=0.0
    )


def test_a_late_room_catches_up_boundary_by_boundary() -> None:
    scene = playing(1, 1, 1, 1)
    scene.advance(200_000)
    assert [event.reason for event in scene.plays.ended] == ["finished"] * 3
    assert scene.playback.position_at(scene.now_ms) == 200_000 - 250 - 180_000


def test_behind_the_last_entry_nothing_plays() -> None:
    scene = playing(1)
    (ended,) = scene.advance(61_000)
    assert isinstance(ended, PlaybackEnded) and scene.playback.status == "idle"
    assert scene.room.next_wake() is None
    scene.refuses(ErrorCode.NOTHING_PLAYING, ANN, PlaybackPlay())
    scene.refuses(ErrorCode.NOTHING_PLAYING, ANN, PlaybackPause(entry_id=ended.entry_id))
    scene.refuses(ErrorCode.NOTHING_PLAYING, ANN, PlaybackNext(entry_id=ended.entry_id))


def test_next_starts_the_following_entry_at_the_same_instant_at_which_it_ends_the_current() -> None:
    scene = playing(3, 3, 3)
    following = scene.queued[0]
    scene.advance(30_000)
    ended, started, _ = scene.next(BOB)
    assert isinstance(ended, PlaybackEnded) and isinstance(started, PlaybackStarted)
    assert (ended.reason, ended.heard_ms) == ("skipped", 30_000)
    assert (started.entry_id, started.started_at_ms) == (following, ended.ended_at_ms)
    assert ended.ended_at_ms == NOON_MS + 30_250


def test_skipping_the_last_entry_stops_playback() -> None:
    scene = playing(3)
    (ended,) = scene.next()
    assert isinstance(ended, PlaybackEnded) and scene.playback.status == "idle"


def test_skipping_an_entry_that_is_still_waited_for_waits_for_the_next() -> None:
    scene = Scenario()
    scene.add(ANN, minutes(3))
    following = scene.add(ANN, minutes(3, 2))
    scene.next()
    assert (scene.current, scene.playback.status) == (following, "waiting")


def test_next_within_the_lead_of_the_end_keeps_the_agreed_start() -> None:
    scene = playing(1, 3)
    agreed = scene.playback.upcoming[0]
    scene.advance(60_100)
    scene.next()
    assert (scene.current, scene.playback.started_at_ms) == (agreed.entry_id, agreed.started_at_ms)


def test_an_act_that_would_come_after_the_end_is_refused() -> None:
    scene = playing(1, 3, 3)
    scene.advance(60_000)
    assert scene.pause() != []
    scene.do(ANN, PlaybackPlay())
    scene.advance(1)
    late = scene.current
    scene.refuses(ErrorCode.ENTRY_STARTING, ANN, PlaybackPause(entry_id=late))
    scene.refuses(ErrorCode.ENTRY_STARTING, ANN, PlaybackSeek(entry_id=late, position_ms=0.0))
    scene.refuses(ErrorCode.ENTRY_STARTING, ANN, PlaybackPlayEntry(entry_id=scene.queued[1]))


def test_who_means_another_entry_than_the_current_is_told_which_it_is() -> None:
    scene = playing(3, 3)
    old = scene.current
    scene.next()
    for command in (
        PlaybackNext(entry_id=old),
        PlaybackPause(entry_id=old),
        PlaybackPlay(entry_id=old),
        PlaybackSeek(entry_id=old, position_ms=0.0),
    ):
        refusal = scene.refuses(ErrorCode.CONFLICT, BOB, command)
        assert refusal.details == {"entry_id": scene.current}


def test_an_entry_of_the_queue_can_be_started_and_is_waited_for() -> None:
    scene = playing(3, 3, 3)
    wanted = scene.queued[1]
    ended, waiting = scene.do(BOB, PlaybackPlayEntry(entry_id=wanted))
    assert isinstance(ended, PlaybackEnded) and ended.reason == "skipped"
    assert isinstance(waiting, PlaybackWaiting) and scene.current == wanted
    assert len(scene.queued) == 1
    scene.refuses(ErrorCode.UNKNOWN_ENTRY, BOB, PlaybackPlayEntry(entry_id=wanted))


def test_heard_is_what_sounded_over_pauses_and_seeks() -> None:
    scene = playing(3)
    scene.advance(10_000)
    scene.pause()
    scene.advance(90_000)
    scene.do(ANN, PlaybackPlay())
    scene.advance(5_250)
    scene.seek(170_000)
    scene.advance(60_000)
    (ended,) = scene.plays.ended
    assert ended.heard_ms == 10_000 + 5_250 + 10_000


def test_a_repeating_room_queues_what_ended_again_under_a_new_name() -> None:
    scene = playing(1, 1, settings=RoomSettings(repeat="all"))
    first = scene.current
    scene.advance(61_000)
    (again,) = scene.room.public.queue
    assert again.entry_id != first
    assert (again.track, again.added_by) == (minutes(1, 0), ANN)
    scene.next()
    assert scene.current == again.entry_id and len(scene.queued) == 1


def test_a_repeating_room_with_one_entry_begins_it_again() -> None:
    scene = playing(1, settings=RoomSettings(repeat="all"))
    first = scene.current
    scene.advance(61_000)
    assert scene.playback.status == "waiting" and scene.current != first


def test_a_wake_that_comes_too_early_does_nothing() -> None:
    scene = playing(1)
    assert scene.system(Wake()) == []
