"""Takes jobs from the database and does them, each one at least once.

A job that is taken is ours for a lease, which a beat renews. A process that dies stops beating,
and its jobs are due again. What a job leaves behind is written in the transaction that ends it, and
only by the one who has it: whoever lost it meanwhile writes nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from uuid import uuid4

from msgspec import Struct

from httpapi.services import Services
from protocol.errors import Rejected
from protocol.jobs import JobKind
from sql import queries
from sql.faults import FAULTS
from sql.pool import Connection

LOOK_EVERY_MS: Final = 2_000
"""Jobs of other processes, and those whose wait is over, are found by looking."""
LEASE_MS: Final = 30_000
BEAT_EVERY_MS: Final = 1_000
ATTEMPTS_MAX: Final = 5
WAIT_BASE_MS: Final = 5_000
WAIT_FACTOR: Final = 6
"""After the first attempt 5 s, then 30 s, 3 min, 18 min."""

_log: Final = logging.getLogger(__name__)


class Job(Struct, frozen=True):
    """A job that is ours."""

    job_id: str
    kind: JobKind
    track_id: str | None
    attempt: int
    """1, 2 …"""
    claim_id: str


class JobFailed(Exception):
    """It would fail again however often it is tried; says why, to the person it is done for."""


Tell = Callable[[float], None]
"""How far the work is, 0..1."""
Finish = Callable[[Connection], Awaitable[None]]
"""Writes what the job has made, in the transaction that ends it."""
Work = Callable[[Services, Job, Tell], Awaitable[Finish]]

CLAIM: Final = queries.maybe("jobs.claim", Job)
BEAT: Final = queries.execute("jobs.beat")
DONE: Final = queries.execute("jobs.done")
FAILED: Final = queries.execute("jobs.failed")
RETRY: Final = queries.execute("jobs.retry")
RELEASE: Final = queries.execute("jobs.release")


class Runner:
    """Does one job at a time; a process that does several has several of these."""

    def __init__(self, services: Services, works: Mapping[JobKind, Work]) -> None:
        self._services = services
        self._database = services.database
        self._works = works

    async def run(self) -> None:
        """Do jobs for ever. Cancelled, it gives back the one it has."""
        while True:
            try:
                job = await CLAIM(
                    self._database,
                    # A newer release may have made jobs that this one cannot do.
                    kinds=list(self._works),
                    claim_id=str(uuid4()),
                    lease_ms=LEASE_MS,
                )
            except FAULTS as error:
                _log.warning("no job could be taken", extra={"error": repr(error)})
                job = None
            if job is None:
                await self._wait()
            else:
                await self._do(job)

    async def _wait(self) -> None:
        added = self._services.job_added
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY_MS / 1_000):
                await added.wait()
        added.clear()

    async def _do(self, job: Job) -> None:
        progress = 0.0

        def tell(share: float) -> None:
            nonlocal progress
            progress = min(max(share, 0.0), 1.0)

        work = self._services.tasks.spawn(f"job {job.kind}", self._attempt(job, tell))
        try:
            while not (await asyncio.wait((work,), timeout=BEAT_EVERY_MS / 1_000))[0]:
                if not await self._beat(job, progress):
                    _log.warning("somebody else has taken a job", extra={"job_id": job.job_id})
                    return
        except asyncio.CancelledError:
            await _stopped(work)
            with contextlib.suppress(*FAULTS):
                await RELEASE(self._database, job_id=job.job_id, claim_id=job.claim_id)
            raise
        finally:
            await _stopped(work)

    async def _beat(self, job: Job, progress: float) -> bool:
        """Whether the job is still ours; if the database does not say, it is."""
        try:
            return bool(
                await BEAT(
                    self._database,
                    job_id=job.job_id,
                    claim_id=job.claim_id,
                    progress=progress,
                    lease_ms=LEASE_MS,
                )
            )
        except FAULTS:
            return True

    async def _attempt(self, job: Job, tell: Tell) -> None:
        try:
            if job.attempt > ATTEMPTS_MAX:
                raise JobFailed("The server ended several times while it was at it.")
            finish = await self._works[job.kind](self._services, job, tell)
            async with self._database.transaction() as connection:
                if await DONE(connection, job_id=job.job_id, claim_id=job.claim_id):
                    await finish(connection)
        except JobFailed as error:
            await self._end(job, str(error))
        except Exception as error:
            why = str(error) if isinstance(error, Rejected) else type(error).__name__
            _log.warning(
                "a job failed",
                extra={"job_id": job.job_id, "attempt": job.attempt, "error": repr(error)},
            )
            if job.attempt >= ATTEMPTS_MAX:
                await self._end(job, f"It failed {ATTEMPTS_MAX} times, at last with: {why}")
            else:
                await self._try_again(job)

    async def _end(self, job: Job, error: str) -> None:
        # If the database is away the lease runs out, and the next attempt says the same.
        with contextlib.suppress(*FAULTS):
            await FAILED(self._database, job_id=job.job_id, claim_id=job.claim_id, error=error)

    async def _try_again(self, job: Job) -> None:
        wait_ms = WAIT_BASE_MS * WAIT_FACTOR ** (job.attempt - 1)
        with contextlib.suppress(*FAULTS):
            await RETRY(self._database, job_id=job.job_id, claim_id=job.claim_id, wait_ms=wait_ms)


async def _stopped(work: asyncio.Task[None]) -> None:
    """Cancel it and wait until it has ended."""
    work.cancel()
    await asyncio.wait((work,))
