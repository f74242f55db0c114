"""The one writer of a node: rooms' batches become durable here, many rooms in one statement.

    begun  a batch is put; if nothing is under way, it is sent at once
    then   what all rooms put meanwhile goes in the next statement

Each batch ends in exactly one call of its `done` with what became of it. The connection is the
committer's own and nothing is cancelled in it: a statement that was sent ends by itself, by the
server, or by the loss of the connection.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from roomserver.home.batch import Batch, Outcome
from roomserver.home.columns import columns
from roomserver.home.pace import Pace
from roomserver.runtime.clock import monotonic_ns
from sql import queries
from sql.faults import FAULTS, is_refused, is_unreachable
from sql.pool import Connection, connect

COMMIT_BATCH: Final = queries.scalars("room_log.commit_batch", str)
SAMPLES: Final = 256

_log: Final = logging.getLogger(__name__)


class Committer:
    """Puts batches into the database, in the order in which each room gave them."""

    def __init__(self, url: str, pace: Pace, on_lost: Callable[[], None]) -> None:
        self._url = url
        self._pace = pace
        self._on_lost = on_lost
        self._waiting: deque[Batch] = deque()
        self._wanted = asyncio.Event()
        self._connection: Connection | None = None
        self._took_ms: deque[float] = deque(maxlen=SAMPLES)
        self._p99_ms: float | None = 0.0
        self._closing = False
        self.statements = 0
        """How many statements were sent."""

    @property
    def p99_ms(self) -> float:
        """How long the last commits took, 99th percentile."""
        if self._p99_ms is None:
            took = sorted(self._took_ms)
            self._p99_ms = took[int(len(took) * 0.99)]
        return self._p99_ms

    def put(self, batch: Batch) -> None:
        """Have a batch written. After `close` it is unknown at once."""
        self._waiting.append(batch)
        self._wanted.set()

    def close(self) -> None:
        """Write what waits, then let `run` end."""
        self._closing = True
        self._wanted.set()

    async def run(self) -> None:
        """Write until closed. The owner runs this as one task, and does not cancel it."""
        try:
            while not (self._closing and not self._waiting):
                await self._wanted.wait()
                self._wanted.clear()
                while self._waiting:
                    await self._write(self._take())
        finally:
            self._drop()

    def _take(self) -> list[Batch]:
        count = min(len(self._waiting), self._pace.batch_rooms)
        batches = [self._waiting.popleft() for _ in range(count)]
        # One order for everybody, so that two homes cannot deadlock.
        return sorted(batches, key=lambda batch: batch.room_id)

    async def _write(self, batches: list[Batch]) -> None:
        outcomes = await self._attempt(batches)
        if outcomes is None and len(batches) > 1:
            # One of them cannot be written. Find it; the others go in.
            for batch in batches:
                await self._write([batch])
            return
        for batch in batches:
            batch.done(Outcome.REFUSED if outcomes is None else outcomes[batch.room_id])

    async def _attempt(self, batches: list[Batch]) -> dict[str, Outcome] | None:
        """What became of each room's batch; None: the database refused the statement."""
        try:
            async with asyncio.timeout(self._pace.commit_timeout_ms / 1_000):
                if self._connection is None or self._connection.is_closed():
                    self._connection = await connect(self._url, application_name="committer")
                begun_ns = monotonic_ns()
                self.statements += 1
                written = set(await COMMIT_BATCH(self._connection, **columns(batches)))
        except FAULTS as error:
            if is_refused(error) and (len(batches) > 1 or not is_unreachable(error)):
                _log.error(
                    "the database refuses a batch",
                    extra={"rooms": [batch.room_id for batch in batches], "error": repr(error)},
                )
                return None
            # A lock that was not given or a full disk is nobody's poison: it passes.
            _log.warning("the database does not answer", extra={"error": repr(error)})
            self._drop()
            self._on_lost()
            return {batch.room_id: Outcome.UNKNOWN for batch in batches}
        self._took_ms.append((monotonic_ns() - begun_ns) / 1e6)
        self._p99_ms = None
        return {
            batch.room_id: Outcome.COMMITTED if batch.room_id in written else Outcome.FENCED
            for batch in batches
        }

    def _drop(self) -> None:
        # Not closed politely: the outcome is unknown, and the server may not answer at all.
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
