"""Connections: what they are set to, and that nobody waits for ever."""

from uuid import uuid4

import pytest

from sql.pool import Database, DatabaseBusy


async def test_ids_are_text_alone_and_in_lists(database: Database) -> None:
    ids = [str(uuid4()), str(uuid4())]
    async with database.acquire() as connection:
        assert await connection.fetchval("select $1::uuid", ids[0]) == ids[0]
        assert await connection.fetchval("select $1::uuid[]", ids) == ids
        assert await connection.fetchval("select $1::uuid is null", None) is True


async def test_json_comes_back_as_the_text_that_went_in(database: Database) -> None:
    text = '{"b": 1,  "a": 1.0}'
    async with database.acquire() as connection:
        assert await connection.fetchval("select $1::json", text) == text
        assert await connection.fetchval("select $1::json[]", [text, None]) == [text, None]


async def test_an_exhausted_pool_says_so(database_url: str) -> None:
    pool = await Database.open(database_url, max_size=1, acquire_timeout_ms=20)
    async with pool.acquire() as connection:
        with pytest.raises(DatabaseBusy):
            async with pool.acquire():
                pass
        assert await connection.fetchval("select 1") == 1
    async with pool.acquire() as connection:
        assert await connection.fetchval("select 1") == 1
    await pool.close()
