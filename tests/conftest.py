"""What holds for every test: nothing fails behind its back, and PostgreSQL is a real one."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest

from sql.embedded import EmbeddedPostgres
from sql.migrate import migrate
from sql.pool import Database, connect
from tests.canary import Canary


class _Complaints(logging.Handler):
    """Keeps what the event loop reports: failures that nobody retrieved, tasks destroyed."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(self.format(record))


@pytest.fixture(autouse=True)
def the_loop_does_not_complain(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test during which the event loop reported an error that nobody handled."""
    complaints = _Complaints()
    log = logging.getLogger("asyncio")
    log.addHandler(complaints)
    yield
    if "asyncio" in request.keywords:
        # A lost task complains when it is collected; the young ones are enough and cheap.
        gc.collect(1)
    log.removeHandler(complaints)
    assert complaints.told == [], "the event loop reported errors"


CANARY = Canary()
CANARY.watch()


@pytest.fixture(autouse=True)
def no_secret_reaches_the_log() -> Iterator[None]:
    """H3: fail the test during which one did."""
    yield
    found, CANARY.found = CANARY.found, []
    assert found == [], "a secret was written to the log"


TEMPLATE = "unisono_template"


def url_of(url: str, database: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


@asynccontextmanager
async def own_database(postgres_url: str, template: str) -> AsyncIterator[str]:
    """A database like the template, for as long as it is needed."""
    name = f"test_{uuid4().hex}"
    connection = await connect(postgres_url)
    try:
        await connection.execute(f"create database {name} template {template}")
        yield url_of(postgres_url, name)
        await connection.execute(f"drop database {name} with (force)")
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An embedded PostgreSQL of this process, with a migrated template database."""
    folder: Path = tmp_path_factory.mktemp("postgres")
    server = EmbeddedPostgres(folder)

    async def begin() -> str:
        url = await server.start()
        connection = await connect(url)
        try:
            await connection.execute(f"create database {TEMPLATE}")
        finally:
            await connection.close()
        await migrate(url_of(url, TEMPLATE))
        return url

    yield asyncio.run(begin())
    asyncio.run(server.stop())


@pytest.fixture
async def database_url(postgres_url: str) -> AsyncIterator[str]:
    """A migrated database of the test's own."""
    async with own_database(postgres_url, TEMPLATE) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A pool on a migrated database of the test's own."""
    pool = await Database.open(database_url)
    yield pool
    await pool.close()
