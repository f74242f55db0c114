"""A clock that a test can set: that of the server's process, and that of its database."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sql.pool import connect
from tests.cluster.server import ROOT

WALL_CLOCK: Final = Path(__file__).parent / "wall_clock"
FUNCTIONS: Final = """
create schema machine;
create table machine.clock (ahead interval not null);
insert into machine.clock values ('0');
create function machine.clock_timestamp() returns timestamptz volatile language sql
    as 'select pg_catalog.clock_timestamp() + ahead from machine.clock';
create function machine.now() returns timestamptz stable language sql
    as 'select pg_catalog.now() + ahead from machine.clock';
"""
"""Whoever asks for the time finds these before PostgreSQL's own."""


class MachineClock:
    """How far ahead of the true time a machine is."""

    def __init__(self, database_url: str, data_dir: Path) -> None:
        self._database_url = database_url
        self._file = data_dir.with_suffix(".clock")

    @classmethod
    async def of(cls, database_url: str, data_dir: Path) -> "MachineClock":
        """Take over the clocks of a database and of a server that is not started yet."""
        name = urlsplit(database_url).path.lstrip("/")
        database = await connect(database_url)
        try:
            await database.execute(FUNCTIONS)
            await database.execute(
                f"alter database {name} set search_path = machine, pg_catalog, public"
            )
        finally:
            await database.close()
        clock = cls(database_url, data_dir)
        await clock.set_ahead(0)
        return clock

    def environment(self, tree: Path = ROOT) -> dict[str, str]:
        """What a server is told."""
        return {
            "PYTHONPATH": f"{WALL_CLOCK}:{tree}",
            "WALL_CLOCK_AHEAD_S": str(self._file),
        }

    async def set_ahead(self, ahead_s: int) -> None:
        """Set it."""
        draft = self._file.with_suffix(".draft")
        draft.write_text(str(ahead_s))
        draft.rename(self._file)
        database = await connect(self._database_url)
        try:
            await database.execute(
                "update machine.clock set ahead = $1 * interval '1 second'", ahead_s
            )
        finally:
            await database.close()
