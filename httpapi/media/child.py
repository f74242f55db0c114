"""Runs a module of ours in a process of its own, which cannot outlive us nor hang for ever."""

import asyncio
import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import Final

import httpapi

MAX_ANSWER_BYTES: Final = 32 * 2**20
_ROOT: Final = Path(httpapi.__file__).parents[1]
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38


class ChildFailed(Exception):
    """The process died or was killed at its deadline."""


class ChildNotStarted(ChildFailed):
    """The system has no room for another process."""


async def run_child(module: str, *args: str, task: bytes = b"", deadline_s: float) -> bytes:
    """Start `python -m module`, hand it `task` on stdin, return what it writes to stdout.

    It gets none of our environment, which may hold secrets. It is dead when this returns or
    raises, also when the caller is cancelled. Raises ChildFailed.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-s", "-E", "-m", module, *args),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=_ROOT,
            env={"PATH": os.defpath, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            limit=MAX_ANSWER_BYTES,
            start_new_session=True,
        )
    except OSError as error:
        raise ChildNotStarted(f"{module} did not start: {error}") from error
    try:
        async with asyncio.timeout(deadline_s):
            answer = await _talk(process, task)
    except TimeoutError:
        raise ChildFailed(f"{module} did not end within {deadline_s:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    if process.returncode != 0:
        raise ChildFailed(f"{module} ended with {process.returncode}")
    return answer


async def _talk(process: asyncio.subprocess.Process, task: bytes) -> bytes:
    assert process.stdin is not None and process.stdout is not None
    answer = bytearray()
    try:
        process.stdin.write(task)
        process.stdin.close()
        while piece := await process.stdout.read(65_536):
            answer += piece
            if len(answer) > MAX_ANSWER_BYTES:
                raise ChildFailed("the answer is too long")
    except ConnectionError as error:
        raise ChildFailed("it closed its pipes") from error
    await process.wait()
    return bytes(answer)


def die_with(parent_pid: int) -> None:
    """Called in the child: end as soon as the parent does, and gain no rights by exec."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # The parent may have ended before the wish above was heard.
    if os.getppid() != parent_pid:
        os._exit(1)
