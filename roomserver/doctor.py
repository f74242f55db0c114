"""What may be wrong with a machine before anything is started."""

import asyncio
import os
import resource
import shutil
import socket
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal, NamedTuple

import redis.asyncio as redis
from redis.exceptions import RedisError

from roomserver.runtime.clock import monotonic_ns, wall_ms
from roomserver.runtime.config import Config
from roomserver.runtime.logs import mask
from sql import binaries, queries
from sql.binaries import EmbeddedError
from sql.faults import FAULTS
from sql.pool import Connection, connect

PYTHON_MIN: Final = (3, 11)
POSTGRES_MIN: Final = 15
LIBRARIES: Final = ("aiohttp", "websockets", "asyncpg", "msgspec", "uvloop", "av", "obstore")
DISK_FREE_MIN_BYTES: Final = 1 << 30
FILES_MIN: Final = 4_096
"""Each socket is an open file."""
CLOCK_DIFFERENCE_MAX_MS: Final = 1_000
REDIS_WITHIN_S: Final = 5.0
DURABLE: Final = ("fsync", "full_page_writes", "synchronous_commit")

Grade = Literal["ok", "warn", "FAIL"]


class Finding(NamedTuple):
    """One line. `warn`: it will run, but not as it should; `FAIL`: it will not."""

    grade: Grade
    text: str


class Settings(NamedTuple):
    """What a database says of itself."""

    fsync: str
    full_page_writes: str
    synchronous_commit: str
    takes_writes: bool
    database_ms: float


SETTINGS: Final = queries.one("doctor.settings", Settings)


async def run(config: Config) -> int:
    """Print one line a check; 1 if one failed."""
    findings = [
        _python(),
        *_libraries(),
        *_data_dir(config),
        _open_files(),
        _port(config.host, config.port, "--port or --host"),
        *await _database(config),
        await _storage(config),
    ]
    if config.metrics_port is not None:
        findings.append(_port(config.host, config.metrics_port, "UNISONO_METRICS_PORT"))
    if config.redis_url is not None:
        findings.append(await _redis(config.redis_url))
    for grade, text in findings:
        print(f"{grade:4}  {text}")
    return 1 if any(finding.grade == "FAIL" for finding in findings) else 0


def _python() -> Finding:
    told = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < PYTHON_MIN:
        return Finding("FAIL", f"Python {told}: 3.11 or newer is needed")
    return Finding("ok", f"Python {told}")


def _libraries() -> list[Finding]:
    found, missing = [], []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    findings = [Finding("ok", ", ".join(found))]
    if missing:
        findings.append(Finding("FAIL", f"not installed: {', '.join(missing)}"))
    return findings


def _data_dir(config: Config) -> list[Finding]:
    wanted = config.data_dir
    folder = _nearest(wanted)
    if not os.access(folder, os.W_OK | os.X_OK):
        return [Finding("FAIL", f"data folder {wanted}: {folder} is not writable")]
    free_bytes = shutil.disk_usage(folder).free
    told = f"{free_bytes / 2**30:.1f} GiB free"
    if free_bytes < DISK_FREE_MIN_BYTES:
        return [Finding("warn", f"data folder {wanted}: only {told}")]
    return [Finding("ok", f"data folder {wanted}, {told}")]


def _nearest(wanted: Path) -> Path:
    """The folder itself, or the one in which it would be made."""
    return next(place for place in (wanted, *wanted.parents) if place.exists())


def _open_files() -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES_MIN:
        return Finding("warn", f"{hard} open files: as many people at most; raise ulimit -Hn")
    return Finding(
        "ok", f"{'any number of' if hard == resource.RLIM_INFINITY else hard} open files"
    )


def _port(host: str, port: int, setting: str) -> Finding:
    place = f"{host}:{port}"
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, proto) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            return Finding("ok", f"{place} is free")
    except OSError as error:
        why = error.strerror or error
        return Finding("FAIL", f"{place}: {why}; choose another {setting}")


async def _database(config: Config) -> list[Finding]:
    if config.database_url is None:
        try:
            return [Finding("ok", f"embedded PostgreSQL {binaries.find().major}, fsync is on")]
        except EmbeddedError as error:
            return [Finding("FAIL", str(error))]
    try:
        connection = await connect(config.database_url, application_name="unisono doctor")
    except (*FAULTS, ValueError) as error:
        return [Finding("FAIL", f"DATABASE_URL: {mask(str(error))}")]
    try:
        return await _of_server(connection)
    except FAULTS as error:
        return [Finding("FAIL", f"DATABASE_URL: {mask(str(error))}")]
    finally:
        await connection.close()


async def _of_server(connection: Connection) -> list[Finding]:
    major = connection.get_server_version().major
    if major < POSTGRES_MIN:
        return [Finding("FAIL", f"PostgreSQL {major}: {POSTGRES_MIN} or newer is needed")]
    begun_ns = monotonic_ns()
    settings = await SETTINGS(connection)
    took_ms = (monotonic_ns() - begun_ns) / 1e6
    findings = [Finding("ok", f"PostgreSQL {major}")]
    if not settings.takes_writes:
        findings.append(Finding("FAIL", "the database takes no writes: it is read-only"))
    off = [name for name in DURABLE if getattr(settings, name) == "off"]
    if off:
        text = f"{', '.join(off)} is off: a power cut may lose what was acknowledged"
        findings.append(Finding("warn", text))
    else:
        findings.append(Finding("ok", f"{', '.join(DURABLE)} are on"))
    difference_ms = wall_ms() - took_ms / 2 - settings.database_ms
    if abs(difference_ms) > CLOCK_DIFFERENCE_MAX_MS + took_ms:
        text = f"this machine's clock is {difference_ms / 1_000:+.1f} s from the database's"
        findings.append(Finding("warn", f"{text}: access tokens may be refused"))
    else:
        findings.append(Finding("ok", "this machine's clock agrees with the database's"))
    return findings


async def _storage(config: Config) -> Finding:
    place = mask(config.storage_url).partition("?")[0]
    try:
        # Imported late: what is broken there is a finding, too.
        from httpapi.media.storage import Storage
        from protocol.errors import Rejected
    except ImportError as error:
        return Finding("FAIL", f"storage {place}: {error}")
    if config.storage_url.startswith("file:") and not config.data_dir.exists():
        return Finding("ok", f"storage {place}, made on first start")
    try:
        with TemporaryDirectory() as staging:
            storage = Storage.open(config.storage_url, staging=Path(staging), patience_s=5)
            await storage.probe()
    except (Rejected, OSError, ValueError) as error:
        return Finding("FAIL", f"storage {place}: {_first_line(error.__cause__ or error)}")
    return Finding("ok", f"storage {place} is writable")


def _first_line(error: BaseException) -> str:
    return mask(str(error)).partition("\n")[0]


async def _redis(url: str) -> Finding:
    client = redis.Redis.from_url(url, socket_timeout=REDIS_WITHIN_S)
    try:
        async with asyncio.timeout(REDIS_WITHIN_S):
            about = await client.info("server")
    except (RedisError, OSError, TimeoutError) as error:
        return Finding("FAIL", f"REDIS_URL: {mask(str(error)) or 'no answer'}")
    finally:
        await client.aclose()
    return Finding("ok", f"Redis {about.get('redis_version', 'of an unknown version')}")
