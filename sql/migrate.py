"""Bring a database to the schema of this program.

Migrations are the files `migrations/NNNN_name.sql`: forward only, one idea each, each in one
transaction, and never edited once they were released. Whoever adds one, or edits one that was not
released yet, writes `sql/schema.sql` anew in the same commit:

    python -m sql.schema

    MigrationError          base
    ├── MigrationEdited     a file is not what was applied to this database
    ├── DatabaseTooNew      the database has migrations that this program does not know
    ├── MigrationSkipped    a file is older than the newest applied one, and was not applied
    └── MigrationBusy       another program was migrating this database for too long
"""

import hashlib
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

import asyncpg
import msgspec

from sql import queries
from sql.pool import connect

LOCK_KEY: Final = 0x556E69736F6E6F  # "Unisono"
LOCK_WAIT: Final = "60s"
TABLE_LOCK_WAIT: Final = "10s"
_FILE: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


class MigrationError(Exception):
    """Base of the errors of this module; the text says what to do."""


class MigrationEdited(MigrationError):
    """A file is not what was applied to this database."""


class DatabaseTooNew(MigrationError):
    """The database has migrations that this program does not know."""


class MigrationSkipped(MigrationError):
    """A file is older than the newest applied one, and was not applied."""


class MigrationBusy(MigrationError):
    """Another program was migrating this database for too long."""


class Applied(msgspec.Struct, frozen=True):
    """A row of `schema_migrations`."""

    version: int
    name: str
    checksum: str


class Migration(msgspec.Struct, frozen=True):
    """One file. `checksum` is the sha256 of its bytes, in hex."""

    version: int
    name: str
    checksum: str
    text: str

    def __str__(self) -> str:
        return f"{self.version:04}_{self.name}"


CREATE_TABLE = queries.execute("schema_migrations.create_table")
WAIT_FOR_LOCKS = queries.scalar("schema_migrations.wait_for_locks", str)
END_WITH_US = queries.scalar("schema_migrations.end_with_us", str)
LOCK = queries.scalar("schema_migrations.lock", bool)
APPLIED = queries.many("schema_migrations.applied", Applied)
RECORD = queries.execute("schema_migrations.record")


def known() -> list[Migration]:
    """The migrations of this program, oldest first. Raises MigrationError on a number used twice
    and on a file that is not named NNNN_name.sql."""
    found: dict[int, Migration] = {}
    for file in (files("sql") / "migrations").iterdir():
        if not file.name.endswith(".sql"):
            continue
        named = _FILE.fullmatch(file.name)
        if named is None:
            raise MigrationError(f"sql/migrations/{file.name} is not named NNNN_name.sql")
        content = file.read_bytes()
        migration = Migration(
            int(named[1]), named[2], hashlib.sha256(content).hexdigest(), content.decode()
        )
        other = found.setdefault(migration.version, migration)
        if other is not migration:
            raise MigrationError(f"{other} and {migration} have the same number")
    return [found[version] for version in sorted(found)]


def missing(have: Sequence[Applied], migrations: Sequence[Migration]) -> list[Migration]:
    """What has to be applied to a database that has `have`. Raises the errors of this module."""
    by_version = {migration.version: migration for migration in migrations}
    for applied in have:
        migration = by_version.pop(applied.version, None)
        if migration is None:
            raise DatabaseTooNew(
                f"The database has migration {applied.version:04}_{applied.name}, which this"
                " program does not know: it was used by a newer program. Start that one."
            )
        if migration.checksum != applied.checksum:
            raise MigrationEdited(
                f"sql/migrations/{migration}.sql is not the file that was applied to this"
                " database. Put the old text back and write the change as a new migration;"
                " a database that was only used to try things can be dropped instead."
            )
    newest = max((applied.version for applied in have), default=0)
    for migration in by_version.values():
        if migration.version < newest:
            raise MigrationSkipped(
                f"sql/migrations/{migration}.sql comes before {newest:04}, which this database"
                " already has. Give the file the next free number."
            )
    return list(by_version.values())


async def migrate(url: str, migrations: Sequence[Migration] | None = None) -> list[Migration]:
    """Apply what the database lacks, each file in one transaction; returns what was applied.

    Programs that start together take turns. A file that fails leaves the database as the files
    before it made it, and its error is raised. Raises the errors of this module."""
    migrations = known() if migrations is None else migrations
    connection = await connect(url, application_name="unisono migrate")
    try:
        await END_WITH_US(connection)
        await WAIT_FOR_LOCKS(connection, duration=LOCK_WAIT)
        try:
            await LOCK(connection, key=LOCK_KEY)
        except asyncpg.LockNotAvailableError:
            raise MigrationBusy(
                f"Another program has been migrating this database for {LOCK_WAIT}."
            ) from None
        # A long wait for a table would hold up everybody who waits behind it.
        await WAIT_FOR_LOCKS(connection, duration=TABLE_LOCK_WAIT)
        await CREATE_TABLE(connection)
        todo = missing(await APPLIED(connection), migrations)
        for migration in todo:
            async with connection.transaction():
                await connection.execute(migration.text)
                await RECORD(
                    connection,
                    version=migration.version,
                    name=migration.name,
                    checksum=migration.checksum,
                )
        return todo
    finally:
        await connection.close()
