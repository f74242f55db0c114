"""Many who listen: what they may keep, how many files at once, and what they do to others."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import perf_counter

import psutil
import pytest

from httpapi.media.listening import STREAMS_MAX
from tests.httpapi.conftest import OpenSite
from tests.httpapi.media.sounds import apic, id3, picture, sound
from tests.httpapi.site import Guest, Site
from tests.httpapi.test_renditions import TONE, made

LARGE = sound("wav", "pcm_s16le", samples=48_000 * 40)
"""Far more than fits between two sockets."""


class Slow:
    """A connection that asks for a file and reads what the test says."""

    def __init__(self, site: Site, who: Guest, path: str, window_bytes: int) -> None:
        self._window_bytes = window_bytes
        self._site = site
        self._who = who
        self._path = path

    async def open(self) -> int:
        """Ask; returns the status."""
        host, port = self._site.url.removeprefix("http://").split(":")
        sock = socket.socket()
        # Small, so that the server cannot hand all of it to the kernel.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._window_bytes)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (host, int(port)))
        self.reader, self._writer = await asyncio.open_connection(sock=sock, limit=1_024)
        head = f"GET {self._path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self._who.token}"
        self._writer.write(f"{head}\r\nConnection: close\r\n\r\n".encode())
        status = int((await self.reader.readline()).split()[1])
        while await self.reader.readline() != b"\r\n":
            pass
        return status

    async def close(self) -> None:
        self._writer.transport.abort()


@asynccontextmanager
async def slow_readers(
    site: Site, people: list[Guest], each: int, path: str, window_bytes: int = 4_096
) -> AsyncIterator[list[Slow]]:
    async with AsyncExitStack() as stack:
        found = []
        for who in people:
            for _ in range(each):
                slow = Slow(site, who, path, window_bytes)
                assert await slow.open() == 200
                stack.push_async_callback(slow.close)
                found.append(slow)
        yield found


async def test_what_never_changes_is_told_so_and_not_sent_again(open_site: OpenSite) -> None:
    async with open_site(media_workers=1) as site:
        who = await site.account()
        track = await made(site, who, id3([apic(picture())]) + sound("mp3", "libmp3lame"))
        for part, cache in (
            ("cover", "immutable"),
            ("cover?size=small", "immutable"),
            ("segments/0", "immutable"),
            ("waveform", "max-age=86400"),
        ):
            first = await site.ask("GET", f"{track}/{part}", who=who)
            assert first.status == 200
            control, tag = first.headers["Cache-Control"], first.headers["ETag"]
            assert control.startswith("private") and cache in control
            again = await site.ask(
                "GET", f"{track}/{part}", who=who, headers={"If-None-Match": tag}
            )
            assert (again.status, again.data, again.headers["ETag"]) == (304, b"", tag)
            assert again.headers["Cache-Control"] == control


async def test_u9_who_is_out_of_a_private_room_hears_its_tracks_no_more(site: Site) -> None:
    owner, member = await site.account(), await site.account()
    room_id = await site.room(owner, visibility="private", password="open sesame")
    path = f"/api/tracks/{(await site.upload(owner, TONE, room_id=room_id)).body['track_id']}/audio"
    assert (await site.ask("GET", path, who=member)).code == "unknown_track"
    join = f"/api/rooms/{room_id}/join"
    assert (await site.ask("POST", join, {"password": "open sesame"}, who=member)).status == 200
    assert (await site.ask("GET", path, who=member)).data == TONE
    ban = f"/api/rooms/{room_id}/members/{member.user_id}/ban"
    assert (await site.ask("POST", ban, {}, who=owner)).status in (200, 204)
    assert (await site.ask("GET", path, who=member)).code == "unknown_track"


async def test_u9_a_rooms_tracks_are_for_those_who_may_look_inside(site: Site) -> None:
    owner, member, stranger = [await site.account() for _ in range(3)]

    async def seen(who: Guest, track_id: str, query: str = "") -> tuple[int, int, bool]:
        one = await site.ask("GET", f"/api/tracks/{track_id}", who=who)
        heard = await site.ask("GET", f"/api/tracks/{track_id}/audio", who=who)
        liked = await site.ask("PUT", f"/api/favorites/me/{track_id}", who=who)
        assert (liked.status == 204) == (one.status == 200), liked
        listed = (await site.ask("GET", f"/api/tracks?{query}", who=who)).body["items"]
        return one.status, heard.status, track_id in [each["track_id"] for each in listed]

    # A password keeps the music in, too.
    locked = await site.room(owner, password="open sesame")
    track_id = (await site.upload(owner, TONE, room_id=locked)).body["track_id"]
    assert await seen(stranger, track_id) == (404, 404, False)
    assert await seen(stranger, track_id, f"room_id={locked}") == (404, 404, False)
    body = {"password": "open sesame"}
    joined = await site.ask("POST", f"/api/rooms/{locked}/join", body, who=member)
    assert joined.status == 200
    assert await seen(member, track_id) == await seen(owner, track_id) == (200, 200, True)
    # Only a link leads to an unlisted room: its tracks do not tell of it.
    hidden = await site.room(owner, visibility="unlisted")
    track_id = (await site.upload(owner, TONE, room_id=hidden)).body["track_id"]
    assert await seen(stranger, track_id) == (200, 200, False)
    assert await seen(stranger, track_id, f"room_id={hidden}") == (200, 200, True)
    assert await seen(owner, track_id) == (200, 200, True)
    # Who is banned hears nothing of the room, for as long as the ban lasts.
    public = await site.room(owner)
    track_id = (await site.upload(owner, TONE, room_id=public)).body["track_id"]
    assert await seen(stranger, track_id) == (200, 200, True)
    ban = f"/api/rooms/{public}/members/{stranger.user_id}/ban"
    assert (await site.ask("POST", ban, {}, who=owner)).status in (200, 204)
    assert await seen(stranger, track_id) == (404, 404, False)
    liked = (await site.ask("GET", "/api/favorites/me", who=stranger)).body["items"]
    assert track_id not in [each["track"]["track_id"] for each in liked]
    await site.execute("update room_bans set until_ms = 1 where user_id = $1", stranger.user_id)
    assert await seen(stranger, track_id) == (200, 200, True)


async def test_u10_a_listener_reads_a_deleted_file_to_its_end_and_resumes_nothing_else(
    site: Site,
) -> None:
    who = await site.account()
    track = f"/api/tracks/{(await site.upload(who, LARGE, 'large.wav')).body['track_id']}"
    etag = (await site.ask("HEAD", f"{track}/audio", who=who)).headers["ETag"]
    async with slow_readers(site, [who], 1, f"{track}/audio", 65_536) as (slow,):
        begun = await slow.reader.readexactly(1_000)
        assert (await site.ask("DELETE", track, who=who)).status == 204
        while await site.scalar("select count(*) from file_drops"):
            pass
        rest = await slow.reader.read(-1)
        assert begun + rest == LARGE
    resumed = {"Range": "bytes=1000-", "If-Range": etag}
    assert (await site.ask("GET", f"{track}/audio", who=who, headers=resumed)).status == 404
    # Another file is another track with another tag: never bytes of both.
    other = f"/api/tracks/{(await site.upload(who, TONE)).body['track_id']}"
    answer = await site.ask("GET", f"{other}/audio", who=who, headers=resumed)
    assert (answer.status, answer.data) == (200, TONE)


async def test_u11_one_person_fetches_so_many_files_at_once_and_others_more(site: Site) -> None:
    who, other = await site.account(), await site.account()
    track = f"/api/tracks/{(await site.upload(who, LARGE, 'large.wav')).body['track_id']}"
    async with slow_readers(site, [who], STREAMS_MAX, f"{track}/audio"):
        refused = await site.ask("GET", f"{track}/audio", who=who)
        assert (refused.status, refused.code) == (429, "rate_limited")
        assert refused.headers["Retry-After"] == "1"
        assert (await site.ask("GET", track, who=who)).status == 200
        assert (await site.ask("HEAD", f"{track}/audio", who=other)).status == 200
    while (await site.ask("GET", f"{track}/audio", who=who)).status == 429:
        pass
    assert (await site.ask("GET", f"{track}/audio", who=who)).data == LARGE


@pytest.mark.slow
@pytest.mark.alone
async def test_u11_500_downloads_at_a_byte_a_second_leave_the_others_quick(site: Site) -> None:
    people = [await site.account(f"slow{number}") for number in range(50)]
    who = await site.account()
    track = f"/api/tracks/{(await site.upload(who, LARGE, 'large.wav')).body['track_id']}"
    before_bytes = psutil.Process().memory_info().rss
    async with slow_readers(site, people, 10, f"{track}/audio") as slow:
        took_ms = []
        for number in range(300):
            # Each of them reads about a byte a second.
            for one in slow[number % 5 :: 50]:
                await one.reader.read(1)
            begun = perf_counter()
            answer = await site.ask("GET", (track, f"{track}/audio")[number % 2],
                                    who=who, headers={"Range": "bytes=0-999"})  # fmt: skip
            took_ms.append((perf_counter() - begun) * 1_000)
            assert answer.status in (200, 206)
        grown_bytes = psutil.Process().memory_info().rss - before_bytes
    assert sorted(took_ms)[int(len(took_ms) * 0.99)] < 200
    # Not a whole file each.
    assert grown_bytes < 300 * 2**20
