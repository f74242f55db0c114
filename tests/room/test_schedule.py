"""The plan of agreed starts: exact, far enough ahead, and without drift."""

from fractions import Fraction
from math import ceil

from protocol.playback import PlaybackScheduled, PlaybackStarted, Start
from protocol.queue import QueueMove, QueueRemove
from tests.room.invariants import EIGHTIETH_SAMPLE_MS
from tests.room.people import ANN, minutes, track
from tests.room.scenario import NOON_MS, Scenario


def playing(*samples: int) -> Scenario:
    """The first of several tracks plays since noon + 250 ms."""
    scene = Scenario()
    for number, length in enumerate(samples):
        scene.add(ANN, track(length, number))
    scene.loaded()
    return scene


def test_what_follows_is_agreed_as_soon_as_an_entry_starts() -> None:
    scene = playing(48_000 * 60, 48_000 * 60, 48_000 * 60)
    assert scene.log[-1] == PlaybackScheduled(
        at_ms=NOON_MS,
        upcoming=[Start(entry_id=scene.queued[0], started_at_ms=NOON_MS + 60_250.0)],
    )


def test_short_tracks_are_agreed_until_fifteen_seconds_beyond_the_current_end() -> None:
    scene = playing(48_000 * 60, *[48_000 * 4] * 9)
    assert [start.entry_id for start in scene.playback.upcoming] == scene.queued[:4]
    assert [start.started_at_ms - NOON_MS for start in scene.playback.upcoming] == [
        60_250,
        64_250,
        68_250,
        72_250,
    ]


def test_the_plan_grows_at_each_boundary() -> None:
    scene = playing(48_000 * 60, *[48_000 * 10] * 9)
    agreed = scene.playback.upcoming
    assert len(agreed) == 2
    scene.advance(61_000)
    assert scene.playback.upcoming[0] == agreed[1]
    assert len(scene.playback.upcoming) == 2


def test_an_entry_queued_while_the_last_one_plays_is_agreed_at_once() -> None:
    scene = playing(48_000 * 60)
    scene.advance(59_900)
    scene.add(ANN, minutes(1, 2))
    assert scene.playback.upcoming[0].started_at_ms == NOON_MS + 60_250


def test_edits_of_the_queue_change_what_is_agreed() -> None:
    scene = playing(*[48_000 * 60] * 3)
    one, two = scene.queued
    scene.do(ANN, QueueMove(entry_id=two, after=None))
    assert [start.entry_id for start in scene.playback.upcoming] == [two]
    scene.do(ANN, QueueRemove(entry_id=two))
    assert [start.entry_id for start in scene.playback.upcoming] == [one]


def test_edits_beyond_what_is_agreed_are_no_news() -> None:
    scene = playing(*[48_000 * 60] * 3)
    scene.add(ANN, minutes(1, 9))
    assert not isinstance(scene.log[-1], PlaybackScheduled)


def test_two_hundred_tracks_of_odd_lengths_do_not_drift() -> None:
    lengths = [48_000 * 20 + 1 + 7 * number % 997 for number in range(200)]
    check_boundaries(lengths)


def test_two_hundred_times_the_same_odd_length_does_not_drift() -> None:
    check_boundaries([48_000 * 20 + 1] * 200)


def check_boundaries(lengths: list[int]) -> None:
    scene = playing(*lengths)
    exact_ms = Fraction(NOON_MS + 250)
    for length in lengths[:-1]:
        exact_ms += Fraction(length, 48)
        events = scene.advance(ceil(exact_ms) - scene.now_ms)
        (started,) = [event for event in events if isinstance(event, PlaybackStarted)]
        assert abs(Fraction(started.started_at_ms) - exact_ms) <= EIGHTIETH_SAMPLE_MS
    assert [event.reason for event in scene.plays.ended] == ["finished"] * (len(lengths) - 1)


def test_a_seek_or_a_pause_keeps_everything_on_whole_samples() -> None:
    scene = playing(4_800_001, 4_800_007, 4_800_011)
    scene.advance(12_345)
    scene.seek(1_234.567_891)
    scene.advance(1_111)
    scene.pause()
    scene.advance(1_111)
    scene.next()
    scene.advance(200_000)
    for event in scene.log:
        if isinstance(event, PlaybackStarted):
            sample = round(Fraction(event.started_at_ms) * 48)
            assert abs(Fraction(event.started_at_ms) * 48 - sample) <= Fraction(1, 80)
