"""The command line, as somebody meets it who starts the server."""

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

import pytest
from websockets.asyncio.client import connect

from protocol.codec import decode_server_frame, encode
from protocol.frames import Hello, Welcome
from roomserver.__main__ import main
from tests.canary import require_no_secret

START = (sys.executable, "-m", "roomserver")
WAIT_S = 40


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """The command line sets logging up for its whole process, which here is ours."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def environment() -> dict[str, str]:
    """Ours, without settings of whoever runs the tests."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("UNISONO_", "DATABASE_"))}


@asynccontextmanager
async def served(
    folder: Path, settings: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A server on a free port, and its address as it prints it."""
    server = await asyncio.create_subprocess_exec(
        *START,
        *("serve", "--port", "0", "--data-dir", str(folder)),
        env=environment() | dict(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert server.stdout is not None
        line = (await asyncio.wait_for(server.stdout.readline(), WAIT_S)).decode()
        assert line.startswith("Unisono is listening on http://127.0.0.1:"), line
        yield server, line.split()[-1]
    finally:
        if server.returncode is None:
            server.kill()
        _, printed = await server.communicate()
        require_no_secret(printed.decode())


async def get(address: str, path: str) -> bytes:
    """One plain HTTP request."""
    host, port = address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_one_port_serves_page_rest_and_socket_and_a_signal_ends_it_quietly(
    number: signal.Signals, tmp_path: Path
) -> None:
    async with served(tmp_path / "a folder") as (server, address):
        assert b" 200 " in (await get(address, "/healthz")).split(b"\r\n")[0]
        assert b"<!doctype html>" in await get(address, "/")
        async with connect(address.replace("http", "ws") + "/ws") as socket_:
            await socket_.send(encode(Hello(client_id="client-1", token="nonsense")).decode())
            assert not isinstance(decode_server_frame(await socket_.recv()), Welcome)
        server.send_signal(number)
        assert server.stderr is not None
        assert await asyncio.wait_for(server.wait(), WAIT_S) == 0
        lines = (await server.stderr.read()).decode().splitlines()
        assert {json.loads(line)["level"] for line in lines} <= {"info"}, lines
        assert not (tmp_path / "a folder/postgres/cluster/postmaster.pid").exists()


async def test_after_a_kill_the_server_starts_again_on_the_same_folder(tmp_path: Path) -> None:
    for _ in range(2):
        async with served(tmp_path) as (server, address):
            assert b" 200 " in (await get(address, "/readyz")).split(b"\r\n")[0]
            server.kill()
            await server.wait()


def test_a_taken_port_is_said_in_one_line_before_anything_is_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["serve", "--port", port, "--data-dir", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"unisono: Another program listens on 127.0.0.1:{port}.")
    assert told.count("\n") == 1
    assert not (tmp_path / "postgres").exists()


def test_a_wrong_setting_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["serve", "--port", "99999", "--data-dir", str(tmp_path)]) == 2
    assert "UNISONO_PORT" in capsys.readouterr().err


def test_config_shows_no_secret(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter2@db.example/unisono")
    assert main(["config"]) == 0
    shown = capsys.readouterr().out
    assert "db.example" in shown
    assert "hunter2" not in shown


def test_a_database_that_is_not_there_is_said_without_its_password(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:1/unisono")
    assert main(["migrate", "--data-dir", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert told.startswith("unisono: The database cannot be reached")
    assert "hunter2" not in told
    assert main(["doctor", "--data-dir", str(tmp_path), "--port", "0"]) == 1
    assert "FAIL  DATABASE_URL" in capsys.readouterr().out
