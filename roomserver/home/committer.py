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

from roomserver.home import metrics
from roomserver.home.batch import Batch, Outcome
from roomserver.home.columns import columns, log_columns, reworded_columns
from roomserver.home.pace import Pace
from roomserver.runtime.clock import monotonic_ns
from sql import queries
from sql.faults import FAULTS, is_refused, is_unreachable
from sql.pool import Connection, connect

COMMIT_BATCH: Final = queries.scalars("room_log.commit_batch", str)
COMMIT_LOG: Final = queries.scalars("room_log.commit_log", str)
COMMIT_REWORDED: Final = queries.scalars("room_log.commit_reworded", str)
SAMPLES: Final = 256
UNDONE_COUNTS_NS: Final = 10_000_000_000
"""For so long a batch that came back undone tells that nothing can be written."""

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
        self._standing_since_ns = self._undone_at_ns = 0
        self.under_way = 0
        """Batches that were put and have no outcome yet."""
        self.statements = 0
        """How many statements were sent."""

    @property
    def p99_ms(self) -> float:
        """How long the last commits took, 99th percentile."""
        if self._p99_ms is None:
            took = sorted(self._took_ms)
            self._p99_ms = took[int(len(took) * 0.99)]
        return self._p99_ms

    @property
    def standstill_ms(self) -> float:
        """For how long batches have waited, or came back undone, without any becoming durable; 0
        if none waits and none came back lately."""
        now_ns = monotonic_ns()
        return (now_ns - self._standing_since_ns) / 1e6 if self._is_standing(now_ns) else 0.0

    def _is_standing(self, now_ns: int) -> bool:
        return self.under_way > 0 or (
            self._undone_at_ns > 0 and now_ns < self._undone_at_ns + UNDONE_COUNTS_NS
        )

    def put(self, batch: Batch) -> None:
        """Have a batch written. After `close` it is unknown at once."""
        now_ns = monotonic_ns()
        if not self._is_standing(now_ns):
            self._standing_since_ns = now_ns
        self.under_way += 1
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
        self.under_way -= len(batches)
        if outcomes is not None and Outcome.UNKNOWN in outcomes.values():
            self._undone_at_ns = monotonic_ns()
        else:
            self._standing_since_ns, self._undone_at_ns = monotonic_ns(), 0
        for batch in batches:
            outcome = Outcome.REFUSED if outcomes is None else outcomes[batch.room_id]
            metrics.OUTCOMES.labels(outcome.name.lower()).inc()
            batch.done(outcome)

    async def _attempt(self, batches: list[Batch]) -> dict[str, Outcome] | None:
        """What became of each room's batch; None: the database refused the statement."""
        try:
            async with asyncio.timeout(self._pace.commit_timeout_ms / 1_000):
                if self._connection is None or self._connection.is_closed():
                    self._connection = await connect(self._url, application_name="committer")
                begun_ns = monotonic_ns()
                self.statements += 1
                written = set(await _commit(self._connection, batches))
        except FAULTS as error:
            # A lock that was not given or a full disk is nobody's poison: it passes.
            passes = is_unreachable(error)
            if is_refused(error) and (len(batches) > 1 or not passes):
                _log.log(
                    logging.WARNING if passes else logging.ERROR,
                    "the database refuses a batch",
                    extra={"room_id": [batch.room_id for batch in batches], "error": repr(error)},
                )
                return None
            _log.warning("the database does not answer", extra={"error": repr(error)})
            self._drop()
            self._on_lost()
            return {batch.room_id: Outcome.UNKNOWN for batch in batches}
        took_ms = (monotonic_ns() - begun_ns) / 1e6
        self._took_ms.append(took_ms)
        metrics.COMMIT.observe(took_ms / 1_000)
        metrics.COMMIT_ROOMS.observe(len(batches))
        metrics.COMMIT_EVENTS.observe(sum(len(batch.events) for batch in batches))
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


async def _commit(connection: Connection, batches: list[Batch]) -> list[str]:
    """The rooms that were written. Raises `sql.faults.FAULTS`."""
    if all(batch.is_log_only for batch in batches):
        return await COMMIT_LOG(connection, **log_columns(batches))
    if any(batch.projections.chat.are_reworded for batch in batches):
        return await COMMIT_REWORDED(connection, **reworded_columns(batches))
    return await COMMIT_BATCH(connection, **columns(batches))
