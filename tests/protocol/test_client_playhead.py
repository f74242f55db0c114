"""Which sample is heard when, from the snapshots that a client folds one after the other."""

import pytest

from protocol.client_playhead import Playhead, Schedule
from protocol.codec import decode_snapshot, encode
from protocol.playback import Playback, Start, Status
from protocol.queue import Entry
from protocol.snapshot import Snapshot
from protocol.tracks import Track
from tests.protocol.talk import ANN, SNAPSHOT

T = 1_790_000_000_000.0


def entry(name: str, seconds: int) -> Entry:
    """An entry with a track of so many seconds."""
    track = Track(
        track_id=f"track {name}",
        title=name,
        duration_ms=seconds * 1_000,
        duration_samples=seconds * 48_000,
    )
    return Entry(entry_id=name, track=track, added_by=ANN, added_at_ms=0)


ONE, TWO, THREE = entry("one", 10), entry("two", 4), entry("three", 60)


def room(
    status: Status, started_at_ms: float | None, position_ms: float, current: Entry | None = ONE
) -> Snapshot:
    """A room in which the others wait, their starts agreed while it plays."""
    snapshot = decode_snapshot(encode(SNAPSHOT))
    snapshot.suspended = False
    snapshot.queue = [one for one in (TWO, THREE) if one is not current]
    snapshot.playback = Playback(
        status=status, entry=current, started_at_ms=started_at_ms, position_ms=position_ms
    )
    if status == "playing" and started_at_ms is not None and current is ONE:
        end_ms = started_at_ms + 10_000 - position_ms
        snapshot.playback.upcoming = [
            Start(entry_id="two", started_at_ms=end_ms),
            Start(entry_id="three", started_at_ms=end_ms + 4_000),
        ]
    return snapshot


def heard(schedule: Schedule, at_ms: float) -> tuple[str, float] | None:
    """Of which track how many ms."""
    playhead = schedule.at(T + at_ms)
    if playhead is None:
        return None
    return playhead.track_id.removeprefix("track "), playhead.position_samples / 48


def test_agreed_starts_follow_one_another_to_the_sample_without_a_word_from_anybody() -> None:
    schedule = Schedule()
    schedule.follow(room("playing", T, 2_000), T - 100)
    assert heard(schedule, -1) is None
    assert schedule.at(T) == Playhead("one", "track one", 96_000)
    assert heard(schedule, 7_999) == ("one", 9_999)
    assert heard(schedule, 8_000) == ("two", 0)
    assert heard(schedule, 12_001) == ("three", 1)
    assert heard(schedule, 72_000) is None
    # The event of the boundary says the same.
    schedule.follow(room("playing", T + 8_000, 0, TWO), T + 8_050)
    assert heard(schedule, 7_000) == ("one", 9_000)
    assert heard(schedule, 8_100) == ("two", 100)


def test_until_an_agreed_instant_goes_on_what_was_before() -> None:
    schedule = Schedule()
    schedule.follow(room("playing", T, 0), T)
    schedule.follow(room("playing", T + 3_000, 500), T + 2_700)
    assert heard(schedule, 2_999) == ("one", 2_999)
    assert heard(schedule, 3_001) == ("one", 501)
    schedule.follow(room("paused", T + 4_000, 1_500), T + 3_700)
    assert heard(schedule, 3_999) == ("one", 1_499)
    assert heard(schedule, 4_000) is None
    schedule.follow(room("paused", T + 5_000, 9_000), T + 4_700)
    assert heard(schedule, 5_100) is None
    schedule.follow(room("playing", T + 6_000, 9_000), T + 5_700)
    assert heard(schedule, 5_999) is None
    assert heard(schedule, 6_001) == ("one", 9_001)


def test_a_snapshot_that_says_the_same_changes_nothing() -> None:
    schedule = Schedule()
    for after_ms in (0, 1_000, 1_500):
        schedule.follow(room("playing", T, 0), T + after_ms)
    assert [heard(schedule, at) for at in (500, 2_000)] == [("one", 500), ("one", 2_000)]


@pytest.mark.parametrize("status", ["idle", "waiting"])
def test_it_is_silent_at_once_where_nothing_moves_any_more(status: Status) -> None:
    schedule = Schedule()
    schedule.follow(room("playing", T, 0), T)
    schedule.follow(room(status, None, 0, None), T + 3_000)
    assert heard(schedule, 2_999) == ("one", 2_999)
    assert heard(schedule, 3_000) is None


def test_it_is_silent_in_a_room_that_sleeps_or_was_left() -> None:
    schedule = Schedule()
    schedule.follow(room("playing", T, 0), T)
    asleep = room("playing", T, 0)
    asleep.suspended = True
    schedule.follow(asleep, T + 1_000)
    assert heard(schedule, 1_000) is None
    schedule.follow(room("playing", T, 0), T + 2_000)
    schedule.silence(T + 3_000)
    assert heard(schedule, 2_999) == ("one", 2_999)
    assert heard(schedule, 3_000) is None
