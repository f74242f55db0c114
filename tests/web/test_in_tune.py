"""What two people hear is the same, to the millisecond: recorded, not computed."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from httpapi.demo.music import DEMO_TRACKS, compose
from tests.cluster.server import Served
from tests.web.browser import Visitor
from tests.web.recording import RATE_HZ, SoundCard, skews_ms, sound_card
from tests.web.test_journey import make_room, upload

SECONDS = 20
BAR_MS = 30.0


@pytest.fixture
def card() -> Iterator[SoundCard]:
    # A socket's path has at most 107 bytes: pytest's own folders are too deep.
    with tempfile.TemporaryDirectory(prefix="pulse-") as folder, sound_card(Path(folder)) as card:
        yield card


def test_a_known_skew_is_found() -> None:
    """The measure itself: noise, played 7.25 samples later on the second pair."""
    noise = np.random.default_rng(1).standard_normal((3 * RATE_HZ, 1)).astype(np.float32)
    spectrum = np.fft.rfft(noise[:, 0])
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(len(noise)) * 7.25)
    late = np.fft.irfft(spectrum * turn, len(noise)).astype(np.float32)[:, None]
    (found,) = skews_ms(np.hstack((noise, noise, late, late)))
    assert found == pytest.approx(7.25 / RATE_HZ * 1_000, abs=0.005)


@pytest.mark.browser
@pytest.mark.timeout(180)
async def test_two_pages_are_in_tune(
    served: Served, visitor: Callable[..., Visitor], card: SoundCard, tmp_path: Path
) -> None:
    track = DEMO_TRACKS[0]
    song = tmp_path / track.file_name
    song.write_bytes(await compose(track.name))
    ann, bob = (visitor(card.browser_env(sink)) for sink in ("one", "two"))
    ann.come(served.url, "Ann")
    room = make_room(ann, "Kitchen")
    upload(ann, song, "ann")
    ann.sees("#now-state", "Playing")
    bob.come(room, "Bob")
    bob.sees("#now-state", "Playing")
    card.record(6)  # the first 6 s after joining belong to the clock
    found = [abs(skew) for skew in skews_ms(card.record(SECONDS))]
    figures = f"median {np.median(found):.2f} ms, worst {max(found):.2f} ms of {found}"
    print(figures)
    assert max(found) <= BAR_MS, figures
