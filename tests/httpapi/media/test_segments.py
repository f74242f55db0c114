"""The canonical rendition: segments decode by themselves and join without a gap."""

import io
from pathlib import Path

import av
import numpy as np
import pytest

from httpapi.media.segments import PREROLL_SAMPLES, SEGMENT_SAMPLES, Segment, Segmenter
from httpapi.media.sound import Block, blocks
from tests.httpapi.media.sounds import sound

SAMPLES = 2 * SEGMENT_SAMPLES + 70_026


def piece(samples: int = SAMPLES) -> Block:
    """Two voices that glide, with some noise: no two seconds are alike."""
    at = np.arange(samples) / 48_000
    noise = np.random.default_rng(1).normal(0, 0.01, samples)
    left = 0.4 * np.sin(2 * np.pi * (110 * at + 9 * at**2)) + noise
    right = 0.3 * np.sin(2 * np.pi * (331 * at - 3 * at**2)) - noise
    return (np.stack((left, right), axis=1) * 32_767).astype(np.int16)


def cut(whole: Block, step: int) -> list[Segment]:
    segmenter = Segmenter()
    done = [
        segment
        for start in range(0, len(whole), step)
        for segment in segmenter.take(whole[start : start + step])
    ]
    return done + list(segmenter.finish())


def decoded(data: bytes) -> np.ndarray:
    """What a decoder makes of it, shape (n, 2), full scale 32,768."""
    parts = []
    with av.open(io.BytesIO(data)) as container:
        for frame in container.decode(audio=0):
            part = frame.to_ndarray()
            parts.append(part.T if frame.format.is_planar else part.reshape(-1, 2))
    joined = np.concatenate(parts).astype(np.float64)
    return joined * 32_768 if np.abs(joined).max() <= 2 else joined


def loudness(error: np.ndarray) -> float:
    return float(np.sqrt((error**2).mean()))


@pytest.fixture(scope="module")
def whole() -> Block:
    return piece()


@pytest.fixture(scope="module")
def segments(whole: Block) -> list[Segment]:
    return cut(whole, 48_000)


def test_flac_segments_join_to_the_very_samples(whole: Block, segments: list[Segment]) -> None:
    assert [segment.number for segment in segments] == [0, 1, 2]
    joined = np.concatenate([decoded(segment.flac) for segment in segments])
    assert np.array_equal(joined, whole)


def test_opus_segments_have_their_length_after_the_preroll(segments: list[Segment]) -> None:
    lengths = [len(decoded(segment.opus)) for segment in segments]
    assert lengths == [SEGMENT_SAMPLES, SEGMENT_SAMPLES + PREROLL_SAMPLES, 70_026 + PREROLL_SAMPLES]


def test_opus_is_no_worse_at_the_joins_and_nowhere_late(
    whole: Block, segments: list[Segment]
) -> None:
    first, *later = (decoded(segment.opus) for segment in segments)
    joined = np.concatenate([first, *(part[PREROLL_SAMPLES:] for part in later)])
    assert len(joined) == len(whole)
    error = joined - whole
    inside = loudness(error[SEGMENT_SAMPLES // 2 - 4_800 : SEGMENT_SAMPLES // 2 + 4_800])
    for join in (SEGMENT_SAMPLES, 2 * SEGMENT_SAMPLES):
        assert loudness(error[join - 2_400 : join + 2_400]) < 2 * inside
    # One sample of delay would be far above what the codec itself changes.
    assert loudness(joined[1:] - whole[:-1]) > 2 * loudness(error)


def test_without_the_preroll_a_join_is_heard(whole: Block, segments: list[Segment]) -> None:
    bare = cut(whole[SEGMENT_SAMPLES : SEGMENT_SAMPLES + 48_000], 48_000)[0]
    rolled = decoded(segments[1].opus)[PREROLL_SAMPLES:]
    start = whole[SEGMENT_SAMPLES : SEGMENT_SAMPLES + 960]
    assert loudness(rolled[:960] - start) < loudness(decoded(bare.opus)[:960] - start)


def test_however_the_sound_arrives_the_segments_are_the_same_bytes(segments: list[Segment]) -> None:
    assert cut(piece(), 7_001) == segments


def test_a_piece_of_whole_segments_has_no_empty_one() -> None:
    assert [s.number for s in cut(piece(SEGMENT_SAMPLES), 48_000)] == [0]


@pytest.mark.parametrize(("container", "codec"), [("mp3", "libmp3lame"), ("adts", "aac")])
def test_the_sound_is_as_long_as_was_told(container: str, codec: str, tmp_path: Path) -> None:
    path = tmp_path / "piece"
    path.write_bytes(sound(container, codec, samples=90_000, rate_hz=44_100, channels=1))
    for samples in (97_959, 90_000, 150_000):
        parts = list(blocks(str(path), samples))
        assert sum(map(len, parts)) == samples
        assert {part.shape[1] for part in parts} == {2}
