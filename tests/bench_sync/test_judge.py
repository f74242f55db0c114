"""The judge of recordings, on recordings of which everything is known."""

import numpy as np
import pytest

from tests.bench_sync.judge import Judge, biased, settled, steady, unbroken
from tests.web.hearing import RATE_HZ, Sound
from tests.web.music import noisy_music
from tests.web.recording import Heard

SECONDS = 8


@pytest.fixture(scope="module")
def piece() -> Sound:
    return noisy_music(SECONDS, 1)


def tone() -> Sound:
    return np.sin(2 * np.pi * np.arange(SECONDS * RATE_HZ) / 48).astype(np.float32)


def later(sound: Sound, samples: int) -> Sound:
    return np.roll(sound, samples)


def test_two_who_are_apart_are_in_tune_up_to_the_bar_and_no_further(piece: Sound) -> None:
    judge = Judge(Heard([piece, later(piece, 144)], tone()))
    found = judge.skew(0, SECONDS)
    assert [window.lag_ms for window in found] == pytest.approx([3.0] * 4, abs=0.01)
    assert steady("", found, p95_ms=3.1).held
    assert steady("", found, p95_ms=2.9).held is False
    assert steady("", found, p95_ms=None).held is None
    assert settled("", [found], most_ms=2.9).held is False
    assert settled("", [found, []], most_ms=3.1).held is False, "one was never in tune"
    assert biased("", found, p95_ms=0.1).held, "nothing but a lasting distance"


def test_of_several_the_outermost_two_count(piece: Sound) -> None:
    three = [later(piece, 48), piece, later(piece, 144)]
    found = Judge(Heard(three, tone())).skew(0, SECONDS)
    assert [window.lag_ms for window in found] == pytest.approx([3.0] * 4, abs=0.01)


def test_who_hears_something_else_or_nothing_is_not_in_tune(piece: Sound) -> None:
    for other in (noisy_music(SECONDS, 2), np.zeros_like(piece)):
        row = steady("", Judge(Heard([piece, other], tone())).skew(0, SECONDS), p95_ms=5.0)
        assert row.held is False
        assert "4 of 4" in row.figure


def test_a_rest_of_all_is_no_window_and_a_torn_tone_takes_one_away(piece: Sound) -> None:
    resting = piece.copy()
    resting[: 2 * RATE_HZ] = 0
    torn = tone()
    torn[5 * RATE_HZ + 10 :] = torn[5 * RATE_HZ : -10]
    judge = Judge(Heard([resting, resting], torn))
    assert [window.at_s for window in judge.skew(0, SECONDS)] == [3.0, 7.0]
    assert (judge.windows, judge.torn) == (4, 1)


def test_a_drop_out_of_one_listener_is_a_hole(piece: Sound) -> None:
    broken = piece.copy()
    broken[3 * RATE_HZ : 3 * RATE_HZ + 4_800] = 0
    judge = Judge(Heard([piece, broken], tone()))
    assert judge.hole_ms(0, SECONDS) == pytest.approx(100, abs=10)
    assert unbroken("", judge.hole_ms(0, SECONDS), most_ms=50).held is False
    assert unbroken("", judge.hole_ms(0, 2), most_ms=10).held
