"""Stored files: each is there as long as something names it, and no longer."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from httpapi import files
from httpapi.files import Dropper
from httpapi.upkeep import clean_up
from sql.pool import Database
from tests.cluster.server import Served
from tests.httpapi.conftest import OpenSite
from tests.httpapi.media.s3 import S3
from tests.httpapi.media.sounds import apic, id3, picture, sound
from tests.httpapi.site import Guest, Site
from tests.httpapi.test_jobs import ended, registered, until

COVERED = id3([apic(picture())]) + sound("mp3", "libmp3lame", samples=48_000)
PLAIN = sound("mp3", "libmp3lame", samples=48_000)
"""The same sound, so the same segments; another file."""


@pytest.fixture(autouse=True)
def when_the_test_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's own dropper sleeps: `drop` takes its turns."""
    monkeypatch.setattr(files, "LOOK_EVERY_MS", 3_600_000)


def kept(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder)) for path in (folder / "media").rglob("*") if path.is_file()
    )


async def track(site: Site, who: Guest, data: bytes) -> str:
    """Uploaded and analysed; its path."""
    answer = await site.upload(who, data)
    assert answer.status == 201, answer
    assert (await ended(site, who, answer.body["job_id"])).body["state"] == "done"
    return f"/api/tracks/{answer.body['track_id']}"


async def delete(site: Site, who: Guest, path: str) -> None:
    assert (await site.ask("DELETE", path, who=who)).status == 204


async def drop(site: Site) -> None:
    """As the server's own dropper does every two seconds."""
    await Dropper(site.database, site.services.storage).drop()


async def test_files_go_with_the_last_track_that_has_them(
    open_site: OpenSite, tmp_path: Path
) -> None:
    async with open_site(media_workers=1) as site:
        ann, ben = await site.account(), await site.account()
        first = await track(site, ann, COVERED)
        one = kept(tmp_path)
        # The original, two covers, a segment in two codecs.
        assert len(one) == 5
        second = await track(site, ben, COVERED)
        assert kept(tmp_path) == one
        third = await track(site, ben, PLAIN)
        assert len(kept(tmp_path)) == 6
        await delete(site, ann, first)
        await drop(site)
        assert len(kept(tmp_path)) == 6
        assert (await site.ask("GET", f"{second}/audio", who=ben)).data == COVERED
        await delete(site, ben, second)
        await drop(site)
        # The segments are the third track's too.
        assert len(kept(tmp_path)) == 3
        assert (await site.ask("GET", f"{third}/segments/0", who=ben)).status == 200
        await delete(site, ben, third)
        await drop(site)
        assert kept(tmp_path) == []
        assert await site.scalar("select count(*) from renditions") == 0
        assert await site.scalar("select count(*) from file_drops") == 0
        assert (await site.ask("GET", f"{third}/segments/0", who=ben)).code == "unknown_track"


async def test_a_rendition_that_two_deletions_left_to_each_other_goes_later(
    open_site: OpenSite, tmp_path: Path
) -> None:
    async with open_site(media_workers=1) as site:
        who = await site.account()
        first, second = await track(site, who, PLAIN), await track(site, who, PLAIN)
        await clean_up(site.database)
        assert (await site.ask("GET", f"{first}/segments/0", who=who)).status == 200
        # Neither sees what the other deletes.
        await site.execute("update tracks set deleted_at = now() where track_id = $1", first[12:])
        await site.execute("create table aside as select * from renditions")
        await site.execute("create table beside as select * from rendition_segments")
        await delete(site, who, second)
        await site.execute("insert into renditions select * from aside")
        await site.execute("insert into rendition_segments select * from beside")
        await drop(site)
        assert len(kept(tmp_path)) == 2
        await clean_up(site.database)
        await drop(site)
        assert kept(tmp_path) == []


@asynccontextmanager
async def claimed(site: Site) -> AsyncIterator[None]:
    """Somebody drops all that is to be dropped, and takes a while."""
    claim_id = "00000000-0000-4000-8000-00000000c1a1"
    keys = await files.CLAIM(site.database, claim_id=claim_id, most=100)
    doomed = await files.UNNAMED(site.database, keys=keys)
    assert doomed
    yield
    for key in doomed:
        await site.services.storage.delete(key)
    await files.DROPPED(site.database, claim_id=claim_id)
    await files.GIVE_BACK(site.database, claim_id=claim_id)


