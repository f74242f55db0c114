"""Becoming the home of a room: the fence first, then what the log says."""

from typing import Final, NamedTuple

from msgspec import Struct

from protocol.codec import decode_event, decode_snapshot
from protocol.errors import ErrorCode, Rejected
from protocol.ids import RoomId
from roomserver.home.beats import Beats
from roomserver.home.pace import Pace
from roomserver.home.ring import Ring
from roomserver.room.private import decode_fact, decode_private
from roomserver.room.room import Room
from roomserver.room.state import Step
from sql import queries
from sql.pool import Database


class HomeRow(NamedTuple):
    """A row of `room_homes`, with what a door must know."""

    node_id: str | None
    incarnation: int
    fence: int
    last_seq: int
    lineage: str
    has_password: bool
    beaten_at_ms: float | None
    owes_redaction: bool


class FenceRow(NamedTuple):
    """What an acquisition gives."""

    fence: int
    last_seq: int


class SnapshotRow(NamedTuple):
    """A stored snapshot: both halves."""

    seq: int
    public: str
    private: str | None


class LogRow(NamedTuple):
    """A row of the log: both halves."""

    seq: int
    public: str
    private: str | None


FIND_HOME: Final = queries.maybe("room_homes.find_home", HomeRow)
ACQUIRE: Final = queries.maybe("room_homes.acquire", FenceRow)
NEWEST_SNAPSHOT: Final = queries.maybe("room_homes.newest_snapshot", SnapshotRow)
EVENTS_BETWEEN: Final = queries.many("room_log.events_between", LogRow)


class Fenced(Exception):
    """Another node took the room since its fence was seen, or holds it and lives."""


class CorruptLog(Exception):
    """The rows of a room do not lead to the seq that `room_homes` tells."""


class Loaded(Struct):
    """A room that this node is home to, as the log has it."""

    room: Room
    fence: int
    ring: Ring
    snapshot_seq: int
    """Where the stored snapshot stands."""
    has_password: bool
    alive_at_ms: float | None
    """When its earlier home was last heard of; None: this process has had it all the time."""
    owes_redaction: bool
    """Whether the stored snapshot may have what was deleted since."""


class Acquirer:
    """Takes rooms for one process and reads them."""

    def __init__(self, database: Database, beats: Beats, pace: Pace) -> None:
        self._database = database
        self._beats = beats
        self._pace = pace

    async def load(self, room_id: RoomId) -> Loaded:
        """Become the home of a room.

        Raises Rejected (room_not_found), Fenced if another node that lives holds it, or one of
        `sql.faults.FAULTS`.
        """
        row = await FIND_HOME(self._database, room_id=room_id)
        if row is None:
            raise Rejected(ErrorCode.ROOM_NOT_FOUND)
        if not self._beats.may_take(row.node_id):
            raise Fenced
        return await self._take(room_id, row)

    async def again(self, room_id: RoomId, fence: int) -> Loaded:
        """Take a room anew under the next fence: what was under way is then in the log or never
        will be. Raises Fenced if somebody else took it since `fence`."""
        row = await FIND_HOME(self._database, room_id=room_id)
        if row is None or row.fence != fence:
            raise Fenced
        return await self._take(room_id, row)

    async def _take(self, room_id: RoomId, row: HomeRow) -> Loaded:
        beats = self._beats
        taken = await ACQUIRE(
            self._database,
            room_id=room_id,
            fence=row.fence,
            node_id=beats.node_id,
            incarnation=beats.incarnation,
        )
        if taken is None:
            raise Fenced
        # From here on nobody else writes to this room's log.
        room, ring, snapshot_seq = await self._read(room_id, row.lineage, taken.last_seq)
        return Loaded(
            room,
            taken.fence,
            ring,
            snapshot_seq,
            row.has_password,
            self._alive(row),
            row.owes_redaction,
        )

    def _alive(self, row: HomeRow) -> float | None:
        if row.node_id is None:
            return None
        if row.node_id != self._beats.node_id:
            return row.beaten_at_ms
        if row.incarnation == self._beats.incarnation:
            return None
        # Our own row beats again already: what counts is the last beat before this start.
        return self._beats.beaten_before_ms

    async def _read(self, room_id: RoomId, lineage: str, seq: int) -> tuple[Room, Ring, int]:
        stored = await NEWEST_SNAPSHOT(self._database, room_id=room_id, lineage=lineage, seq=seq)
        if stored is None:
            raise CorruptLog(f"room {room_id} has no snapshot of its lineage")
        private = None if stored.private is None else decode_private(stored.private)
        room = Room(decode_snapshot(stored.public), private)
        # With some from before the snapshot: after a restart everybody comes back, and most have
        # missed little; they need not ask the log one by one.
        rows = await EVENTS_BETWEEN(
            self._database,
            room_id=room_id,
            after_seq=max(0, stored.seq - self._pace.tail_events),
            to_seq=seq,
        )
        before_seq = min(stored.seq, rows[0].seq - 1) if rows else stored.seq
        ring = Ring(before_seq, self._pace.ring_events, self._pace.ring_bytes)
        for row in rows:
            if row.seq <= stored.seq:
                continue
            fact = None if row.private is None else decode_fact(row.private)
            room.replay(Step(decode_event(row.public), fact))
        ring.append([row.public.encode() for row in rows])
        if room.public.seq != seq or ring.seq != seq:
            raise CorruptLog(f"room {room_id} has {room.public.seq} events, not {seq}")
        return room, ring, stored.seq
