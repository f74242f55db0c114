"""The real server as a process that a test may kill and start again."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from sql.embedded import DATABASE, ROLE
from tests.canary import require_no_secret

ROOT: Final = Path(__file__).resolve().parents[2]
LISTENING: Final = re.compile(rb"listening on http://127\.0\.0\.1:(\d+)")
START_WITHIN_S: Final = 40
STOP_WITHIN_S: Final = 30


class Served:
    """`unisono serve` on a port that it keeps over restarts, with the limits off unless wanted.

    `tree` is the source tree that it runs: this one, or a copy with a fault planted. `under` is a
    command that the server's is handed to, and `environment` what it is told besides.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        database_url: str | None = None,
        tree: Path = ROOT,
        limits_factor: int = 0,
        under: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.data_dir = data_dir
        self.port = 0
        self._database_url = database_url
        self._tree = tree
        self._limits_factor = limits_factor
        self._under = under
        self._environment = environment or {}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What the server has printed."""
        return self._log_file.read_text("utf-8", "replace")

    @property
    def _log_file(self) -> Path:
        return self.data_dir.with_suffix(".log")

    async def start(self) -> None:
        """Start it and wait until it listens."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("UNISONO_") and name not in ("DATABASE_URL", "REDIS_URL")
        }
        environment |= {
            "UNISONO_LIMITS_FACTOR": str(self._limits_factor),
            "UNISONO_MEDIA_NICENESS": "1",
            "PYTHONPATH": str(self._tree),
        }
        if self._database_url is not None:
            environment["DATABASE_URL"] = self._database_url
        environment |= self._environment
        with self._log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(*self._under, sys.executable),
                *("-m", "roomserver", "serve", "--port", str(self.port)),
                *("--data-dir", str(self.data_dir)),
                cwd=self._tree,
                env=environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(START_WITHIN_S):
                while line := await self._process.stdout.readline():
                    if found := LISTENING.search(line):
                        self.port = int(found[1])
                        return
        except TimeoutError:
            pass
        await self.kill()
        raise AssertionError(f"the server does not start:\n{self.log}")

    async def kill(self) -> None:
        """`kill -9`."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """As Ctrl-C does."""
        await self._end(signal.SIGTERM)

    @property
    def pid(self) -> int:
        """The process id of the server, which runs."""
        assert self._process is not None
        return self._process.pid

    def postgres_pid(self) -> int:
        """The process id of its own PostgreSQL."""
        return int(self._postmaster()[0])

    @property
    def database_url(self) -> str:
        """Where the log can be read: its own PostgreSQL, or the one that it was given."""
        if self._database_url is not None:
            return self._database_url
        _, _, _, port, socket_dir, *_ = self._postmaster()
        where = urlencode({"host": socket_dir, "port": port})
        return f"postgresql://{ROLE}@/{DATABASE}?{where}"

    def _postmaster(self) -> list[str]:
        (found,) = self.data_dir.rglob("postmaster.pid")
        return found.read_text().splitlines()

    async def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.send_signal(how)
            try:
                async with asyncio.timeout(STOP_WITHIN_S):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
                raise AssertionError(f"the server did not stop:\n{self.log[-4_000:]}") from None
        # Closes the pipe's transport, so that nothing is left in the loop.
        self._process._transport.close()  # type: ignore[attr-defined]
        self._process = None
        require_no_secret(self.log)
