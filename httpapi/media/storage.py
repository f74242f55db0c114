"""Content-addressed files: equal bytes are one object, wherever it is kept.

    Storage     `open` it for a folder or a `file:` or `s3:` URL
    Staged      an upload on local disk that is not kept yet

obstore is called through its blocking functions in threads: its asyncio ones may abort the
process at exit (docs/decisions/0020).
"""

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from protocol.errors import ErrorCode, Rejected
from roomserver.runtime.clock import wall_ms

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

PIECE_BYTES: Final = 512 * 1024
"""What is written at once: large enough that the hop into a thread does not show."""
SENT_BYTES: Final = 128 * 1024
"""What is read at once for somebody who may be slow: twice this is in memory for each."""
PATIENCE_S: Final = 30.0
"""With a remote store, for each request. One transfers 10 MB at most."""
RETRIES: Final["RetryConfig"] = {"max_retries": 2, "retry_timeout": timedelta(seconds=20)}
STALE_AFTER_S: Final = 60.0
PROBE_KEY: Final = "probe"
"""What a remote store is tried with: a word that is overwritten each time."""
_STAGING: Final = "incoming"
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Staged:
    """An upload that arrived whole. `keep` it, or it is gone when its `async with` ends."""

    def __init__(self, storage: "Storage", path: Path, sha256: str, size_bytes: int) -> None:
        self.path: Final = path
        """Where the worker process may read it until it is kept."""
        self.sha256: Final = sha256
        self.size_bytes: Final = size_bytes
        self.key: Final = f"{sha256[:2]}/{sha256[2:]}"
        self._storage = storage

    async def keep(self) -> str:
        """Move it to its key, which is returned; does nothing if these bytes are kept already.

        Rejects: storage_full, unavailable.
        """
        with _refusals():
            await asyncio.to_thread(self._storage._adopt, self)
        return self.key


