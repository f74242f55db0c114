"""Loudness by EBU R 128, and the outline of a piece."""

import numpy as np
import pytest

from httpapi.media.loudness import Loudness, LoudnessMeter
from httpapi.media.sound import Block
from httpapi.media.waveform import POINTS, Outline


def tone(level_db: float, seconds: float, hertz: float = 1_000) -> Block:
    at = np.arange(round(48_000 * seconds)) / 48_000
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * hertz * at)
    return (np.stack((wave, wave), axis=1) * 32_767).astype(np.int16)


def measured(*parts: Block) -> Loudness:
    meter = LoudnessMeter()
    for part in parts:
        meter.take(part)
    return meter.finish()


@pytest.mark.parametrize("level_db", [-23.0, -33.0])
def test_the_reference_tone_is_as_loud_as_the_standard_says(level_db: float) -> None:
    """EBU Tech 3341, cases 1 and 2: a stereo tone of 1 kHz at -23 (-33) dBFS for 20 s."""
    loudness = measured(tone(level_db, 20))
    assert loudness.integrated_lufs == pytest.approx(level_db, abs=0.1)
    assert loudness.true_peak_db == pytest.approx(level_db, abs=0.2)


def test_quiet_passages_are_gated_out() -> None:
    """EBU Tech 3341, case 3: 10 s at -36, 60 s at -23, 10 s at -36 dBFS."""
    loudness = measured(tone(-36, 10), tone(-23, 60), tone(-36, 10))
    assert loudness.integrated_lufs == pytest.approx(-23, abs=0.1)


def test_a_wave_between_the_samples_peaks_higher_than_they_do() -> None:
    at = np.arange(48_000 * 2)
    wave = 0.5 * np.sin(2 * np.pi * at / 4 + np.pi / 4)
    part = (np.stack((wave, wave), axis=1) * 32_767).astype(np.int16)
    sample_peak_db = 20 * np.log10(np.abs(part).max() / 32_768)
    true_peak_db = measured(part).true_peak_db
    assert true_peak_db is not None and true_peak_db > sample_peak_db + 2


def test_silence_has_no_loudness() -> None:
    assert measured(np.zeros((96_000, 2), np.int16)) == Loudness(None, None)


def test_the_outline_follows_the_sound() -> None:
    sound = np.concatenate((tone(-6, 3), tone(-26, 3), np.zeros((48_000 * 3, 2), np.int16)))
    outline = Outline(len(sound))
    for start in range(0, len(sound), 10_007):
        outline.take(sound[start : start + 10_007])
    points = outline.finish()
    assert len(points) == POINTS
    assert set(points[10:320]) <= {127, 128} and set(points[340:660]) <= {12, 13}
    assert set(points[670:]) == {0}


def test_a_piece_shorter_than_the_outline_has_points_all_the_same() -> None:
    outline = Outline(500)
    outline.take(np.full((500, 2), 32_767, np.int16))
    assert max(outline.finish()) == 255
