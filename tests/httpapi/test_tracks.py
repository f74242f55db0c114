"""Uploads and media over REST: rows U of the list of cases."""

import asyncio
import contextlib
import socket
from pathlib import Path

from tests.httpapi.conftest import OpenSite
from tests.httpapi.media.sounds import picture, sound
from tests.httpapi.site import Guest, Site

TONE = sound("flac", "flac", samples=48_000, tags={"title": "Tone", "artist": "Tester"})

TAGGED = sound(
    "flac",
    "flac",
    samples=4_800,
    tags={"title": "Tagged", "artist": "Tester", "album": "Tones", "genre": "Drone"},
)


def kept(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


async def audio_of(site: Site) -> tuple[Guest, str]:
    who = await site.account()
    answer = await site.upload(who, TONE)
    return who, f"/api/tracks/{answer.body['track_id']}/audio"


async def test_an_upload_becomes_a_track_with_its_exact_length(site: Site) -> None:
    who = await site.account()
    answer = await site.upload(who, TONE)
    assert answer.status == 201
    made = answer.body
    assert (made["title"], made["artist"]) == ("Tone", "Tester")
    assert (made["duration_samples"], made["duration_ms"]) == (48_000, 1_000)
    assert (made["size_bytes"], made["uploaded_by"]) == (len(TONE), who.user_id)
    assert made.pop("job_id")
    path = f"/api/tracks/{made['track_id']}"
    assert (await site.ask("GET", path, who=who)).body == made
    for query in ("", "?query=TONE", f"?uploaded_by={who.user_id}"):
        assert (await site.ask("GET", f"/api/tracks{query}", who=who)).body["items"] == [made]
    assert (await site.ask("GET", "/api/tracks?query=nothing", who=who)).body["items"] == []
    assert (await site.ask("GET", f"{path}/audio", who=who)).data == TONE


async def test_its_uploader_describes_it_anew_and_nobody_else(site: Site) -> None:
    who, other = await site.account(), await site.account()
    made = (await site.upload(who, TAGGED)).body
    assert (made["album"], made["genre"]) == ("Tones", "Drone")
    path = f"/api/tracks/{made['track_id']}"
    said = {"title": " A\u202e new\tone ", "genre": "Ambient"}
    changed = await site.ask("PATCH", path, said, who=who)
    wanted = {k: v for k, v in made.items() if k != "job_id"}
    wanted |= {"title": "A new one", "genre": "Ambient"}
    assert (changed.status, changed.body) == (200, wanted)
    assert (await site.ask("GET", path, who=who)).body == wanted
    assert (await site.ask("PATCH", path, {}, who=who)).body == wanted
    for body in ({"title": ""}, {"title": "\u200b"}, {"genre": None}, {"album": "x" * 201},
                 {"artist": 1}, {"media_type": "text/html"}):  # fmt: skip
        answer = await site.ask("PATCH", path, body, who=who)
        assert (answer.status, answer.code) == (400, "bad_request"), body
    for method in ("PATCH", "DELETE"):
        body = {"title": "Mine"} if method == "PATCH" else None
        answer = await site.ask(method, path, body, who=other)
        assert (answer.status, answer.code) == (403, "not_allowed")
        assert (await site.ask(method, path, body, who=await site.guest())).status == 403
    assert (await site.ask("GET", path, who=who)).body == wanted


async def test_tracks_are_found_by_what_they_are_and_whose(site: Site) -> None:
    ann, ben = await site.account(), await site.account()
    room_id = await site.room(ann, visibility="private")
    one = (await site.upload(ann, TAGGED)).body["track_id"]
    two = (await site.upload(ben, TONE)).body["track_id"]
    three = (await site.upload(ann, TONE, room_id=room_id)).body["track_id"]

    async def found(query: str, who: Guest = ann) -> list[str]:
        answer = await site.ask("GET", f"/api/tracks?{query}", who=who)
        assert answer.status == 200, answer
        return [track["track_id"] for track in answer.body["items"]]

    assert await found("") == [three, two, one]
    assert await found("", ben) == [two, one]
    assert await found("genre=drone") == await found("query=tagged") == [one]
    assert await found("genre=dro") == await found("genre=drone&query=nothing") == []
    assert await found(f"uploaded_by={ben.user_id}") == [two]
    assert await found(f"uploaded_by={ann.user_id}&genre=Drone") == [one]
    assert await found(f"room_id={room_id}") == [three]
    assert await found(f"room_id={room_id}", ben) == []
    first = (await site.ask("GET", "/api/tracks?limit=2", who=ann)).body
    assert len(first["items"]) == 2
    assert await found(f"limit=2&cursor={first['next_cursor']}") == [one]
    for query in ("genre=" + "x" * 201, "room_id=x", "uploaded_by=", "limit=0", "cursor=x"):
        assert (await site.ask("GET", f"/api/tracks?{query}", who=ann)).status == 400, query


async def test_a_deleted_track_is_gone_from_everywhere_and_its_quota_is_free(
    open_site: OpenSite,
) -> None:
    async with open_site(quota_bytes=len(TONE) + 10) as site:
        who, other = await site.account(), await site.account()
        made = (await site.upload(who, TONE)).body
        path = f"/api/tracks/{made['track_id']}"
        assert (await site.upload(who, TONE)).code == "quota_exceeded"
        assert (await site.ask("DELETE", path, who=who)).status == 204
        ways = [("GET", part) for part in ("", "/audio", "/cover", "/waveform", "/segments/0")]
        for method, part in (*ways, ("PATCH", ""), ("DELETE", "")):
            for person in (who, other):
                body = {} if method == "PATCH" else None
                answer = await site.ask(method, path + part, body, who=person)
                assert (answer.status, answer.code) == (404, "unknown_track"), part
        assert (await site.ask("GET", "/api/tracks", who=who)).body["items"] == []
        job = (await site.ask("GET", f"/api/jobs/{made['job_id']}", who=who)).body
        assert (job["state"], job["error"]) == ("failed", "The track has been deleted.")
        room_id = await site.room(other)
        queue = f"/api/rooms/{room_id}/queue"
        queued = await site.ask("POST", queue, {"track_id": made["track_id"]}, who=other)
        assert (queued.status, queued.code) == (404, "unknown_track")
        again = [site.upload(who, TONE), site.upload(who, TONE)]
        assert sorted(answer.status for answer in await asyncio.gather(*again)) == [201, 413]


async def test_deleting_what_plays_ends_it_in_the_room_and_the_next_begins(site: Site) -> None:
    who = await site.account()
    room_id = await site.room(who)
    lost, kept_one = [(await site.upload(who, TONE)).body["track_id"] for _ in range(2)]
    async with site.socket(who, room_id) as socket:
        for track_id in (lost, kept_one, lost):
            path = f"/api/rooms/{room_id}/queue"
            assert (await site.ask("POST", path, {"track_id": track_id}, who=who)).status == 201
        # Waits for the listener to load it, who never does so before three seconds have passed.
        assert (await site.ask("DELETE", f"/api/tracks/{lost}", who=who)).status == 204
        told: list[dict[str, object]] = []
        while not any(event["type"] == "playback.ended" for event in told):
            frame = await socket.receive_json()
            told += frame.get("events", [])
    (ended,) = [event for event in told if event["type"] == "playback.ended"]
    assert ended["reason"] == "skipped"
    (removed,) = [event for event in told if event["type"] == "queue.removed"]
    assert removed["reason"] == "track_gone"
    begun = [event for event in told if event["type"] == "playback.waiting"]
    queue = (await site.ask("GET", f"/api/rooms/{room_id}/queue", who=who)).body
    assert (queue["items"], queue["current"]["track"]["track_id"]) == ([], kept_one)
    assert begun[-1]["entry_id"] == queue["current"]["entry_id"]


async def test_guests_may_not_upload_and_strangers_may_not_listen(site: Site) -> None:
    guest = await site.guest()
    assert (await site.upload(guest, TONE)).code == "account_required"
    _, path = await audio_of(site)
    assert (await site.ask("GET", path)).status == 401
    assert (await site.ask("GET", path, who=guest)).status == 200


async def test_u1_what_is_no_audio_is_refused_whatever_it_is_called(site: Site) -> None:
    who = await site.account()
    for data, name in (
        (b"<html><script>alert(1)</script>", "x.mp3"),
        (b"#EXTM3U\nhttp://127.0.0.1/x.ts\n", "x.mp3"),
        (b"MZ" + b"\x00" * 2_000, "x.flac"),
        (picture(), "x.ogg"),
    ):
        answer = await site.upload(who, data, name)
        assert (answer.status, answer.code) == (415, "unsupported_media"), data[:10]


async def test_u2_one_byte_over_the_cap_is_too_large_and_leaves_nothing(
    open_site: OpenSite, tmp_path: Path
) -> None:
    async with open_site(upload_max_bytes=len(TONE)) as site:
        who = await site.account()
        over = await site.upload(who, TONE + b"\x00")
        assert (over.status, over.code) == (413, "payload_too_large")
        assert kept(tmp_path) == []
        assert await site.scalar("select count(*) from tracks") == 0
        assert (await site.upload(who, TONE)).status == 201


async def test_u2_a_content_length_that_says_nothing_does_not_help(
    open_site: OpenSite, tmp_path: Path
) -> None:
    async with open_site(upload_max_bytes=100_000) as site:
        who = await site.account()
        sent_bytes = 0

        async def endless():  # type: ignore[no-untyped-def]
            nonlocal sent_bytes
            yield (b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n')
            while sent_bytes < 50_000_000:
                sent_bytes += 65_536
                yield b"\x00" * 65_536

        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        answer = await site.ask(
            "POST", "/api/tracks/uploads", data=endless(), who=who, headers=headers
        )
        assert (answer.status, answer.code) == (413, "payload_too_large")
        # Cut off, not read to its end, and nobody pays for it.
        assert sent_bytes < 50_000_000
        assert kept(tmp_path) == []
        assert await site.scalar("select count(*) from tracks") == 0


async def test_u3_parallel_uploads_cannot_pass_the_quota_together(open_site: OpenSite) -> None:
    async with open_site(quota_bytes=3 * len(TONE) + 10) as site:
        who = await site.account()

        async def together(many: int) -> list[int]:
            # Equal bytes are one file on disk, yet each track counts for its owner.
            answers = await asyncio.gather(*(site.upload(who, TONE) for _ in range(many)))
            refused = {answer.code for answer in answers if answer.status == 413}
            assert refused <= {"quota_exceeded"}
            return sorted(answer.status for answer in answers)

        assert await together(2) == [201, 201]
        async with site.database.transaction() as connection:
            await connection.execute("select from users where user_id = $1 for update", who.user_id)
            uploads = asyncio.create_task(together(2))
            # Wherever they wait for their owner's row, they go on from there at one instant.
            while await connection.fetchval("select count(*) from pg_locks where not granted") < 2:
                assert not uploads.done()
        assert await uploads == [201, 413]
        assert await site.scalar("select count(*) from tracks") == 3


FIELD = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n--b--'
FILE = b'; filename="x"'
BAD_FORMS = {
    "nothing": b"",
    "no part": b"--b--\r\n",
    "garbage": b"garbage",
    "an empty file": FIELD % (b"file", FILE, b""),
    "an unknown field": FIELD % (b"evil", FILE, b"x"),
    "a field that is no text": FIELD % (b"room_id", b"", b"\xff"),
    "a long field": FIELD % (b"room_id", b"", b"x" * 5_000),
    "no file": FIELD % (b"room_id", b"", b"x"),
}


async def test_a_form_that_is_none_is_refused(site: Site) -> None:
    who = await site.account()
    for name, data in BAD_FORMS.items():
        for media_type in ("multipart/form-data; boundary=b", "multipart/form-data"):
            headers = {"Content-Type": media_type}
            answer = await site.ask(
                "POST", "/api/tracks/uploads", data=data, who=who, headers=headers
            )
            assert (answer.status, answer.code) == (400, "bad_request"), name
    answer = await site.ask("POST", "/api/tracks/uploads", {}, who=who)
    assert (answer.status, answer.code) == (415, "unsupported_media")


NAMES = [
    "../../x.flac",
    "C:\\x",
    "a\u202e.mp3",
    ".htaccess",
    "x" * 300,
    '"; filename=',
    "a%0d%0aX: y",
]


async def test_u6_a_file_name_is_only_a_title(site: Site, tmp_path: Path) -> None:
    who = await site.account()
    for name in NAMES:
        answer = await site.upload(who, sound("flac", "flac"), name)
        assert answer.status == 201, answer
        audio = await site.ask("GET", f"/api/tracks/{answer.body['track_id']}/audio", who=who)
        disposition = audio.headers["Content-Disposition"]
        assert disposition.startswith('attachment; filename="'), name
        assert disposition.count('"') == 2
        assert "filename*=UTF-8''" in disposition
        assert "X" not in audio.headers
    for path in kept(tmp_path):
        assert path.relative_to(tmp_path / "media").parts[0].isalnum()


async def test_u7_media_is_served_so_that_nothing_in_it_runs(site: Site) -> None:
    who, path = await audio_of(site)
    answer = await site.ask("GET", path, who=who)
    assert answer.headers["Content-Type"] == "audio/flac"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


SIZE = len(TONE)


async def test_u8_a_range_is_served(site: Site) -> None:
    who, path = await audio_of(site)
    for header, start, end in (
        ("bytes=0-9", 0, 10),
        ("bytes=-10", SIZE - 10, SIZE),
        ("bytes=1000-", 1_000, SIZE),
        ("bytes=0-", 0, SIZE),
        ("bytes=5-999999999", 5, SIZE),
        ("bytes=-999999999", 0, SIZE),
    ):
        answer = await site.ask("GET", path, who=who, headers={"Range": header})
        assert (answer.status, answer.data) == (206, TONE[start:end]), header
        assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{SIZE}"
        assert answer.headers["Content-Length"] == str(end - start)


async def test_u8_a_range_outside_is_416(site: Site) -> None:
    who, path = await audio_of(site)
    for header in ("bytes=-0", f"bytes={SIZE}-", "bytes=99999999-99999999"):
        answer = await site.ask("GET", path, who=who, headers={"Range": header})
        assert (answer.status, answer.code) == (416, "range_not_satisfiable"), header
        assert answer.headers["Content-Range"] == f"bytes */{SIZE}"


async def test_u8_other_ranges_are_ignored(site: Site) -> None:
    who, path = await audio_of(site)
    for header in (
        "bytes=5-1",
        "lines=0-9",
        "bytes=0-0,5-9",
        "bytes=" + ",".join(["0-1"] * 1_000),
        "bytes=-",
        "bytes=a-b",
        "0-9",
        "bytes 0-9",
        "bytes=1" + "0" * 400 + "-",
    ):
        answer = await site.ask("GET", path, who=who, headers={"Range": header})
        assert (answer.status, answer.data) == (200, TONE), header[:40]


async def test_u8_head_ignores_the_range_and_sends_no_body(site: Site) -> None:
    who, path = await audio_of(site)
    answer = await site.ask("HEAD", path, who=who, headers={"Range": "bytes=0-9"})
    assert (answer.status, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == str(SIZE)
    assert answer.headers["Accept-Ranges"] == "bytes"


async def test_u8_conditions_compare_the_strong_tag(site: Site) -> None:
    who, path = await audio_of(site)
    etag = (await site.ask("GET", path, who=who)).headers["ETag"]
    assert etag.startswith('"')
    part = {"Range": "bytes=0-9"}
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    for condition, status in ((etag, 206), ('"other"', 200), (f"W/{etag}", 200), (date, 200)):
        answer = await site.ask("GET", path, who=who, headers=part | {"If-Range": condition})
        assert answer.status == status, condition
    for condition, status in (
        (etag, 304), (f"W/{etag}", 304), (f'"a", {etag}', 304), ("*", 304), ('"a"', 200),
    ):  # fmt: skip
        answer = await site.ask("GET", path, who=who, headers={"If-None-Match": condition})
        assert answer.status == status, condition
    both = part | {"If-None-Match": etag}
    assert (await site.ask("GET", path, who=who, headers=both)).status == 304


async def test_u9_a_private_rooms_track_is_not_there_for_strangers(site: Site) -> None:
    owner, stranger = await site.account(), await site.account()
    room_id = await site.room(owner, visibility="private")
    answer = await site.upload(owner, TONE, room_id=room_id)
    track_id = answer.body["track_id"]
    assert answer.body["room_id"] == room_id
    for part in ("", "/audio", "/cover"):
        refused = await site.ask("GET", f"/api/tracks/{track_id}{part}", who=stranger)
        assert (refused.status, refused.code) == (404, "unknown_track")
    assert (await site.ask("GET", "/api/tracks", who=stranger)).body["items"] == []
    assert (await site.ask("GET", f"/api/tracks/{track_id}/audio", who=owner)).status == 200
    for other in (room_id, "x", "00000000-0000-4000-8000-000000000000"):
        refused = await site.upload(stranger, TONE, room_id=other)
        assert (refused.status, refused.code) == (404, "room_not_found")


async def test_a_listener_who_goes_away_harms_nobody(site: Site) -> None:
    who, path = await audio_of(site)
    host, port = site.url.removeprefix("http://").split(":")
    for _ in range(3):
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {who.token}\r\n\r\n"
        writer.write(head.encode())
        await reader.readline()
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
        )
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    assert (await site.ask("GET", path, who=who)).data == TONE
