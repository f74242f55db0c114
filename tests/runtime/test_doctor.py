"""`unisono doctor`: what is wrong with a machine is said before anything is started."""

import resource
import socket
from pathlib import Path

import pytest

from roomserver import doctor
from roomserver.runtime.config import load
from sql.pool import connect


async def told(capsys: pytest.CaptureFixture[str], **settings: object) -> tuple[int, str]:
    code = await doctor.run(load({}, port=0, **settings))
    return code, capsys.readouterr().out


async def test_a_machine_in_order_gets_no_complaint(
    tmp_path: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = await told(capsys, data_dir=tmp_path, database_url=database_url)
    assert code == 0
    assert {line.split()[0] for line in text.splitlines()} == {"ok"}, text
    for part in ("Python", "aiohttp", "GiB free", "open files", "free", "PostgreSQL", "fsync"):
        assert part in text
    assert "clock agrees" in text and "is writable" in text


async def test_what_weakens_a_server_is_a_warning(
    tmp_path: Path,
    database_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = await connect(database_url)
    name = await connection.fetchval("select current_database()")
    await connection.execute(f'alter database "{name}" set synchronous_commit = off')
    await connection.close()
    monkeypatch.setattr(doctor, "DISK_FREE_MIN_BYTES", 1 << 60)
    monkeypatch.setattr(doctor, "FILES_MIN", resource.getrlimit(resource.RLIMIT_NOFILE)[1] + 1)
    monkeypatch.setattr(doctor, "wall_ms", lambda: 0.0)
    code, text = await told(capsys, data_dir=tmp_path, database_url=database_url)
    warnings = [line for line in text.splitlines() if line.startswith("warn")]
    assert code == 0 and len(warnings) == 4, text
    assert "only" in warnings[0] and "open files" in warnings[1]
    assert "synchronous_commit is off" in warnings[2] and "clock is -" in warnings[3]


async def test_what_stops_a_server_fails_and_shows_no_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    media = tmp_path / "media"
    media.write_text("a file where a folder should be")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, text = await told(
            capsys,
            data_dir=tmp_path,
            database_url="postgresql://me:hunter2@127.0.0.1:1/unisono",
            redis_url="redis://:hunter2@127.0.0.1:1",
            metrics_port=taken.getsockname()[1],
        )
    failures = [line for line in text.splitlines() if line.startswith("FAIL")]
    assert code == 1 and "hunter2" not in text
    assert ["DATABASE_URL" in f for f in failures] == [True, False, False, False], text
    for line, part in zip(
        failures[1:], ("storage", "UNISONO_METRICS_PORT", "REDIS_URL"), strict=True
    ):
        assert part in line
