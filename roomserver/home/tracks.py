"""Tracks that are deleted: a home asks which, and its rooms let go of them.

Nobody has to tell it: whoever deletes a track may die at once. A room that is loaded later is
compared with the database then.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from protocol.ids import RoomId, TrackId
from roomserver.home.here import Here
from roomserver.runtime.clock import monotonic_ns
from sql import queries
from sql.faults import FAULTS
from sql.pool import Database

if TYPE_CHECKING:
    from roomserver.home.runner import Runner

MARGIN_MS: Final = 10_000
"""Looked at again and again for so long: a deletion may commit late, a room be loading just now."""
ROOMS_AT_ONCE: Final = 200

GONE_OF: Final = queries.scalars("enrich.gone_of", str)
GONE_WITHIN: Final = queries.scalars("enrich.gone_within", str)

_log: Final = logging.getLogger(__name__)


class Deletions:
    """Tells the loaded rooms of one home."""

    def __init__(
        self,
        database: Database,
        rooms: Callable[[], Iterable["Runner"]],
        touch: Callable[[RoomId], None],
        every_ms: float,
    ) -> None:
        self._database = database
        self._rooms = rooms
        self._touch = touch
        self._every_ms = every_ms

    async def run(self) -> None:
        """Ask for ever; after a database that was away, for all that time."""
        asked_ns = monotonic_ns()
        while True:
            await asyncio.sleep(self._every_ms / 1_000)
            begun_ns = monotonic_ns()
            within_ms = (begun_ns - asked_ns) / 1e6 + MARGIN_MS
            try:
                gone = frozenset(await GONE_WITHIN(self._database, within_ms=within_ms))
            except FAULTS as error:
                _log.warning("deleted tracks cannot be read", extra={"error": repr(error)})
                continue
            asked_ns = begun_ns
            if gone:
                await self._tell(gone)

    async def _tell(self, gone: frozenset[TrackId]) -> None:
        for number, runner in enumerate(tuple(self._rooms()), 1):
            here = runner.here
            if lost := gone & here.tracks():
                here.gone |= lost
                self._touch(here.room_id)
            if number % ROOMS_AT_ONCE == 0:
                await asyncio.sleep(0)


async def gone_of(database: Database, here: Here) -> set[TrackId]:
    """Those tracks of a room that are deleted, of the last change too. Raises
    `sql.faults.FAULTS`."""
    if track_ids := here.tracks() | undoable(here):
        return set(await GONE_OF(database, track_ids=list(track_ids)))
    return set()


def undoable(here: Here) -> set[TrackId]:
    """The tracks that would be back if the last change were undone."""
    change = here.loaded.room.private.queue.change
    return set() if change is None else {entry.track.track_id for entry in change.entries}