class Storage:
    """Files by key. Every method rejects with `storage_full` or `unavailable` if the disk or the
    remote store fails, and with `not_found` for a key that is not there."""

    def __init__(self, store: ObjectStore, root: Path | None, staging: Path) -> None:
        self._store = store
        self._root = root
        self._staging = staging
        self._probing: asyncio.Future[None] | None = None

    @classmethod
    def open(
        cls, place: str | Path, *, staging: Path | None = None, patience_s: float = PATIENCE_S
    ) -> "Storage":
        """Open a folder (made if missing) or a URL; uploads that a crash left are removed.

        `staging`: a local folder for uploads under way; needed only where `place` is remote.
        `patience_s`: how long a remote store may take to answer.
        """
        url = urlsplit(place) if isinstance(place, str) else None
        if url is not None and url.scheme not in ("", "file"):
            if staging is None:
                raise ValueError("remote storage needs a local staging folder")
            patience: ClientConfig = {
                "connect_timeout": timedelta(seconds=min(5, patience_s)),
                "timeout": timedelta(seconds=patience_s),
                # Whether it is encrypted is the endpoint's to say: `AWS_ENDPOINT_URL`.
                "allow_http": True,
            }
            store = from_url(str(place), client_options=patience, retry_config=RETRIES)
            storage = cls(store, None, staging)
        else:
            root = Path(unquote(url.path)) if url is not None and url.scheme else Path(place)
            root = root.absolute()
            root.mkdir(parents=True, exist_ok=True)
            # Beside the kept files, so that keeping one is a rename within a file system.
            storage = cls(LocalStore(root), root, root / _STAGING)
        storage._staging.mkdir(parents=True, exist_ok=True, mode=0o700)
        storage._sweep()
        return storage

    @contextlib.asynccontextmanager
    async def stage(self, chunks: AsyncIterator[bytes], *, max_bytes: int) -> AsyncIterator[Staged]:
        """Take in a stream of at most `max_bytes`; what is not kept inside the block vanishes.

        Rejects: payload_too_large as soon as one byte too many has come.
        """
        # The block may raise as it likes: only our own file work is translated.
        with _refusals():
            file = self._new_file()
        try:
            digest, size_bytes = await _fill(file, chunks, max_bytes)
            yield Staged(self, Path(file.name), digest, size_bytes)
        finally:
            self._discard(file)

    def stage_bytes(self, data: bytes) -> contextlib.AbstractAsyncContextManager[Staged]:
        """As `stage`, for what is in memory already."""
        return self.stage(_once(data), max_bytes=len(data))

    async def size(self, key: str) -> int:
        """Bytes in the file."""
        with _refusals():
            return int((await asyncio.to_thread(obstore.head, self._store, key))["size"])

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end`, in pieces, at the reader's speed.

        A file deleted meanwhile is read to its end where it is kept in a folder, and ends with
        `not_found` elsewhere.
        """
        with _refusals():
            end = await self.size(key) if end is None else end
            if self._root is None:
                # One request each: a slow reader must not hold one open, which would time out.
                for at in range(start, end, SENT_BYTES):
                    to = min(at + SENT_BYTES, end)
                    piece = await asyncio.to_thread(
                        obstore.get_range, self._store, key, start=at, end=to
                    )
                    yield bytes(piece)
                return
            if start >= end:
                return
            found = await asyncio.to_thread(
                obstore.get, self._store, key, options={"range": (start, end)}
            )
            pieces = iter(found.stream(min_chunk_size=SENT_BYTES))
            while got := await asyncio.to_thread(lambda: bytes(next(pieces, b""))):
                yield got

    async def delete(self, key: str) -> None:
        """Remove the file; one that is not there is no error."""
        with _refusals(), contextlib.suppress(FileNotFoundError):
            await asyncio.to_thread(obstore.delete, self._store, key)

    @contextlib.asynccontextmanager
    async def local(self, key: str) -> AsyncIterator[Path]:
        """A path under which another process can read the file while the block lasts."""
        if self._root is not None:
            await self.size(key)
            yield self._root / key
            return
        pieces = self.read(key)
        async with self.stage(pieces, max_bytes=await self.size(key)) as staged:
            yield staged.path

    async def probe(self) -> None:
        """Write a few bytes and take them back. Rejects: storage_full, unavailable."""
        # One at a time: a store that hangs holds one thread, however often it is asked for.
        if self._probing is None or self._probing.done():
            loop = asyncio.get_running_loop()
            self._probing = loop.run_in_executor(None, self._write_probe)
            # Nobody may be waiting any more when it fails.
            self._probing.add_done_callback(lambda done: done.cancelled() or done.exception())
        with _refusals():
            await asyncio.shield(self._probing)

    def _write_probe(self) -> None:
        if self._root is None:
            obstore.put(self._store, PROBE_KEY, b"ready")
            return
        with NamedTemporaryFile(dir=self._staging, buffering=0) as file:
            file.write(b"ready")

    def _new_file(self) -> IO[bytes]:
        # Unbuffered: closing it must not try once more what a full disk has refused.
        file = NamedTemporaryFile(dir=self._staging, delete=False, buffering=0)  # noqa: SIM115
        # Held as long as the file is open: a starting process sees that it is not stale.
        fcntl.flock(file, fcntl.LOCK_EX)
        return file

    def _discard(self, file: IO[bytes]) -> None:
        file.close()
        Path(file.name).unlink(missing_ok=True)

    def _sweep(self) -> None:
        for path in self._staging.iterdir():
            # Younger ones may be about to be locked by another process.
            with contextlib.suppress(OSError), path.open("rb") as file:
                if wall_ms() / 1_000 - path.stat().st_mtime > STALE_AFTER_S:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()

    def _adopt(self, staged: Staged) -> None:
        with contextlib.suppress(FileNotFoundError):
            if obstore.head(self._store, staged.key)["size"] == staged.size_bytes:
                return
        if self._root is None:
            obstore.put(self._store, staged.key, staged.path)
            return
        with staged.path.open("rb") as file:
            os.fsync(file.fileno())
        obstore.rename(self._store, f"{_STAGING}/{staged.path.name}", staged.key)


async def _fill(file: IO[bytes], chunks: AsyncIterator[bytes], max_bytes: int) -> tuple[str, int]:
    digest = hashlib.sha256()
    size_bytes = 0
    waiting = bytearray()

    def write(piece: bytes) -> None:
        digest.update(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[file.write(rest) :]

    async for chunk in chunks:
        size_bytes += len(chunk)
        if size_bytes > max_bytes:
            raise Rejected(ErrorCode.PAYLOAD_TOO_LARGE, max_bytes=max_bytes)
        waiting += chunk
        if len(waiting) >= PIECE_BYTES:
            with _refusals():
                await asyncio.to_thread(write, bytes(waiting))
            waiting.clear()
    with _refusals():
        await asyncio.to_thread(write, bytes(waiting))
    return digest.hexdigest(), size_bytes


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """Turn failures of disk and store into refusals."""
    try:
        yield
    except FileNotFoundError as error:
        raise Rejected(ErrorCode.NOT_FOUND) from error
    except OSError as error:
        full = error.errno in _FULL
        raise Rejected(ErrorCode.STORAGE_FULL if full else ErrorCode.UNAVAILABLE) from error
    except obstore.exceptions.BaseError as error:
        full = "os error 28" in str(error)
        raise Rejected(ErrorCode.STORAGE_FULL if full else ErrorCode.UNAVAILABLE) from error
