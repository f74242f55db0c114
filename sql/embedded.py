"""PostgreSQL for those who run none: a server of our own in the data folder.

    server = EmbeddedPostgres(data_dir / "postgres")
    url = await server.start()
    ...
    await server.stop()

The data folder holds `cluster/` and `postgres.log`. The server listens on no network address, only
on a socket in a short private folder, and admits only the system user that runs this program. It
ends with this program, however that ends.

PostgreSQL refuses to run as root. Root therefore starts it as the owner of the cluster, which is
`nobody` for a new one, and hands it the open folder of the cluster, so that it needs no way through
the folders above, which stay as closed as they are.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic
from typing import IO, Final
from urllib.parse import urlencode

from sql import binaries, queries, run_folder
from sql.binaries import Binaries, EmbeddedError
from sql.cluster import check_version, forget_stale_pid, is_ending
from sql.faults import FAULTS
from sql.pool import connect
from sql.run_folder import PORT, user_name

__all__ = ["EmbeddedError", "EmbeddedPostgres"]

ROLE: Final = "unisono"
DATABASE: Final = "postgres"
READY_WITHIN_S: Final = 120  # recovery after a crash can take its time
STOP_WITHIN_S: Final = 30
OTHER_ENDS_WITHIN_S: Final = 60
OTHER_BEGINS_TO_END_WITHIN_S: Final = 2
START_AGAIN_AFTER_S: Final = 1
START_AGAIN_AT_LATEST_S: Final = 30
"""A fault that lasts is tried, and told in the log, twice as late each time, up to this."""
LOG_MAX_BYTES: Final = 4 << 20
SHIM: Final = Path(__file__).with_name("postgres_shim.py")
SWEEPER: Final = Path(__file__).with_name("postgres_sweeper.py")
_log: Final = logging.getLogger(__name__)

IS_READY = queries.scalar("embedded.is_ready", bool)

SETTINGS: Final = {
    "listen_addresses": "",
    # What an acknowledged commit means to us. Never traded for speed, not in tests either.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # In the data folder, not in /dev/shm, where a server that is killed would leave them.
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


class EmbeddedPostgres:
    """One server on one data folder. `binaries` is for tests of other versions."""

    def __init__(self, data_dir: Path | str, *, binaries: Binaries | None = None) -> None:
        self.data_dir = Path(os.path.abspath(data_dir))
        self._binaries = binaries
        self._process: subprocess.Popen[bytes] | None = None
        self._lock_fd = -1
        self._alive_fd = -1
        self._sweeper: subprocess.Popen[bytes] | None = None
        self._stopping = asyncio.Event()

    @property
    def cluster(self) -> Path:
        """The folder of the database cluster."""
        return self.data_dir / "cluster"

    @property
    def log(self) -> Path:
        """What the server has to say."""
        return self.data_dir / "postgres.log"

    @property
    def pid(self) -> int:
        """The process of the running server."""
        if self._process is None:
            raise RuntimeError("The embedded PostgreSQL is not running.")
        return self._process.pid

    async def start(self) -> str:
        """Start the server, after making the cluster if there is none, and return its URL, which
        is the same after every start. Raises EmbeddedError with what to do.

        The server ends when the *thread* that calls this ends: call it from one that stays."""
        if self._process is not None:
            raise RuntimeError("The embedded PostgreSQL is running already.")
        self._stopping.clear()
        return await self._start_or_end()

    async def _start_or_end(self) -> str:
        try:
            return await self._start()
        except (OSError, subprocess.SubprocessError, MemoryError) as problem:
            # A process that cannot be made: no memory for it, or it died before it was ours.
            await self._end()
            raise EmbeddedError(
                f"The embedded PostgreSQL in {self.data_dir} cannot start:"
                f" {str(problem) or repr(problem)}."
            ) from problem
        except BaseException:
            await self._end()
            raise

    async def _start(self) -> str:
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self._lock()
        if self._stopping.is_set():
            raise EmbeddedError("The embedded PostgreSQL was stopped while it was starting.")
        uid, gid = self._server_user()
        found = binaries.usable_by(self._binaries or binaries.find(), uid, gid)
        self._make_cluster(found, uid, gid)
        check_version(self.cluster, found)
        forget_stale_pid(self.cluster)
        run_dir = run_folder.make(self.data_dir, ROLE, uid, gid)
        self._sweep_after(run_dir)
        socket_dir = run_dir / run_folder.SOCKETS
        settings = SETTINGS | {
            "unix_socket_directories": str(socket_dir),
            "unix_socket_permissions": "0700",
            "hba_file": str(run_dir / "hba"),
            "ident_file": str(run_dir / "ident"),
            "port": str(PORT),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        if self.log.exists() and self.log.stat().st_size > LOG_MAX_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            log_from = log.tell()
            self._process = self._spawn(found.postgres, self.cluster, options, uid, gid, log)
        where = urlencode({"host": str(socket_dir), "port": PORT})
        url = f"postgresql://{ROLE}@/{DATABASE}?{where}"
        await self._wait_ready(url, log_from)
        return url

    async def stop(self) -> None:
        """End the server; open transactions are rolled back. Nothing happens if there is none."""
        self._stopping.set()
        await self._end()

    async def _end(self) -> None:
        process = self._process
        if process is not None:
            for number, within_s in (
                (signal.SIGINT, STOP_WITHIN_S),
                (signal.SIGQUIT, 5),
                (signal.SIGKILL, None),
            ):
                process.send_signal(number)
                try:
                    await asyncio.to_thread(process.wait, within_s)
                    break
                except subprocess.TimeoutExpired:
                    continue
            self._process = None
        await self._release()

    async def keep_running(self) -> None:
        """Start the server again whenever it ends by itself; returns after `stop`.

        The owner of the server runs this as a task. A server that cannot start, as its disk is
        full, is tried again until it can: what is committed is served from memory meanwhile."""
        while (process := self._process) is not None:
            await _end_of(process)
            if self._stopping.is_set() or self._process is not process:
                return
            self._process = None
            # Its children hold the old lock until they have seen that their parent is gone.
            await self._release()
            await self._start_again()

    async def _start_again(self) -> None:
        after_s: float = START_AGAIN_AFTER_S
        while not self._stopping.is_set():
            try:
                await self._start_or_end()
                return
            except EmbeddedError as problem:
                if not self._stopping.is_set():
                    _log.error("the database cannot start again", extra={"error": str(problem)})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(after_s):
                    await self._stopping.wait()
            after_s = min(2 * after_s, START_AGAIN_AT_LATEST_S)

    # -- who

    def _server_user(self) -> tuple[int, int]:
        """uid and gid of the server: ours, or for root the owner of the cluster."""
        uid = os.geteuid()
        if uid != 0:
            if self.cluster.exists() and (owner := self.cluster.stat().st_uid) != uid:
                raise EmbeddedError(
                    f"{self.cluster} belongs to user {user_name(owner)}. Start Unisono as that"
                    " user, or choose another --data-dir."
                )
            user_name(uid)
            return uid, os.getegid()
        if self.cluster.exists() and (owner := self.cluster.stat().st_uid) != 0:
            return owner, self.cluster.stat().st_gid
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError:
            raise EmbeddedError(
                "PostgreSQL does not run as root, and this system has no user 'nobody' to run it"
                " as. Start Unisono as an ordinary user, or set DATABASE_URL."
            ) from None
        return nobody.pw_uid, nobody.pw_gid

    # -- the folder

    async def _lock(self) -> None:
        """Own the data folder. The server inherits the lock: it lasts until the last of its
        processes has ended, also when this program was killed. No process id is trusted."""
        self._lock_fd = os.open(self.data_dir, os.O_RDONLY | os.O_DIRECTORY)
        begun = monotonic()
        while True:
            try:
                return fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waited_s = monotonic() - begun
            ending = is_ending(self.cluster / "postmaster.pid")
            if waited_s > (OTHER_ENDS_WITHIN_S if ending else OTHER_BEGINS_TO_END_WITHIN_S):
                raise EmbeddedError(
                    f"Another program uses {self.data_dir}. Stop it first, or choose another"
                    " --data-dir."
                )
            await asyncio.sleep(0.02)

    def _sweep_after(self, run_dir: Path) -> None:
        """Have the run folder removed when we and the last process of the server have ended.

        A process of its own does it, as nobody else is left after a `kill -9`. It waits for the
        end of a pipe that we and the server hold open, and keeps the lock until it is done: the
        next server, here or elsewhere, cannot lose its folder to it."""
        ended_fd, self._alive_fd = os.pipe()
        try:
            self._sweeper = subprocess.Popen(
                [sys.executable, "-I", "-S", str(SWEEPER), str(run_dir)],
                cwd="/",
                stdin=ended_fd,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[self._lock_fd],
                start_new_session=True,
            )
        finally:
            os.close(ended_fd)

    async def _release(self) -> None:
        """Give up lock and run folder; both go when the last process of the server has ended."""
        sweeper, self._sweeper = self._sweeper, None
        if self._alive_fd >= 0:
            os.close(self._alive_fd)
            self._alive_fd = -1
        if sweeper is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(sweeper.wait, OTHER_ENDS_WITHIN_S)
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1

    def _make_cluster(self, found: Binaries, uid: int, gid: int) -> None:
        """Make the cluster if there is none: beside its place, so that it is whole or not there."""
        draft = self.data_dir / "cluster.new"
        if draft.exists():
            shutil.rmtree(draft)
        if self.cluster.exists():
            return
        draft.mkdir(mode=0o700)
        os.chown(draft, uid, gid)
        options = ["-U", ROLE, "-A", "peer", "-E", "UTF8", "--locale=C.UTF-8"]
        with tempfile.TemporaryFile() as told:
            process = self._spawn(found.initdb, draft, options, uid, gid, told)
            if process.wait() != 0:
                told.seek(0)
                raise EmbeddedError(
                    f"initdb could not make the database in {self.data_dir}:\n"
                    + told.read().decode(errors="replace")[-2_000:]
                )
        draft.rename(self.cluster)
        # The lock's descriptor is the folder: the new name must survive a power cut, too.
        os.fsync(self._lock_fd)

    # -- the process

    def _spawn(
        self,
        program: Path,
        cluster: Path,
        options: list[str],
        uid: int,
        gid: int,
        output: IO[bytes],
    ) -> "subprocess.Popen[bytes]":
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PG", "LC_", "LANG", "TZ"))
        }
        shim = [sys.executable, "-I", "-S", str(SHIM), str(os.getpid()), str(uid), str(gid)]
        folder_fd = os.open(cluster, os.O_RDONLY | os.O_DIRECTORY)
        seen = str(cluster) if uid == os.geteuid() else f"/proc/self/fd/{folder_fd}"
        try:
            return subprocess.Popen(
                [*shim, str(program), "-D", seen, *options],
                # PostgreSQL 15 leaves its working directory at the start, and has to get back.
                cwd="/",
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[fd for fd in (self._lock_fd, self._alive_fd, folder_fd) if fd >= 0],
                # Ctrl-C is for us: we stop the server after the last commit.
                start_new_session=True,
            )
        finally:
            os.close(folder_fd)

    async def _wait_ready(self, url: str, log_from: int) -> None:
        assert self._process is not None
        process = self._process
        begun = monotonic()
        problem: Exception | None = None
        while monotonic() - begun < READY_WITHIN_S:
            if process.poll() is not None:
                raise EmbeddedError(
                    f"The embedded PostgreSQL ended at once. It said:\n{self._told(log_from)}"
                )
            try:
                connection = await connect(url)
                try:
                    if await IS_READY(connection):
                        return
                finally:
                    await connection.close()
            except FAULTS as caught:
                problem = caught
            await asyncio.sleep(0.01)
        raise EmbeddedError(
            f"The embedded PostgreSQL was not ready within {READY_WITHIN_S} s ({problem}). It"
            f" said:\n{self._told(log_from)}"
        )

    def _told(self, log_from: int) -> str:
        with self.log.open("rb") as log:
            log.seek(log_from)
            return log.read()[-2_000:].decode(errors="replace").strip()


async def _end_of(process: "subprocess.Popen[bytes]") -> None:
    """Wait until a child has ended, without a thread where the system can tell."""
    if sys.platform != "linux":
        await asyncio.to_thread(process.wait)
        return
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    try:
        child = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    loop.add_reader(child, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(child)
        os.close(child)
    process.poll()
