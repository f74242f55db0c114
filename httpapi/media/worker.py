"""Has files looked at by worker processes: one fresh process a file, two at a time."""

import asyncio
import logging
import os
from pathlib import Path
from typing import Final

import msgspec

from httpapi.media.child import ChildFailed, ChildNotStarted, run_child
from httpapi.media.probed import Outcome, Probed, ProbeTask, Refused
from protocol.errors import ErrorCode, Rejected

MEMORY_BYTES: Final = 1536 * 2**20
BASE_CPU_S: Final = 7
BASE_DEADLINE_S: Final = 10
BYTES_A_SECOND: Final = 4 * 2**20
"""What a large file earns beyond the base: a small one that takes long is a bomb."""

_log: Final = logging.getLogger(__name__)
_outcomes: Final[msgspec.json.Decoder[Outcome]] = msgspec.json.Decoder(Outcome)


class ProbeWorker:
    """Finds out what a file is, without letting it near the server's own process."""

    def __init__(
        self,
        *,
        max_processes: int = 2,
        max_waiting: int = 64,
        cpu_s: int = BASE_CPU_S,
        deadline_s: float = BASE_DEADLINE_S,
    ) -> None:
        """`cpu_s`, `deadline_s`: what every file gets; one second (two) more for each 4 MiB."""
        self._cpu_s = cpu_s
        self._deadline_s = deadline_s
        self._places = asyncio.Semaphore(max_processes)
        self._max_waiting = max_waiting
        self._waiting = 0

    async def probe(self, path: Path, *, name: str, max_duration_ms: int) -> Probed:
        """Decode the file at `path`; `name` is what the person called it.

        Rejects: unsupported_media for what is not accepted audio, kills or outlasts the worker;
        unavailable (temporary) when too many wait or no process can be started.
        """
        if self._waiting >= self._max_waiting:
            raise Rejected(ErrorCode.UNAVAILABLE, retry_after_ms=5_000)
        self._waiting += 1
        try:
            async with self._places:
                outcome = await self._run(path, name, max_duration_ms)
        finally:
            self._waiting -= 1
        if isinstance(outcome, Refused):
            raise Rejected(outcome.code, f"The file is not accepted: {outcome.reason}.")
        return outcome

    async def _run(self, path: Path, name: str, max_duration_ms: int) -> Outcome:
        earned_s = (await asyncio.to_thread(path.stat)).st_size // BYTES_A_SECOND
        task = ProbeTask(
            path=str(path),
            # A file name may hold half a character, which JSON cannot.
            name=name.encode(errors="replace").decode(),
            parent_pid=os.getpid(),
            max_duration_ms=max_duration_ms,
            cpu_s=self._cpu_s + earned_s,
            memory_bytes=MEMORY_BYTES,
        )
        try:
            answer = await run_child(
                "httpapi.media.probe",
                task=msgspec.json.encode(task),
                deadline_s=self._deadline_s + 2 * earned_s,
            )
            return _outcomes.decode(answer)
        except ChildNotStarted as error:
            raise Rejected(ErrorCode.UNAVAILABLE, retry_after_ms=5_000) from error
        except ChildFailed as error:
            _log.warning("probe failed: %s", error)
        except msgspec.DecodeError as error:
            _log.warning("probe answered nonsense: %s", error)
        return Refused(
            code=ErrorCode.UNSUPPORTED_MEDIA, reason="it could not be read within the limits"
        )
