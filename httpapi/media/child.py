"""Runs a module of ours in a process of its own, which cannot outlive us nor hang for ever."""

import asyncio
import ctypes
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpapi

MAX_ANSWER_BYTES: Final = 32 * 2**20
PIECE_BYTES: Final = 256 * 1024
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
    async with running_child(module, *args, task=task, deadline_s=deadline_s) as output:
        answer = bytearray()
        while piece := await output.read(PIECE_BYTES):
            answer += piece
            if len(answer) > MAX_ANSWER_BYTES:
                raise ChildFailed("the answer is too long")
    return bytes(answer)


@asynccontextmanager
async def running_child(
    module: str, *args: str, task: bytes = b"", deadline_s: float, ahead_bytes: int = PIECE_BYTES
) -> AsyncIterator[asyncio.StreamReader]:
    """The same for one that answers bit by bit: gives its stdout, to be read to the end inside.

    It waits whenever more than twice `ahead_bytes` that it wrote are unread. Raises ChildFailed, at
    the end of the block too.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-s", "-E", "-m", module, *args),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=_ROOT,
            env={"PATH": os.defpath, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            limit=ahead_bytes,
        )
    except OSError as error:
        raise ChildNotStarted(f"{module} did not start: {error}") from error
    assert process.stdin is not None and process.stdout is not None
    try:
        async with asyncio.timeout(deadline_s):
            try:
                process.stdin.write(task)
                process.stdin.close()
                yield process.stdout
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                raise ChildFailed(f"{module} closed its pipes") from error
            await process.wait()
    except TimeoutError:
        raise ChildFailed(f"{module} did not end within {deadline_s:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    if process.returncode != 0:
        raise ChildFailed(f"{module} ended with {process.returncode}")


def die_with(parent_pid: int) -> None:
    """Called in the child: end as soon as the parent does, and gain no rights by exec."""
    # Ctrl-C in a terminal is for the server alone. No session of its own: a kernel that shares the
    # processor out by session would weigh niceness only among its members.
    os.setpgrp()
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # The parent may have ended before the wish above was heard.
    if os.getppid() != parent_pid:
        os._exit(1)


def limit_to(*, cpu_s: int, memory_bytes: int) -> None:
    """Called in the child: it may read files and write to its pipe, and use up no more than this.

    `memory_bytes`: of address space.
    """
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    # No core, no file of its own.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
