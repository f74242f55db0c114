"""A bot's program, run as a stranger runs it: by its file, with arguments."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.cluster.server import ROOT

BEGINS_WITHIN_S: Final = 30


@asynccontextmanager
async def running(
    program: Path, *arguments: str, first_line: str, **environment: str
) -> AsyncIterator[asyncio.StreamReader]:
    """Run it until the test is over; what it says after its first line can be read."""
    bot = await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        *arguments,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    assert bot.stdout is not None
    try:
        async with asyncio.timeout(BEGINS_WITHIN_S):
            assert (await bot.stdout.readline()).decode().strip() == first_line
        yield bot.stdout
    finally:
        if bot.returncode is None:
            bot.kill()
        await bot.communicate()
