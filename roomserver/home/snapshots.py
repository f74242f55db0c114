"""Stored snapshots: where a room's loading begins. Written apart from the log, newest wins."""

import asyncio
import logging
from typing import Final

from msgspec import Struct

from protocol.ids import Lineage, RoomId
from roomserver.home.beats import Beats
from sql import queries
from sql.faults import FAULTS, is_refused
from sql.pool import Database

SAVE_SNAPSHOT: Final = queries.execute("room_homes.save_snapshot")

_log: Final = logging.getLogger(__name__)


class Picture(Struct, frozen=True):
    """Both halves of a room at a committed seq, encoded."""

    room_id: RoomId
    lineage: Lineage
    seq: int
    public: bytes
    private: bytes


class Snapshots:
    """Writes one picture at a time; of a room that gave several, the newest."""

    def __init__(self, database: Database, beats: Beats) -> None:
        self._database = database
        self._beats = beats
        self._waiting: dict[RoomId, Picture] = {}
        self._wanted = asyncio.Event()

    def put(self, picture: Picture) -> None:
        """Have a picture stored soon."""
        self._waiting[picture.room_id] = picture
        self._wanted.set()

    async def run(self) -> None:
        """Store pictures for ever."""
        while True:
            await self._wanted.wait()
            await self._beats.until_up()
            await self.flush()

    async def flush(self) -> None:
        """Store what waits; what the database did not take stays for later."""
        while self._waiting:
            room_id = next(iter(self._waiting))
            picture = self._waiting.pop(room_id)
            try:
                await self.save(picture)
            except FAULTS as error:
                _log.warning("a snapshot was not stored", extra={"error": repr(error)})
                if not is_refused(error):
                    self._waiting.setdefault(room_id, picture)
                    self._beats.lost()
                    return
        self._wanted.clear()

    async def save(self, picture: Picture) -> None:
        """Store one now, if it is newer than what there is. Raises `sql.faults.FAULTS`."""
        await SAVE_SNAPSHOT(
            self._database,
            room_id=picture.room_id,
            lineage=picture.lineage,
            seq=picture.seq,
            public=picture.public.decode(),
            private=picture.private.decode(),
        )
