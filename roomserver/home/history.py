"""Who heard what: plays that count for people, written when they are over."""

import asyncio
import logging
from typing import Final

from protocol.ids import EntryId, RoomId, UserId
from roomserver.home.beats import Beats
from roomserver.home.heard import ListenRow
from sql import queries
from sql.faults import FAULTS, is_refused
from sql.pool import Database

KEEP: Final = queries.execute("history.keep")
COLUMNS: Final = ("users", "plays", "tracks", "played_ats_ms", "heards_ms")

_log: Final = logging.getLogger(__name__)


class History:
    """Collects listens and writes them, one row a person and play however often it is told.

    Apart from the log, whose commits they must not hold up. What a killed process had not written
    yet is lost: the end of one entry, at worst.
    """

    def __init__(self, database: Database, beats: Beats) -> None:
        self._database = database
        self._beats = beats
        self._waiting: dict[tuple[UserId, EntryId], tuple[ListenRow, RoomId]] = {}
        self._wanted = asyncio.Event()
        self._writing = asyncio.Lock()

    def put(self, room_id: RoomId, rows: list[ListenRow]) -> None:
        """Have listens written soon. Of the same one the last counts: it says no less."""
        for row in rows:
            self._waiting[row.user_id, row.play_id] = (row, room_id)
        if rows:
            self._wanted.set()

    async def run(self) -> None:
        """Write for ever."""
        while True:
            await self._wanted.wait()
            await self._beats.until_up()
            await self.flush()

    async def flush(self) -> None:
        """Write what waits; what the database did not take stays for later.

        Whoever closes the home waits here for what `run` is writing, which would be cancelled.
        """
        async with self._writing:
            await self._write()

    async def _write(self) -> None:
        waiting, self._waiting = self._waiting, {}
        self._wanted.clear()
        if not waiting:
            return
        rows = zip(*(row for row, _ in waiting.values()), strict=True)
        rooms = [room_id for _, room_id in waiting.values()]
        try:
            await KEEP(self._database, rooms=rooms, **dict(zip(COLUMNS, rows, strict=True)))
        except FAULTS as error:
            _log.warning("listens were not written", extra={"error": repr(error)})
            if not is_refused(error):
                self._waiting = waiting | self._waiting
                self._wanted.set()
                self._beats.lost()
