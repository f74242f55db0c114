"""What is accepted, what it is found to be, and what is refused without harm."""

import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import ExifTags, Image

from httpapi.media.probed import Probed
from httpapi.media.worker import ProbeWorker
from protocol.errors import ErrorCode, Rejected
from tests.httpapi.media.sounds import (
    apic,
    film,
    id3,
    moving_picture,
    picture,
    silent_flac,
    sound,
    text,
)

FOUR_HOURS_MS = 4 * 3_600_000
Look = Callable[..., Awaitable[Probed]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    worker = ProbeWorker()

    async def look(data: bytes, name: str = "x.mp3", cap_ms: int = FOUR_HOURS_MS) -> Probed:
        path = tmp_path / "upload"
        path.write_bytes(data)
        return await worker.probe(path, name=name, max_duration_ms=cap_ms)

    return look


async def refusal(looking: Awaitable[Probed]) -> str:
    with pytest.raises(Rejected) as caught:
        await looking
    assert caught.value.code is ErrorCode.UNSUPPORTED_MEDIA
    return str(caught.value)


@pytest.mark.parametrize(
    ("container", "codec", "media_type", "found", "padding"),
    [
        ("mp3", "libmp3lame", "audio/mpeg", "mp3", 0),
        # FFmpeg's own encoder fills the last block.
        ("ogg", "vorbis", "audio/ogg", "vorbis", 512),
        ("ogg", "libopus", "audio/ogg", "opus", 0),
        ("flac", "flac", "audio/flac", "flac", 0),
        ("wav", "pcm_s16le", "audio/wav", "pcm_s16le", 0),
        ("ipod", "aac", "audio/mp4", "aac", 2_048),
        ("adts", "aac", "audio/aac", "aac", 2_048),
        ("webm", "libopus", "audio/webm", "opus", 0),
    ],
)
async def test_each_accepted_kind_is_known_by_its_content_and_counted_to_the_sample(
    look: Look, container: str, codec: str, media_type: str, found: str, padding: int
) -> None:
    probed = await look(sound(container, codec, samples=100_001), name="whatever.exe")
    assert (probed.media_type, probed.codec) == (media_type, found)
    assert (probed.sample_rate_hz, probed.channels) == (48_000, 2)
    # AAC has no place for the length of its last block.
    assert 100_001 <= probed.duration_samples <= 100_001 + padding
    assert abs(probed.duration_ms - probed.duration_samples / 48) <= 0.5


async def test_other_rates_are_counted_at_48_khz(look: Look) -> None:
    data = sound("flac", "flac", samples=44_101, rate_hz=44_100, channels=1)
    probed = await look(data)
    assert (probed.sample_rate_hz, probed.channels) == (44_100, 1)
    assert probed.duration_samples == round(44_101 * 48_000 / 44_100)


def zipped() -> bytes:
    out = io.BytesIO()
    with ZipFile(out, "w") as archive:
        archive.writestr("song.mp3", sound("mp3", "libmp3lame"))
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"\0" * 100_000,
        b"<!doctype html><script>alert(1)</script>",
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b"MZ" + bytes(range(256)) * 40,
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:1/a.ts\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"ID3\x03\0\0\0\0\0\0" + b"<html>" * 5_000,
        bytes((i * 7919 >> 3) & 0xFF for i in range(50_000)),
        picture(),
        film(),
        zipped(),
        b"<html><script>alert(1)</script>" + sound("mp3", "libmp3lame"),
        sound("aiff", "pcm_s16be"),
        sound("matroska", "pcm_s16le"),
    ],
    ids=[
        "empty",
        "nul",
        "zeros",
        "html",
        "svg",
        "exe",
        "m3u8",
        "ffconcat",
        "id3_html",
        "noise",
        "png",
        "film",
        "zip",
        "polyglot",
        "aiff",
        "pcm_in_mkv",
    ],
)
async def test_u1_what_is_not_accepted_audio_is_refused_whatever_its_name(
    look: Look, data: bytes
) -> None:
    await refusal(look(data, name="song.mp3"))


@pytest.mark.parametrize("told", [True, False])
async def test_u4_ten_hours_of_silence_in_half_a_megabyte_are_refused(
    look: Look, told: bool
) -> None:
    assert "too long" in await refusal(look(silent_flac(10, told=told)))


