"""The canonical rendition over REST: exact, for those who may, and only once it is there."""

import io
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from httpapi.media.segments import PREROLL_SAMPLES, SEGMENT_SAMPLES
from httpapi.media.sound import blocks
from tests.httpapi.conftest import OpenSite
from tests.httpapi.media.sounds import apic, id3, picture, sound
from tests.httpapi.media.test_segments import decoded
from tests.httpapi.site import Answer, Guest, Site
from tests.httpapi.test_jobs import ended

TONE = sound("flac", "flac", samples=48_000)
PIECE = sound("mp3", "libmp3lame", samples=25 * 44_100, rate_hz=44_100)


async def made(site: Site, who: Guest, data: bytes, **more: str) -> str:
    """Upload, wait for the job; returns the path of the track."""
    answer = await site.upload(who, data, **more)
    assert answer.status == 201, answer
    assert (await ended(site, who, answer.body["job_id"])).body["state"] == "done"
    return f"/api/tracks/{answer.body['track_id']}"


async def segments(site: Site, who: Guest, track: str, codec: str) -> list[np.ndarray]:
    """All of them, decoded."""
    told = (await site.ask("GET", track, who=who)).body["rendition"]
    parts = []
    for number in range(told["segments"]):
        answer = await site.ask("GET", f"{track}/segments/{number}?codec={codec}", who=who)
        assert answer.status == 200, answer
        parts.append(decoded(answer.data))
    beyond = await site.ask("GET", f"{track}/segments/{told['segments']}?codec={codec}", who=who)
    assert (beyond.status, beyond.code) == (404, "not_found")
    return parts


async def test_flac_segments_are_the_whole_piece_sample_by_sample(
    open_site: OpenSite, tmp_path: Path
) -> None:
    async with open_site(media_workers=1) as site:
        who = await site.account()
        track = await made(site, who, PIECE)
        details = (await site.ask("GET", track, who=who)).body
        path = tmp_path / "piece.mp3"
        path.write_bytes(PIECE)
        whole = np.concatenate(list(blocks(str(path), details["duration_samples"])))
        parts = await segments(site, who, track, "flac")
        assert [len(part) for part in parts[:-1]] == [SEGMENT_SAMPLES] * 2
        assert np.array_equal(np.concatenate(parts), whole)
        assert len(whole) == details["duration_samples"]
        assert details["rendition"]["segment_samples"] == SEGMENT_SAMPLES
        # A tone of amplitude 0.2, of which LAME makes 0.19.
        assert details["rendition"]["true_peak_db"] == pytest.approx(-14.4, abs=0.2)
        assert details["rendition"]["integrated_lufs"] == pytest.approx(-15.2, abs=0.3)
        outline = (await site.ask("GET", f"{track}/waveform", who=who)).body["points"]
        assert len(outline) == 1_000
        assert np.median(outline) == pytest.approx(0.19 * 255, abs=2)


async def test_opus_segments_join_once_the_preroll_is_cut_off(open_site: OpenSite) -> None:
    async with open_site(media_workers=1) as site:
        who = await site.account()
        track = await made(site, who, PIECE)
        flac = np.concatenate(await segments(site, who, track, "flac"))
        details = (await site.ask("GET", track, who=who)).body
        preroll_samples = details["rendition"]["opus_preroll_samples"]
        assert preroll_samples == PREROLL_SAMPLES
        first, *later = await segments(site, who, track, "opus")
        opus = np.concatenate([first, *(part[preroll_samples:] for part in later)])
        assert len(opus) == details["duration_samples"]
        # Aligned to the sample: at any other shift the two agree less.
        around = slice(SEGMENT_SAMPLES - 24_000, SEGMENT_SAMPLES + 24_000)
        errors = {
            shift: float(np.abs(np.roll(opus, shift, axis=0)[around] - flac[around]).mean())
            for shift in range(-3, 4)
        }
        assert min(errors, key=lambda shift: errors[shift]) == 0
        error = np.abs(opus - flac).max(axis=1)
        join = error[SEGMENT_SAMPLES - 480 : SEGMENT_SAMPLES + 480].max()
        assert join <= error[48_000 : SEGMENT_SAMPLES - 48_000].max() * 1.5


async def test_a_segment_never_changes_and_is_told_so(open_site: OpenSite) -> None:
    async with open_site(media_workers=1) as site:
        who = await site.account()
        track = await made(site, who, TONE)
        tags = set()
        for codec, media_type in (("flac", "audio/flac"), ("opus", "audio/ogg")):
            path = f"{track}/segments/0?codec={codec}"
            answer = await site.ask("GET", path, who=who)
            assert answer.headers["Content-Type"] == media_type
            assert "immutable" in answer.headers["Cache-Control"]
            assert answer.headers["Cache-Control"].startswith("private")
            tag = answer.headers["ETag"]
            assert tag.startswith('"')
            tags.add(tag)
            again = await site.ask("GET", path, who=who, headers={"If-None-Match": tag})
            assert (again.status, again.data) == (304, b"")
            part = await site.ask("GET", path, who=who, headers={"Range": "bytes=10-19"})
            assert (part.status, part.data) == (206, answer.data[10:20])
        assert len(tags) == 2
        assert (await site.ask("GET", f"{track}/segments/0", who=who)).headers["ETag"] in tags


