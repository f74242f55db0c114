"""The public state of a room as the log has it: snapshot plus events, folded and kept.

A room that lives in some home is never asked: what it committed is all that anybody may see.
"""

from collections import OrderedDict
from typing import Final

from msgspec import Struct

from protocol.codec import decode_event, decode_snapshot
from protocol.fold import fold
from protocol.snapshot import Snapshot
from sql import queries
from sql.pool import Database

ROOMS_KEPT: Final = 256
EVENTS_AT_ONCE: Final = 2_000


class StoredSnapshot(Struct, frozen=True):
    """The newest snapshot that a home wrote."""

    seq: int
    public: str


class LoggedEvent(Struct, frozen=True):
    """The public half of a row of the log."""

    seq: int
    public: str


NEWEST = queries.one("rooms.newest_snapshot", StoredSnapshot)
EVENTS = queries.many("rooms.public_events", LoggedEvent)


class LiveRooms:
    """Reads rooms. A kept room costs no statement, a changed one one, an unknown one two."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Snapshot] = OrderedDict()

    async def read(self, database: Database, room_id: str, lineage: str, last_seq: int) -> Snapshot:
        """The room at `last_seq` or later. Raises NoRow for a room without a snapshot.

        The snapshot is shared and goes on changing: take what you need before the next await.
        """
        snapshot = self._kept.get(room_id)
        if snapshot is None or snapshot.lineage != lineage:
            stored = await NEWEST(database, room_id=room_id, lineage=lineage)
            snapshot = decode_snapshot(stored.public)
            self._kept[room_id] = snapshot
            while len(self._kept) > ROOMS_KEPT:
                self._kept.popitem(last=False)
        while snapshot.seq < last_seq:
            rows = await EVENTS(
                database, room_id=room_id, after_seq=snapshot.seq, most=EVENTS_AT_ONCE
            )
            for row in rows:
                # Another reader may have folded some of them while we waited.
                if row.seq == snapshot.seq + 1:
                    fold(snapshot, decode_event(row.public))
            if not rows:
                break
        if room_id in self._kept:
            self._kept.move_to_end(room_id)
        return snapshot
