"""What the list of rooms shows: written lazily, for all rooms that changed in one statement."""

import asyncio
import logging
from typing import Final

from msgspec import Struct
from msgspec.structs import astuple

from protocol.ids import RoomId
from roomserver.home.beats import Beats
from roomserver.home.pace import Pace
from sql import queries
from sql.faults import FAULTS
from sql.pool import Database

LIST_ROOMS: Final = queries.execute("room_homes.list_rooms")
COLUMNS: Final = (
    "room_ids",
    "names",
    "name_keys",
    "descriptions",
    "wake_ats_ms",
    "suspended",
    "listeners",
    "now_playing",
)

_log: Final = logging.getLogger(__name__)


class ListRow(Struct, frozen=True):
    """The lazy columns of `rooms`, in the order of `COLUMNS`."""

    room_id: RoomId
    name: str
    name_key: str
    description: str
    wake_at_ms: int | None
    suspended: bool
    listeners: int
    now_playing: str | None
    """The current track as JSON."""


class Listing:
    """Collects changed rows; each second they are written."""

    def __init__(self, database: Database, beats: Beats, pace: Pace) -> None:
        self._database = database
        self._beats = beats
        self._pace = pace
        self._waiting: dict[RoomId, ListRow] = {}
        self._wanted = asyncio.Event()

    def put(self, row: ListRow) -> None:
        """Have a row written soon."""
        self._waiting[row.room_id] = row
        self._wanted.set()

    async def run(self) -> None:
        """Write for ever, at most once in `list_every_ms`."""
        while True:
            await self._wanted.wait()
            await self._beats.until_up()
            await self.flush()
            await asyncio.sleep(self._pace.list_every_ms / 1_000)

    async def flush(self) -> None:
        """Write what waits; what the database did not take stays for later."""
        rows, self._waiting = self._waiting, {}
        self._wanted.clear()
        if not rows:
            return
        filled = zip(*(astuple(row) for row in rows.values()), strict=True)
        try:
            await LIST_ROOMS(self._database, **dict(zip(COLUMNS, filled, strict=True)))
        except FAULTS as error:
            _log.warning("the list of rooms was not written", extra={"error": repr(error)})
            self._waiting = rows | self._waiting
            self._wanted.set()