async def test_an_equal_upload_while_the_last_one_is_dropped_has_its_file(site: Site) -> None:
    who = await site.account()
    made = await site.upload(who, PLAIN)
    await delete(site, who, f"/api/tracks/{made.body['track_id']}")
    async with claimed(site):
        again = asyncio.create_task(site.upload(who, PLAIN))
        reserved = "select exists (select from tracks where deleted_at = 'infinity')"
        await until(lambda: site.scalar(reserved))
        assert not again.done()
    answer = await again
    assert answer.status == 201
    audio = await site.ask("GET", f"/api/tracks/{answer.body['track_id']}/audio", who=who)
    assert audio.data == PLAIN


async def test_what_loses_its_last_name_while_it_is_looked_at_is_looked_at_again(
    site: Site, tmp_path: Path
) -> None:
    who = await site.account()
    first, second = [await site.upload(who, PLAIN) for _ in range(2)]
    await delete(site, who, f"/api/tracks/{first.body['track_id']}")
    claim_id = "00000000-0000-4000-8000-00000000c1a1"
    keys = await files.CLAIM(site.database, claim_id=claim_id, most=100)
    assert await files.UNNAMED(site.database, keys=keys) == []
    await delete(site, who, f"/api/tracks/{second.body['track_id']}")
    await files.DROPPED(site.database, claim_id=claim_id)
    await files.GIVE_BACK(site.database, claim_id=claim_id)
    await drop(site)
    assert kept(tmp_path) == []


async def test_what_a_job_keeps_is_not_dropped_before_it_ends(site: Site, tmp_path: Path) -> None:
    services, job_id = site.services, "00000000-0000-4000-8000-000000000001"
    async with services.storage.stage_bytes(b"a segment") as staged:
        await files.hold(site.database, job_id, staged)
        key = await staged.keep()
    await site.execute("insert into file_drops (key) values ($1)", key)
    await drop(site)
    assert kept(tmp_path) == [f"media/{key}"]
    # The job has died, and a day has passed.
    await site.execute("update file_holds set until = now()")
    await clean_up(site.database)
    await drop(site)
    assert kept(tmp_path) == []


WAITING = "from pg_locks where locktype = 'advisory' and not granted"


async def test_an_upload_that_kill_9_cut_off_leaves_neither_file_nor_quota(
    open_site: OpenSite, database: Database, database_url: str, tmp_path: Path
) -> None:
    # Holds up what comes between the file and its row.
    async with database.acquire() as connection:
        await connection.execute(
            "create function hold_up() returns trigger language plpgsql as"
            " $$ begin perform pg_advisory_xact_lock(77); return new; end $$"
        )
        await connection.execute(
            "create trigger hold_up before update on tracks for each row execute function hold_up()"
        )
    server = Served(tmp_path, database_url=database_url)
    await server.start()
    try:
        async with database.acquire() as lock, aiohttp.ClientSession() as client:
            await lock.execute("select pg_advisory_lock(77)")
            headers = await registered(client, server.url)
            form = aiohttp.FormData()
            form.add_field("file", io.BytesIO(COVERED), filename="covered.mp3")
            url = f"{server.url}/api/tracks/uploads"
            upload = asyncio.create_task(client.post(url, data=form, headers=headers))
            while not await lock.fetchval(f"select exists (select {WAITING})"):
                pass
            assert len(kept(tmp_path)) == 3
            await server.kill()
            with pytest.raises(aiohttp.ClientError):
                await upload
            # Otherwise the database would finish what nobody waits for any more.
            await lock.execute(f"select pg_terminate_backend(pid) {WAITING}")
            await lock.execute("select pg_advisory_unlock(77)")
    finally:
        await server.stop()
    async with open_site() as site:
        await site.execute("drop trigger hold_up on tracks")
        await clean_up(site.database)
        await drop(site)
        # It could still be under way.
        assert len(kept(tmp_path)) == 3
        await site.execute("update tracks set created_at = now() - interval '61 minutes'")
        await clean_up(site.database)
        await drop(site)
        assert kept(tmp_path) == []
        assert await site.scalar("select count(*) from tracks") == 0


async def test_all_of_it_works_on_s3(
    s3: S3, open_site: OpenSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    place = s3.place()
    async with open_site(storage_url=place, media_workers=1) as site:
        who = await site.account()
        path = await track(site, who, COVERED)
        assert len(s3.keys(place)) == 5
        assert (await site.ask("GET", f"{path}/audio", who=who)).data == COVERED
        part = await site.ask("GET", f"{path}/audio", who=who, headers={"Range": "bytes=-100"})
        assert (part.status, part.data) == (206, COVERED[-100:])
        assert (await site.ask("GET", f"{path}/cover", who=who)).status == 200
        assert (await site.ask("GET", f"{path}/segments/0?codec=opus", who=who)).status == 200
        await delete(site, who, path)
        await drop(site)
        assert s3.keys(place) == []
        with s3.stalled():
            assert (await site.ask("GET", f"{path}/audio", who=who)).status == 404
