"""The committed schema is what the migrations make, on the oldest and the newest PostgreSQL."""

import os
from pathlib import Path

import pytest

from sql import binaries, schema
from sql.embedded import EmbeddedPostgres
from sql.migrate import known, migrate
from sql.pool import Database, connect

POSTGRESQL_15 = Path(os.environ.get("UNISONO_TEST_PG15_BIN", "/usr/lib/postgresql/15/bin"))


async def test_schema_sql_is_what_the_migrations_make(database: Database) -> None:
    async with database.acquire() as connection:
        made = await schema.describe(connection)
    assert made == schema.FILE.read_text(), "run `python -m sql.schema`"


async def test_what_cannot_be_described_is_not_passed_over(database: Database) -> None:
    async with database.acquire() as connection:
        await connection.execute("create view half as select user_id from users")
        with pytest.raises(ValueError, match="v half"):
            await schema.describe(connection)


@pytest.mark.slow
async def test_migrations_make_the_same_on_postgresql_15(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres", binaries=binaries.at(POSTGRESQL_15))
    url = await server.start()
    try:
        assert await migrate(url) == known()
        connection = await connect(url)
        try:
            assert connection.get_server_version().major == 15
            assert await schema.describe(connection) == schema.FILE.read_text()
        finally:
            await connection.close()
    finally:
        await server.stop()