async def test_before_it_is_made_the_refusal_is_temporary(site: Site) -> None:
    who = await site.account()
    answer = await site.upload(who, TONE)
    assert answer.body["rendition"] is None
    track = f"/api/tracks/{answer.body['track_id']}"
    for path in ("segments/0", "waveform"):
        refused = await site.ask("GET", f"{track}/{path}", who=who)
        assert (refused.status, refused.code) == (409, "not_ready")
        assert int(refused.headers["Retry-After"]) >= 1
    assert (await site.ask("GET", f"{track}/audio", who=who)).status == 200


async def test_numbers_and_codecs_that_are_none(open_site: OpenSite) -> None:
    async with open_site(media_workers=1) as site:
        who = await site.account()
        track = await made(site, who, TONE)
        for number in ("1", "-1", "x", "1.0", "%00", "٣", "999999999", "9" * 40):
            answer = await site.ask("GET", f"{track}/segments/{number}", who=who)
            assert answer.status == 404, number
        answer = await site.ask("GET", f"{track}/segments/0?codec=wav", who=who)
        assert (answer.status, answer.code) == (400, "bad_request")


async def test_u9_the_rendition_of_a_private_rooms_track_is_for_that_room_only(
    open_site: OpenSite,
) -> None:
    async with open_site(media_workers=1) as site:
        owner, stranger = await site.account(), await site.guest()
        room_id = await site.room(owner, visibility="private")
        track = await made(site, owner, TONE, room_id=room_id)
        for path in ("segments/0", "waveform", "cover"):
            answer = await site.ask("GET", f"{track}/{path}", who=stranger)
            assert (answer.status, answer.code) == (404, "unknown_track")
            assert (await site.ask("GET", f"{track}/{path}")).status == 401
        # A yes to one is no yes to another.
        assert (await site.ask("GET", f"{track}/segments/0", who=owner)).status == 200
        assert (await site.ask("GET", f"{track}/segments/0", who=stranger)).status == 404


async def test_equal_files_are_analysed_once(open_site: OpenSite) -> None:
    async with open_site(media_workers=1) as site:
        one, two = await site.account(), await site.account()
        first = await made(site, one, TONE)
        again = await site.upload(two, TONE, "other name.flac")
        assert again.body["rendition"] is not None
        assert (await ended(site, two, again.body["job_id"])).body["state"] == "done"
        assert await site.scalar("select count(*) from renditions") == 1
        answers: list[Answer] = [
            await site.ask("GET", f"{first}/segments/0", who=one),
            await site.ask("GET", f"/api/tracks/{again.body['track_id']}/segments/0", who=two),
        ]
        assert answers[0].data == answers[1].data


async def test_silence_has_no_loudness(open_site: OpenSite) -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="wav") as file:
        stream = file.add_stream("pcm_s16le", rate=48_000, layout="stereo")
        silence = np.zeros((1, 96_000), np.int16)
        frame = av.AudioFrame.from_ndarray(silence, format="s16", layout="stereo")
        frame.sample_rate = 48_000
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    async with open_site(media_workers=1) as site:
        who = await site.account()
        track = await made(site, who, out.getvalue())
        told = (await site.ask("GET", track, who=who)).body["rendition"]
        assert (told["integrated_lufs"], told["true_peak_db"]) == (None, None)
        points = (await site.ask("GET", f"{track}/waveform", who=who)).body["points"]
        assert set(points) == {0}


async def test_a_cover_comes_in_two_sizes(site: Site) -> None:
    who = await site.account()
    data = id3([apic(picture(900, 600))]) + sound("mp3", "libmp3lame", samples=48_000)
    answer = await site.upload(who, data, "covered.mp3")
    assert answer.body["has_cover"]
    track = f"/api/tracks/{answer.body['track_id']}"
    for query, width in (("", 512), ("?size=large", 512), ("?size=small", 96)):
        cover = await site.ask("GET", f"{track}/cover{query}", who=who)
        assert cover.headers["Content-Type"] == "image/jpeg"
        with Image.open(io.BytesIO(cover.data)) as image:
            assert (image.width, image.height) == (width, width * 2 // 3)
    assert (await site.ask("GET", f"{track}/cover?size=huge", who=who)).status == 400
