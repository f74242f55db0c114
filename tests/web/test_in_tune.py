"""Two pages play the same sample at the same instant: what two listeners hear, recorded."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from tests.web.conftest import Opener
from tests.web.music import RATE_HZ, noisy_music, write
from tests.web.people import eventually, report
from tests.web.recording import SoundCard, found_at, lags_ms, worst_of

IN_TUNE_MS = 30.0
SETTLED_S = 6.0
STEADY_S = 20.0
STARTS = 10
APART_S = 2.5


@pytest.fixture
def sound_card() -> Iterator[SoundCard]:
    card = SoundCard()
    yield card
    card.close()


def test_a_known_distance_is_found_and_silence_is_none() -> None:
    sound = noisy_music(3, 1)
    for late in (0, 7, -333):
        shifted = np.roll(sound, late)
        (found,) = lags_ms((sound, shifted), from_s=0, to_s=2, window_s=2, step_s=1)
        assert found == pytest.approx(late * 1_000 / RATE_HZ)
    silent = np.zeros_like(sound)
    assert lags_ms((sound, silent), from_s=0, to_s=2, window_s=2, step_s=1) == [None]
    other = noisy_music(3, 2)
    assert lags_ms((sound, other), from_s=0, to_s=2, window_s=2, step_s=1) == [None]


@pytest.mark.browser
@pytest.mark.timeout(150)
def test_two_pages_are_in_tune(browser: Opener, sound_card: SoundCard, tmp_path: Path) -> None:
    piece = write(tmp_path / "piece.flac", 120, title="Find Me", artist="Noise")
    ann = browser(environment=sound_card.environment_of(0))
    bob = browser(environment=sound_card.environment_of(1))
    ann.come_in("Ann")
    room = ann.make_room("In tune")
    ann.upload(piece)
    ann.make_account("ann")
    ann.shows("#now-title", "Find Me")
    ann.shows("#now-state", "In tune")
    bob.come_in("Bob", room)
    bob.shows("#now-state", "In tune")

    recording = sound_card.start_recording()
    recording.reach(SETTLED_S + STEADY_S)
    starts: list[float] = []
    for number in range(STARTS):
        ann.seek(10_000 + 7_000 * number)
        starts.append(recording.seconds)
        recording.reach(starts[-1] + APART_S)
    heard = recording.stop()

    to_s = SETTLED_S + STEADY_S
    steady = lags_ms(heard, from_s=SETTLED_S, to_s=to_s, window_s=2, step_s=1)
    after = [
        lag
        for at in starts
        for lag in lags_ms(heard, from_s=at + 1, to_s=at + 2, window_s=1, step_s=1)
    ]
    figures = {}
    for what, found in (("steady", steady), ("after a start", after)):
        assert None not in found, f"{what}: somebody heard something else, or nothing: {found}"
        lags = [lag for lag in found if lag is not None]
        figures[what] = {
            "windows": len(lags),
            "median_ms": round(median(abs(lag) for lag in lags), 3),
            "p95_ms": round(worst_of(lags, 0.95), 3),
        }
    report("apart", figures)
    for told in figures.values():
        assert told["median_ms"] <= IN_TUNE_MS
        assert told["p95_ms"] <= IN_TUNE_MS


@pytest.mark.browser
@pytest.mark.timeout(150)
def test_the_next_track_begins_with_the_sample_after_the_last(
    browser: Opener, sound_card: SoundCard, tmp_path: Path
) -> None:
    first_s, second_s = 30, 20
    first = write(tmp_path / "first.flac", first_s, title="First", artist="Noise", seed=1)
    second = write(tmp_path / "second.flac", second_s, title="Second", artist="Noise", seed=2)
    ann = browser(environment=sound_card.environment_of(0))
    ann.come_in("Ann")
    ann.make_room("Joined")
    ann.upload(first)
    ann.make_account("ann")
    ann.shows("#now-title", "First")
    ann.upload(second)
    eventually(lambda: ann.titles() == ["Second"], "the second waits")
    ann.seek((first_s - 8) * 1_000)
    recording = sound_card.start_recording()
    ann.shows("#now-title", "Second")
    recording.reach(recording.seconds + 2)
    heard, _ = recording.stop()

    # The last second of the one and the first moments of the other, each looked for by itself.
    last = noisy_music(first_s, 1)[-RATE_HZ:]
    begin = noisy_music(second_s, 2)[: RATE_HZ * 3 // 10]
    gap = found_at(heard, begin) - (found_at(heard, last) + len(last))
    report("gap between two tracks", {"samples": gap})
    assert abs(gap) <= 1
