"""Migrations: in order, once, whole, and never behind anybody's back."""

import asyncio
import hashlib

import asyncpg
import pytest

from sql.migrate import (
    DatabaseTooNew,
    Migration,
    MigrationEdited,
    MigrationSkipped,
    known,
    migrate,
)
from sql.pool import Database


def migration(version: int, text: str) -> Migration:
    return Migration(version, f"m{version}", hashlib.sha256(text.encode()).hexdigest(), text)


PLANTS = migration(9001, "create table plants (name text); insert into plants values ('fern');")
TREES = migration(9002, "create table trees (name text);")
BROKEN = migration(9002, "create table trees (name text); select nonsense;")


def test_the_files_are_numbered_without_gaps() -> None:
    assert [file.version for file in known()] == list(range(1, len(known()) + 1))


async def test_what_is_applied_is_not_applied_again(database_url: str) -> None:
    files = [*known(), PLANTS]
    assert await migrate(database_url, files) == [PLANTS]
    assert await migrate(database_url, files) == []
    assert await migrate(database_url, [*files, TREES]) == [TREES]


async def test_two_migrators_at_once_take_turns(database_url: str) -> None:
    files = [*known(), PLANTS, TREES]
    results = await asyncio.gather(*(migrate(database_url, files) for _ in range(4)))
    assert sorted(results, key=len) == [[], [], [], [PLANTS, TREES]]


async def test_a_file_that_fails_leaves_nothing_of_itself(
    database_url: str, database: Database
) -> None:
    with pytest.raises(asyncpg.PostgresError, match="nonsense"):
        await migrate(database_url, [*known(), PLANTS, BROKEN])
    async with database.acquire() as connection:
        assert await connection.fetchval("select name from plants") == "fern"
        assert await connection.fetchval("select to_regclass('trees')") is None
    assert await migrate(database_url, [*known(), PLANTS, TREES]) == [TREES]


async def test_an_edited_file_is_refused(database_url: str) -> None:
    await migrate(database_url, [*known(), PLANTS])
    edited = migration(9001, PLANTS.text + " -- better")
    with pytest.raises(MigrationEdited, match="9001_m9001"):
        await migrate(database_url, [*known(), edited, TREES])
    assert await migrate(database_url, [*known(), PLANTS]) == []


async def test_a_database_of_a_newer_program_is_refused(database_url: str) -> None:
    await migrate(database_url, [*known(), PLANTS])
    with pytest.raises(DatabaseTooNew, match="9001_m9001"):
        await migrate(database_url)


async def test_a_file_that_came_late_is_refused(database_url: str) -> None:
    await migrate(database_url, [*known(), TREES])
    with pytest.raises(MigrationSkipped, match="9001_m9001"):
        await migrate(database_url, [*known(), PLANTS, TREES])
