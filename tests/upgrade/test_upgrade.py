"""A database that an older version filled: it becomes like a fresh one, and people go on in it.

And F24: what happens to a migration that is killed, that two begin at once, or that an older
program meets.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from protocol.bot import Rejected, connect, guest
from protocol.errors import ErrorCode
from sql import schema
from sql.migrate import known, migrate
from sql.pool import connect as connect_database
from tests.cluster.server import ROOT, Served
from tests.cluster.test_planted import copy_of_the_tree
from tests.conftest import own_database
from tests.upgrade.filled import PASSWORD, Facts, files, unpack

FILLED: Final = pytest.mark.parametrize("file", files(), ids=lambda file: file.name)
BRAKED: Final = """
create table plants (name text);
insert into plants values ('fern');
select pg_sleep(600) where to_regclass('brake') is not null;
"""
IS_BRAKED: Final = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"


@pytest.fixture
async def empty_url(postgres_url: str) -> AsyncIterator[str]:
    """An empty database of the test's own."""
    async with own_database(postgres_url, "template1") as url:
        yield url


async def scalar(url: str, query: str) -> Any:
    connection = await connect_database(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def described(url: str) -> str:
    connection = await connect_database(url)
    try:
        return await schema.describe(connection)
    finally:
        await connection.close()


async def migrating(url: str, tree: Path, data_dir: Path) -> Process:
    """`unisono migrate` of a tree."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("UNISONO_")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "roomserver", "migrate", "--data-dir", str(data_dir)),
        cwd=tree,
        env=environment | {"DATABASE_URL": url, "PYTHONPATH": str(tree)},
        stdout=PIPE,
        stderr=PIPE,
    )


def newer_tree(folder: Path, text: str) -> Path:
    """This tree with one migration more."""
    tree = copy_of_the_tree(folder)
    (tree / "sql" / "migrations" / f"{known()[-1].version + 1:04}_more.sql").write_text(text)
    return tree


@FILLED
async def test_an_older_database_becomes_like_a_fresh_one(
    file: Path, empty_url: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(unpack, file, empty_url, tmp_path)
    had = await scalar(empty_url, "select max(version) from schema_migrations")
    assert await migrate(empty_url) == [one for one in known() if one.version > had]
    assert await described(empty_url) == schema.FILE.read_text()
    # Nobody was asked then whether others may see what they heard.
    assert await scalar(empty_url, "select count(*) from users where show_history") == 0
    assert await migrate(empty_url) == []


@FILLED
async def test_f24_a_migration_that_is_killed_leaves_nothing_and_is_completed_by_the_next_start(
    file: Path, empty_url: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(unpack, file, empty_url, tmp_path)
    tree = newer_tree(tmp_path / "tree", BRAKED)
    connection = await connect_database(empty_url)
    await connection.execute("create table brake ()")
    killed = await migrating(empty_url, tree, tmp_path / "data")
    async with asyncio.timeout(20):
        while not await connection.fetchval(IS_BRAKED):
            pass
    killed.kill()
    await killed.communicate()
    assert await connection.fetchval("select to_regclass('plants')") is None
    await connection.execute("drop table brake")
    # Two at once, as when two nodes start: one of them does it.
    both = [await migrating(empty_url, tree, tmp_path / "data") for _ in range(2)]
    for said in [await one.communicate() for one in both]:
        assert b"has the schema of this version" in said[0], said
    assert await connection.fetchval("select array_agg(name) from plants") == ["fern"]
    await connection.close()


async def test_f24_an_older_program_refuses_a_newer_database_and_says_why(
    database_url: str, tmp_path: Path
) -> None:
    tree = copy_of_the_tree(tmp_path / "tree")
    newest = known()[-1]
    (tree / "sql" / "migrations" / f"{newest}.sql").unlink()
    older = await migrating(database_url, tree, tmp_path / "data")
    _, said = await older.communicate()
    assert older.returncode == 1
    assert f"has migration {newest}, which this program does not know" in said.decode()
    assert b"Traceback" not in said


@pytest.mark.slow
@FILLED
async def test_people_go_on_in_an_older_database(
    file: Path, empty_url: str, tmp_path: Path
) -> None:
    facts = await asyncio.to_thread(unpack, file, empty_url, tmp_path / "data")
    served = Served(tmp_path / "data", database_url=empty_url)
    await served.start()
    try:
        async with aiohttp.ClientSession() as client:
            await the_api_has_it_all(Site(served.url, client), facts)
        await the_kitchen_goes_on(served.url, facts)
    finally:
        await served.kill()


class Site:
    """REST, as somebody."""

    def __init__(self, url: str, client: aiohttp.ClientSession) -> None:
        self._url = url
        self._client = client
        self.token = ""

    async def log_in(self, name: str) -> None:
        """Be somebody."""
        body = {"login": name, "password": PASSWORD}
        async with self._client.post(f"{self._url}/api/auth/login", json=body) as answer:
            self.token = (await answer.json())["access_token"]

    async def get(self, path: str) -> Any:
        """JSON, or how many bytes of something else."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self._client.get(f"{self._url}/api{path}", headers=headers) as answer:
            data = await answer.read()
            assert answer.status == 200, (path, answer.status, data)
            return await answer.json() if answer.content_type == "application/json" else len(data)

    async def items(self, path: str) -> list[Any]:
        """All pages of a list."""
        found, page = [], await self.get(path)
        found += page["items"]
        while page["next_cursor"]:
            page = await self.get(f"{path}?cursor={page['next_cursor']}")
            found += page["items"]
        return found


async def the_api_has_it_all(site: Site, facts: Facts) -> None:
    kitchen = facts.kitchen
    await site.log_in("ann")
    assert (await site.get("/users/me"))["user_id"] == facts.people["ann"]
    rooms = await site.items("/rooms/mine")
    assert {room["room_id"] for room in rooms} == {kitchen.room_id, facts.attic_id}
    messages = {m["message_id"]: m for m in await site.items(f"/rooms/{kitchen.room_id}/messages")}
    assert set(kitchen.said) < set(messages)
    assert len(messages) > 100
    assert not messages[facts.deleted]["content"]
    assert sorted(track["track_id"] for track in await site.items("/tracks")) == sorted(
        facts.tracks
    )
    for track_id in facts.tracks:
        assert await site.get(f"/tracks/{track_id}/audio") > 10_000
        assert await site.get(f"/tracks/{track_id}/segments/0") > 1_000
    (favorite,) = await site.items("/favorites/me")
    assert favorite["track"]["track_id"] == facts.favorite
    (ban,) = await site.items("/bans/issued")
    assert ban["person"]["user_id"] == facts.banned
    assert await site.items(f"/rooms/{kitchen.room_id}/history")
    assert await site.items(f"/rooms/{kitchen.room_id}/audit")


async def the_kitchen_goes_on(url: str, facts: Facts) -> None:
    kitchen = facts.kitchen
    async with connect(url, token=facts.bot_token) as jukebox:
        room = await jukebox.join(kitchen.room_id)
        shown = room.snapshot
        assert (shown.room.name, shown.seq) >= (kitchen.name, kitchen.seq)
        assert [message.message_id for message in shown.chat] == kitchen.said
        assert [entry.track.track_id for entry in shown.queue] == kitchen.queue
        assert shown.playback.entry is not None
        assert shown.playback.entry.track.track_id == kitchen.plays
        assert abs(room.position_ms() - kitchen.position_ms) < 1
        seq = (await room.chat("still here")).seq
        assert seq > kitchen.seq
        bob = Site(url, aiohttp.ClientSession())
        async with bob._client:
            await bob.log_in("bob")
            mallory = Site(url, bob._client)
            await mallory.log_in("mallory")
        async with connect(url, token=bob.token) as dj:
            music = await dj.join(kitchen.room_id)
            await music.play()
            # To the end of what was there, track by track.
            await room.wait_for(lambda room: room.snapshot.playback.entry is None)
        async with connect(url, token=mallory.token) as me:
            with pytest.raises(Rejected) as refused:
                await me.join(kitchen.room_id)
            assert refused.value.code is ErrorCode.BANNED
    async with connect(url, token=await guest(url, "Stranger")) as me:
        with pytest.raises(Rejected) as refused:
            await me.join(facts.attic_id, password="thyme")
        assert refused.value.code is ErrorCode.ROOM_PASSWORD
        await me.join(facts.attic_id, password="sesame")


def test_what_is_kept_is_small_and_there_for_each_release() -> None:
    assert files()
    for file in files():
        assert file.stat().st_size < 300 * 1024
    assert (ROOT / "tests" / "upgrade" / "v0.1.tar.xz") in files()