async def test_the_longest_file_that_is_allowed_passes(look: Look) -> None:
    data = sound("flac", "flac", samples=96_000)
    assert (await look(data, cap_ms=2_000)).duration_ms == 2_000
    assert "too long" in await refusal(look(data, cap_ms=1_999))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
async def test_u5_a_truncated_file_is_refused(look: Look, share: float) -> None:
    data = sound("flac", "flac", samples=200_000)
    await refusal(look(data[: int(len(data) * share)]))
    data = sound("ipod", "aac", samples=200_000)
    await refusal(look(data[: int(len(data) * share)]))


async def test_u5_hostile_tags_come_out_clean(look: Look) -> None:
    frames = [
        text(b"TIT2", "\u202e  evil\x07\n tle\u200b " + "e\u0301" * 300),
        text(b"TPE1", "\u3164\u2800"),
        text(b"TALB", "z" + "\u0300" * 500),
    ]
    probed = await look(id3(frames) + sound("mp3", "libmp3lame"))
    assert probed.title.startswith("evil tle é")
    assert len(probed.title) == 200
    assert not any(ord(c) < 32 or c in "\u202e\u200b\u0301" for c in probed.title)
    assert probed.artist == ""
    assert len(probed.album) <= 5


async def test_u5_tags_of_50_mb_and_of_100_000_frames_do_no_harm(look: Look) -> None:
    song = sound("mp3", "libmp3lame")
    probed = await look(id3([text(b"TIT2", "long" * 6_000_000)]) + song)
    assert probed.title == "long" * 50
    probed = await look(id3([text(b"TXXX", "a")] * 100_000) + song, name="Many frames.mp3")
    assert probed.title == "Many frames"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("01 Träume.mp3", "01 Träume"),
        ("../../etc/passwd", "passwd"),
        ("C:\\music\\tune.wav", "tune"),
        ("a\0b\r\n.mp3", "a b"),
        ("x" * 300 + ".mp3", "x" * 200),
        ("\ud800", "Untitled"),
        ("", "Untitled"),
    ],
)
async def test_u6_a_file_without_tags_is_called_by_its_cleaned_name(
    look: Look, name: str, title: str
) -> None:
    assert (await look(sound("wav", "pcm_s16le"), name=name)).title in (title, "?")


async def test_a2_a_cover_is_made_anew_small_and_bare(look: Look) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held sideways
    exif[0x010E] = "where I live"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (51.0, 30.0, 26.0)
    more = {
        "xmp": b"<x:xmpmeta>where I live</x:xmpmeta>",
        "icc_profile": b"where I live",
        "comment": b"where I live",
    }
    out = io.BytesIO()
    Image.new("RGB", (1_000, 500), "teal").save(out, "JPEG", exif=exif, **more)
    assert out.getvalue().count(b"where I live") == 4
    probed = await look(id3([apic(out.getvalue(), b"image/jpeg")]) + sound("mp3", "libmp3lame"))
    for made in (probed.cover, probed.cover_small):
        assert made is not None and b"where I live" not in made
        cover = Image.open(io.BytesIO(made))
        assert (cover.format, cover.width * 2) == ("JPEG", cover.height)
        assert cover.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert not cover.getexif()


@pytest.mark.parametrize(
    "data",
    [
        picture(13_000, 13_000, mode="1"),
        picture(20_000, 20_000, mode="1"),
        picture(4_001, 4_000, mode="1"),
    ],
    ids=["13000²", "20000²", "16_Mpx"],
)
async def test_a1_a_bomb_is_no_cover_and_the_song_is_kept(look: Look, data: bytes) -> None:
    await is_no_cover(look, data)


@pytest.mark.parametrize(
    "data",
    [
        b"<svg/>",
        b"%!PS",
        picture(format="GIF"),
        picture(format="TIFF"),
        picture(format="AVIF"),
        moving_picture("PNG"),
        moving_picture("WEBP"),
        picture()[:400],
    ],
    ids=["svg", "ps", "gif", "tiff", "avif", "moving_png", "moving_webp", "cut"],
)
async def test_a3_a_strange_picture_is_no_cover_and_the_song_is_kept(
    look: Look, data: bytes
) -> None:
    await is_no_cover(look, data)


async def is_no_cover(look: Look, data: bytes) -> None:
    probed = await look(id3([text(b"TIT2", "Song"), apic(data)]) + sound("mp3", "libmp3lame"))
    assert (probed.title, probed.cover) == ("Song", None)
