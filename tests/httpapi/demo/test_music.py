"""The demo tracks sound as they should and pass through the same door as an upload."""

import asyncio
import io
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from httpapi.demo.mix import loudness_lufs
from httpapi.demo.music import DEMO_TRACKS, DemoTrack, compose
from httpapi.demo.score import hz
from httpapi.media.probed import Probed
from httpapi.media.worker import ProbeWorker

each_track = pytest.mark.parametrize("track", DEMO_TRACKS, ids=lambda track: track.name)


@cache
def composed(name: str) -> bytes:
    return asyncio.run(compose(name))


@cache
def decoded(name: str) -> np.ndarray:
    with av.open(io.BytesIO(composed(name))) as container:
        return np.concatenate([f.to_ndarray() for f in container.decode(audio=0)], axis=1)


def db(share: float) -> float:
    return float(20 * np.log10(max(share, 1e-9)))


def probed(track: DemoTrack, folder: Path) -> Probed:
    path = folder / "upload"
    path.write_bytes(composed(track.name))
    worker = ProbeWorker()
    return asyncio.run(worker.probe(path, name="upload", max_duration_ms=120_000))


def test_there_are_enough_tracks_and_no_two_are_called_alike() -> None:
    assert len(DEMO_TRACKS) >= 4
    assert len({track.title for track in DEMO_TRACKS}) == len(DEMO_TRACKS)


@each_track
def test_a_track_is_read_back_as_an_upload_with_its_tags_and_cover(
    track: DemoTrack, tmp_path: Path
) -> None:
    found = probed(track, tmp_path)
    assert (found.title, found.artist, found.album) == (track.title, track.artist, track.album)
    assert (found.media_type, found.codec, found.channels) == ("audio/ogg", "opus", 2)
    assert 35_000 <= found.duration_ms <= 90_000
    assert found.duration_samples == decoded(track.name).shape[1]
    assert found.cover is not None
    cover = Image.open(io.BytesIO(found.cover))
    assert cover.size == (512, 512)
    assert len(cover.convert("RGB").quantize(64).getcolors()) > 32
    assert len(composed(track.name)) < 2_000_000


@each_track
def test_a_track_is_as_loud_as_the_others_and_never_too_loud(track: DemoTrack) -> None:
    audio = decoded(track.name)
    assert np.isfinite(audio).all()
    assert db(np.abs(audio).max()) <= -1.5
    assert -17 <= loudness_lufs(audio) <= -15
    assert abs(audio.mean()) < 1e-3


@each_track
def test_a_track_has_no_clicks_and_fades_at_both_ends(track: DemoTrack) -> None:
    audio = decoded(track.name)
    assert np.abs(np.diff(audio)).max() < 0.25
    assert np.abs(audio[:, :48]).max() < 0.01
    assert np.abs(audio[:, -480:]).max() < 0.01


@each_track
def test_a_track_plays_on_without_a_hole_and_in_stereo(track: DemoTrack) -> None:
    audio = decoded(track.name)
    halves = audio[:, : audio.shape[1] // 24_000 * 24_000].reshape(2, -1, 24_000)
    loud_db = [db(float(np.sqrt(np.mean(half**2)))) for half in halves.mean(axis=0)]
    assert min(loud_db[2:-10]) > -45
    assert np.corrcoef(audio)[0, 1] < 0.97
    left, right = np.sqrt(np.mean(audio**2, axis=1))
    assert abs(db(left / right)) < 2


def test_the_same_track_made_twice_is_the_same_file() -> None:
    name = DEMO_TRACKS[1].name
    assert asyncio.run(compose(name)) == composed(name)


def test_an_unknown_name_is_refused_before_anything_is_started() -> None:
    with pytest.raises(KeyError):
        asyncio.run(compose("no_such_piece"))


def test_notes_are_tuned_to_440_hz() -> None:
    assert hz("A4") == 440
    assert hz("A2") == 110
    assert hz("C4") == pytest.approx(261.626, abs=1e-3)
    assert hz("Bb3") == pytest.approx(hz("A3") * 2 ** (1 / 12))
    assert hz("C#5") == pytest.approx(hz("C5") * 2 ** (1 / 12))
