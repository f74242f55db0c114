"""Two pages play the same sample at the same instant: what two listeners hear, recorded."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from tests.web.conftest import Opener
from tests.web.music import write
from tests.web.people import report
from tests.web.recording import SoundCard, lags_ms, worst_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]

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
