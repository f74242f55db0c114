"""The tour of docs/api.md, block by block, against the real server."""

import asyncio
import re
from pathlib import Path
from typing import Final

import pytest

from tests.cluster.server import ROOT, Served

BLOCK: Final = re.compile(r"^```sh\n(.*?)\n```$", re.S | re.M)
PROMISE: Final = re.compile(r"# → (.*)$", re.M)
END: Final = "--- end of block"
BLOCK_WITHIN_S: Final = 30


@pytest.mark.slow
async def test_every_block_of_the_tour_prints_what_it_promises(tmp_path: Path) -> None:
    blocks = BLOCK.findall((ROOT / "docs/api.md").read_text("utf-8"))
    assert len(blocks) > 10
    served = Served(tmp_path / "data", limits_factor=1)
    await served.start()
    try:
        shell = await asyncio.create_subprocess_exec(
            "bash",
            *("-eu", "-o", "pipefail"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=tmp_path,
            env={"URL": served.url, "PATH": "/usr/local/bin:/usr/bin:/bin"},
        )
        assert shell.stdin is not None
        assert shell.stdout is not None
        for block in blocks:
            shell.stdin.write(f"{block}\necho '{END}'\n".encode())
            printed = await _until_end(shell.stdout, block)
            promised = [text.strip() for text in PROMISE.findall(block)]
            # In order; a block may print more than it promises.
            lines = iter(printed)
            assert all(text in lines for text in promised), f"{block}\n\nprinted: {printed}"
        shell.stdin.close()
        assert await shell.wait() == 0
    finally:
        await served.stop()


async def _until_end(stdout: asyncio.StreamReader, block: str) -> list[str]:
    printed: list[str] = []
    async with asyncio.timeout(BLOCK_WITHIN_S):
        while line := (await stdout.readline()).decode().rstrip("\n"):
            if line == END:
                return printed
            printed.append(line)
    raise AssertionError(f"the block failed: {block}\n\nprinted: {printed}")
