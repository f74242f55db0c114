"""Storage keeps equal bytes once, refuses what is too large, and leaves nothing behind."""

import asyncio
import hashlib
import os
import resource
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from httpapi.media.storage import PIECE_BYTES, Storage
from protocol.errors import ErrorCode, Rejected
from tests.httpapi.media.s3 import S3

PLENTY = 2**30


async def stream(data: bytes, step: int = 10_000) -> AsyncIterator[bytes]:
    for at in range(0, len(data), step):
        yield data[at : at + step]


async def keep(storage: Storage, data: bytes) -> str:
    async with storage.stage(stream(data), max_bytes=PLENTY) as staged:
        return await staged.keep()


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


async def read(storage: Storage, key: str, *span: int) -> bytes:
    return b"".join([piece async for piece in storage.read(key, *span)])


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage.open(tmp_path / "media")


class Place:
    """A storage of either kind, and what is in it."""

    def __init__(self, storage: Storage, keys: Callable[[], list[str]], staging: Path) -> None:
        self.storage = storage
        self.keys = keys
        self.staging = staging


@pytest.fixture(params=["folder", "s3"])
def either(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Place:
    """The same promises, wherever files are kept."""
    if request.param == "folder":
        folder = tmp_path / "media"
        return Place(Storage.open(folder), lambda: files(folder), folder / "incoming")
    server: S3 = request.getfixturevalue("s3")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    place, staging = server.place(), tmp_path / "staging"
    return Place(Storage.open(place, staging=staging), lambda: server.keys(place), staging)


async def test_a_kept_file_is_read_back_under_the_hash_of_its_bytes(either: Place) -> None:
    storage = either.storage
    data = os.urandom(3 * PIECE_BYTES + 17)
    async with storage.stage(stream(data), max_bytes=len(data)) as staged:
        assert staged.size_bytes == len(data)
        assert staged.path.read_bytes() == data
        key = await staged.keep()
    digest = hashlib.sha256(data).hexdigest()
    assert key == f"{digest[:2]}/{digest[2:]}"
    assert staged.sha256 == digest
    assert await storage.size(key) == len(data)
    assert await read(storage, key) == data
    async with storage.local(key) as path:
        assert path.read_bytes() == data


async def test_a_probe_tells_whether_the_store_takes_bytes(either: Place) -> None:
    await either.storage.probe()
    assert either.keys() in ([], ["probe"])


async def test_the_same_file_twice_is_one_object(either: Place) -> None:
    storage = either.storage
    first, second = await keep(storage, b"same" * 999), await keep(storage, b"same" * 999)
    assert first == second
    assert either.keys() == [first]
    assert files(either.staging) == []


@pytest.mark.parametrize(
    ("start", "end"), [(0, 1), (0, 10), (5, 5), (9, 5), (700_000, 1_300_001), (1_499_999, None)]
)
async def test_any_range_can_be_read(either: Place, start: int, end: int | None) -> None:
    data = os.urandom(1_500_000)
    key = await keep(either.storage, data)
    pieces = either.storage.read(key, start, end)
    assert b"".join([p async for p in pieces]) == data[start : max(start, end or len(data))]


async def test_u2_one_byte_over_the_cap_is_refused_and_leaves_nothing(either: Place) -> None:
    storage = either.storage
    async with storage.stage(stream(b"x" * 50_000), max_bytes=50_000) as staged:
        assert staged.size_bytes == 50_000
    with pytest.raises(Rejected) as refusal:
        async with storage.stage(stream(b"x" * 50_001), max_bytes=50_000):
            pass
    assert refusal.value.code is ErrorCode.PAYLOAD_TOO_LARGE
    assert refusal.value.details == {"max_bytes": 50_000}
    assert either.keys() == files(either.staging) == []


async def test_u2_an_endless_upload_is_cut_at_the_cap(storage: Storage) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield bytes(65_536)

    with pytest.raises(Rejected):
        async with storage.stage(endless(), max_bytes=1_000_000):
            pass
    assert sent <= 1_000_000 + 65_536


async def test_a_sender_that_breaks_off_leaves_nothing(storage: Storage, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(PIECE_BYTES * 2)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        async with storage.stage(broken(), max_bytes=PLENTY):
            pass
    assert files(tmp_path) == []


async def test_a_cancelled_upload_leaves_nothing(storage: Storage, tmp_path: Path) -> None:
    arrived = asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield bytes(PIECE_BYTES * 2)
        arrived.set()
        await asyncio.Event().wait()

    async def upload() -> None:
        async with storage.stage(stalled(), max_bytes=PLENTY):
            pass

    task = asyncio.ensure_future(upload())
    await arrived.wait()
    assert len(files(tmp_path)) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files(tmp_path) == []


async def test_an_upload_that_is_refused_after_it_arrived_leaves_nothing(
    storage: Storage, tmp_path: Path
) -> None:
    with pytest.raises(Rejected):
        async with storage.stage(stream(b"<html>"), max_bytes=PLENTY):
            raise Rejected(ErrorCode.UNSUPPORTED_MEDIA)
    assert files(tmp_path) == []


@contextmanager
def no_room_beyond(limit_bytes: int) -> Iterator[None]:
    """The system refuses to let any file grow further, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_u12_a_full_disk_is_a_typed_refusal_and_leaves_nothing(
    storage: Storage, tmp_path: Path
) -> None:
    kept = await keep(storage, b"before")
    with no_room_beyond(PIECE_BYTES), pytest.raises(Rejected) as refusal:
        await keep(storage, bytes(3 * PIECE_BYTES))
    assert refusal.value.code is ErrorCode.STORAGE_FULL
    assert files(tmp_path) == [f"media/{kept}"]
    assert await keep(storage, bytes(3 * PIECE_BYTES))


async def test_u10_a_file_deleted_while_it_is_read_is_read_to_its_end(storage: Storage) -> None:
    data = os.urandom(4 * PIECE_BYTES)
    key = await keep(storage, data)
    pieces = storage.read(key)
    got = await anext(pieces)
    await storage.delete(key)
    got += b"".join([piece async for piece in pieces])
    assert got == data
    with pytest.raises(Rejected) as refusal:
        await storage.size(key)
    assert refusal.value.code is ErrorCode.NOT_FOUND
    with pytest.raises(Rejected):
        await read(storage, key)
    await storage.delete(key)


async def test_opening_sweeps_what_a_crash_left_and_spares_what_is_under_way(
    tmp_path: Path,
) -> None:
    storage = Storage.open(tmp_path)
    old = time.time() - 3_600
    left = tmp_path / "incoming" / "left"
    left.write_bytes(b"half")
    os.utime(left, (old, old))
    async with storage.stage(stream(b"whole"), max_bytes=PLENTY) as staged:
        os.utime(staged.path, (old, old))
        Storage.open(tmp_path)
        assert not left.exists()
        await staged.keep()


async def test_a_url_and_a_folder_with_spaces_open_the_same_place(tmp_path: Path) -> None:
    folder = tmp_path / "my music"
    key = await keep(Storage.open(folder), b"tune")
    assert await read(Storage.open(folder.as_uri()), key) == b"tune"


async def test_what_is_not_there_is_not_found_and_deleting_it_is_no_error(either: Place) -> None:
    storage = either.storage
    key = await keep(storage, os.urandom(2 * PIECE_BYTES))
    await storage.delete(key)
    await storage.delete(key)
    assert either.keys() == []
    for asking in (storage.size(key), read(storage, key), read(storage, key, 0, 10)):
        with pytest.raises(Rejected) as refusal:
            await asking
        assert refusal.value.code is ErrorCode.NOT_FOUND
    with pytest.raises(Rejected) as refusal:
        async with storage.local(key):
            pass
    assert refusal.value.code is ErrorCode.NOT_FOUND


async def test_u10_a_file_deleted_while_s3_sends_it_ends_as_not_found(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    storage = Storage.open(s3.place(), staging=tmp_path)
    data = os.urandom(3 * PIECE_BYTES)
    key = await keep(storage, data)
    pieces = storage.read(key)
    assert data.startswith(await anext(pieces))
    await storage.delete(key)
    with pytest.raises(Rejected) as refusal:
        await anext(pieces)
    assert refusal.value.code is ErrorCode.NOT_FOUND


async def test_a_store_that_is_away_or_says_nothing_is_unavailable_and_then_goes_on(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    place = s3.place()
    storage = Storage.open(place, staging=tmp_path)
    key = await keep(storage, b"tune")
    hasty = Storage.open(place, staging=tmp_path, patience_s=0.1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused_tcp_port}")
    away = Storage.open(place, staging=tmp_path)
    for asked in (hasty, away):
        with s3.stalled():
            for asking in (
                asked.size(key),
                read(asked, key),
                keep(asked, b"x"),
                asked.delete("any"),
                asked.probe(),
            ):
                with pytest.raises(Rejected) as refusal:
                    await asking
                assert refusal.value.code is ErrorCode.UNAVAILABLE
    assert files(tmp_path) == []
    assert await read(storage, key) == b"tune"
