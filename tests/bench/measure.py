"""Starting servers and reading what they cost, from the operating system."""

import asyncio
import os
import platform
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
import psutil

ROOT = Path(__file__).resolve().parents[2]


class Cost(NamedTuple):
    """CPU seconds, user and system, of a server's Python process and of its PostgreSQL."""

    python_s: float
    postgres_s: float

    def since(self, earlier: "Cost") -> "Cost":
        return Cost(self.python_s - earlier.python_s, self.postgres_s - earlier.postgres_s)


class Server(NamedTuple):
    """A running server process."""

    port: int
    process: psutil.Process

    def cost(self) -> Cost:
        times = self.process.cpu_times()
        database = 0.0
        for child in self.process.children(recursive=True):
            try:
                used = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            database += used.user + used.system
        return Cost(times.user + times.system, database)

    def rss_bytes(self) -> int:
        """Memory of the Python process that is in use."""
        used: int = self.process.memory_info().rss
        return used


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def stepped_back() -> Iterator[None]:
    """This process, which is all the clients of a bench, pushes nobody off a core when something
    comes for it: who listens elsewhere would not. What it starts meanwhile inherits that, so that
    no database may be."""
    before = os.sched_getscheduler(0)
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        yield
    finally:
        os.sched_setscheduler(0, before, os.sched_param(0))


@asynccontextmanager
async def server(
    *arguments: str, port: int, ready: bytes = b"listening", **settings: str
) -> AsyncIterator[Server]:
    """Run `python -m …` until the end of the block; starts when it printed `ready`. `settings` are
    environment variables of it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"UNISONO_LIMITS_FACTOR": "0", "UNISONO_LOG_LEVEL": "error"} | settings,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            while ready not in (line := await process.stdout.readline()):
                if not line:
                    raise RuntimeError(f"{arguments} ended before it listened")
        with stepped_back():
            yield Server(port, psutil.Process(process.pid))
    finally:
        process.terminate()
        try:
            async with asyncio.timeout(15):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.communicate()


async def metrics(port: int) -> dict[str, float]:
    """What a server tells of itself on its metrics port: each series with its value."""
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        lines = (await answer.text()).splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def machine() -> str:
    """What machine this is, in one line."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{os.cpu_count()} × {model}, {platform.system()}, Python {platform.python_version()}"
