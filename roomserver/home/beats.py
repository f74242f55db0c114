"""This process among the others: its beat, its clock, and whether the database is there."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, NamedTuple

from protocol.ids import NodeId
from roomserver.home.pace import Pace
from roomserver.runtime.clock import JUMP_MS, ClusterClock, monotonic_ns
from sql import queries
from sql.faults import FAULTS
from sql.pool import Database

FIRST_PROBES: Final = 8


class BeatRow(NamedTuple):
    """A row of `nodes`."""

    node_id: str
    incarnation: int
    beat: int


class ClockRow(NamedTuple):
    """The database's clock and the step that makes it cluster time."""

    database_ms: float
    step_ms: int


class Seen(NamedTuple):
    """A beat of another node, and when it was new to us, by our own monotonic clock."""

    beat: int
    since_ns: int


LAST_BEAT: Final = queries.scalar("nodes.last_beat", float)
ENROL: Final = queries.scalar("nodes.enrol", int)
BEAT: Final = queries.scalar("nodes.beat", int)
BEATS: Final = queries.many("nodes.beats", BeatRow)
CLUSTER_TIME: Final = queries.one("nodes.cluster_time", ClockRow)
CORRECT_CLOCK: Final = queries.execute("nodes.correct_clock")

_log: Final = logging.getLogger(__name__)


class NameTaken(RuntimeError):
    """Another process runs under this node's name: one of the two must stop."""


class Beats:
    """Says every second that this node lives, and watches who else does."""

    def __init__(
        self,
        database: Database,
        clock: ClusterClock,
        node_id: NodeId,
        pace: Pace,
        *,
        monotonic: Callable[[], int] = monotonic_ns,
    ) -> None:
        self.node_id = node_id
        self.incarnation = 0
        self.beaten_before_ms: float | None = None
        """When an earlier process of this name was last heard of, cluster ms."""
        self._database = database
        self._clock = clock
        self._pace = pace
        self._monotonic_ns = monotonic
        self._seen: dict[NodeId, Seen] = {}
        self._beaten_ns = monotonic()
        self._up = asyncio.Event()
        self._down = asyncio.Event()

    @property
    def is_up(self) -> bool:
        """Whether the database answered when it was asked last."""
        return self._up.is_set()

    @property
    def age_ms(self) -> float:
        """Since the database took the last beat, by our own clock."""
        return (self._monotonic_ns() - self._beaten_ns) / 1e6

    async def enrol(self, addr: str = "") -> None:
        """Learn the time and begin a new incarnation. Raises what the database raises."""
        for _ in range(FIRST_PROBES):
            await self.probe()
        self.beaten_before_ms = await LAST_BEAT(self._database, node_id=self.node_id)
        incarnation = await ENROL(self._database, node_id=self.node_id, kind="node", addr=addr)
        assert incarnation is not None
        self.incarnation = incarnation
        self._up.set()

    def lost(self) -> None:
        """Somebody saw that the database does not answer."""
        self._up.clear()
        self._down.set()

    async def until_up(self) -> None:
        """Wait until the database answers again."""
        await self._up.wait()

    async def run(self) -> None:
        """Beat for ever. Raises NameTaken; a database that is away is waited for."""
        while True:
            wait_ms = self._pace.beat_every_ms
            try:
                # A database that stands still gives no error: it is away all the same.
                async with asyncio.timeout(self._pace.stale_ms / 1_000):
                    await self._beat()
            except FAULTS as error:
                if self.is_up:
                    _log.warning("the database is away", extra={"error": repr(error)})
                self._up.clear()
            if not self.is_up:
                wait_ms = self._pace.retry_ms
            self._down.clear()
            try:
                async with asyncio.timeout(wait_ms / 1_000):
                    await self._down.wait()
            except TimeoutError:
                continue
            # Reported down: ask again, though not in a tight loop.
            await asyncio.sleep(min(wait_ms, self._pace.retry_ms) / 1_000)

    def may_take(self, node_id: NodeId | None) -> bool:
        """Whether a room of that node may be taken: it is ours, nobody's, or its node is dead."""
        if node_id is None or node_id == self.node_id:
            return True
        now_ns = self._monotonic_ns()
        seen = self._seen.setdefault(node_id, Seen(-1, now_ns))
        return (now_ns - seen.since_ns) / 1e6 >= self._pace.stale_ms

    async def probe(self) -> None:
        """Read the database's clock once, and take out a jump of it."""
        sent_ns = self._monotonic_ns()
        row = await CLUSTER_TIME(self._database)
        received_ns = self._monotonic_ns()
        cluster_ms = row.database_ms + row.step_ms
        if self._clock.is_set:
            expected_ms = self._clock.at_ms(sent_ns + (received_ns - sent_ns) // 2)
            jump_ms = cluster_ms - expected_ms
            if abs(jump_ms) > JUMP_MS + (received_ns - sent_ns) / 1e6:
                _log.warning("the database's clock jumped", extra={"jump_ms": round(jump_ms)})
                await CORRECT_CLOCK(
                    self._database,
                    step_ms=row.step_ms - round(jump_ms),
                    seen_step_ms=row.step_ms,
                )
                return
        self._clock.observe(sent_ns, cluster_ms, received_ns)

    async def _beat(self) -> None:
        await self.probe()
        beat = await BEAT(self._database, node_id=self.node_id, incarnation=self.incarnation)
        if beat is None:
            raise NameTaken(f"another process runs as node {self.node_id}")
        now_ns = self._beaten_ns = self._monotonic_ns()
        for row in await BEATS(self._database):
            seen = self._seen.get(row.node_id)
            if seen is None or seen.beat != row.beat:
                self._seen[row.node_id] = Seen(row.beat, now_ns)
        if not self.is_up:
            _log.info("the database answers")
            self._up.set()
