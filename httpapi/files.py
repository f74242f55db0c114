"""Which files are kept: those that a row names, from before they are kept until it is gone.

A row comes first, so that nothing has to be looked for after a crash: reservations and holds that
were left behind say which files they meant. Two tracks may share a file, and an equal file may be
uploaded while the last one is dropped; see docs/decisions/0105.

    hold        a job names what it is about to keep
    settled     nobody drops these files any more: now they can be kept
    Dropper     drops what nothing names
"""

import asyncio
import logging
from typing import Final
from uuid import uuid4

from httpapi.media.storage import Staged, Storage
from protocol.errors import ErrorCode, Rejected
from sql import queries
from sql.faults import FAULTS
from sql.pool import Database

LOOK_EVERY_MS: Final = 2_000
AT_ONCE: Final = 100
SETTLED_WITHIN_MS: Final = 10_000
ASK_EVERY_MS: Final = 100

HOLD: Final = queries.execute("files.hold")
LET_GO: Final = queries.execute("files.let_go")
LET_GO_OLD: Final = queries.execute("files.let_go_old")
IS_DROPPING: Final = queries.scalar("files.is_dropping", bool)
CLAIM: Final = queries.scalars("files.claim", str)
UNNAMED: Final = queries.scalars("files.unnamed", str)
DROPPED: Final = queries.execute("files.dropped")
GIVE_BACK: Final = queries.execute("files.give_back")

_log: Final = logging.getLogger(__name__)


async def hold(database: Database, job_id: str, *files: Staged) -> None:
    """Name what a job is about to keep; ends with the transaction in which it names it for good,
    or after a day. Rejects: unavailable."""
    keys = [file.key for file in files]
    await HOLD(database, job_id=job_id, keys=keys)
    await settled(database, keys)


async def settled(database: Database, keys: list[str]) -> None:
    """Wait until nobody drops any of these, which a committed row names.

    Whoever claims them from now on sees that row. Rejects: unavailable, after 10 s.
    """
    try:
        async with asyncio.timeout(SETTLED_WITHIN_MS / 1_000):
            while await IS_DROPPING(database, keys=keys):  # noqa: ASYNC110
                await asyncio.sleep(ASK_EVERY_MS / 1_000)
    except TimeoutError:
        raise Rejected(ErrorCode.UNAVAILABLE, retry_after_ms=SETTLED_WITHIN_MS) from None


class Dropper:
    """Drops files that lost their last name. Any number of these may run at once."""

    def __init__(self, database: Database, storage: Storage) -> None:
        self._database = database
        self._storage = storage

    async def run(self) -> None:
        """Look for ever; a database that is away is asked again."""
        while True:
            try:
                claimed = await self.drop()
            except FAULTS as error:
                _log.warning("no file can be dropped", extra={"error": repr(error)})
                claimed = 0
            if claimed < AT_ONCE:
                await asyncio.sleep(LOOK_EVERY_MS / 1_000)

    async def drop(self) -> int:
        """One round. Returns how many keys were looked at. Raises `sql.faults.FAULTS`."""
        claim_id = str(uuid4())
        keys = await CLAIM(self._database, claim_id=claim_id, most=AT_ONCE)
        if not keys:
            return 0
        try:
            for key in await UNNAMED(self._database, keys=keys):
                await self._storage.delete(key)
        except Rejected as error:
            # Who knows when the store does what it did not answer: the claim stays till it is void.
            _log.warning("a file was not dropped", extra={"error": repr(error.__cause__)})
            return 0
        await DROPPED(self._database, claim_id=claim_id)
        await GIVE_BACK(self._database, claim_id=claim_id)
        return len(keys)
