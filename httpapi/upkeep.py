"""Drops what has run out; docs/operations.md says when what does."""

import asyncio
import logging
from typing import Final

from httpapi.audit import FORGET as FORGET_AUDIT
from httpapi.auth.logins import FORGET as FORGET_LOGINS
from httpapi.files import LET_GO_OLD
from httpapi.idempotency import FORGET as FORGET_ANSWERS
from httpapi.ingest import FORGET as FORGET_RESERVATIONS
from httpapi.jobs import FORGET as FORGET_JOBS
from httpapi.renditions import FORGET as FORGET_RENDITIONS
from sql.faults import FAULTS
from sql.pool import Database

EVERY_MS: Final = 15 * 60_000
CLEANED_WITHIN_MS: Final = 5 * 60_000
"""After a long time without it there is much to drop."""

_log: Final = logging.getLogger(__name__)


async def run(database: Database) -> None:
    """Clean up for ever; a database that is away is left alone until the next time."""
    while True:
        await asyncio.sleep(EVERY_MS / 1_000)
        try:
            await clean_up(database)
        except FAULTS as error:
            _log.warning("nothing was cleaned up", extra={"error": repr(error)})


async def clean_up(database: Database) -> None:
    """Drop what has run out by now. Raises `sql.faults.FAULTS`."""
    async with database.acquire(answer_within_ms=CLEANED_WITHIN_MS) as connection:
        await FORGET_LOGINS(connection)
        await FORGET_AUDIT(connection)
        await FORGET_ANSWERS(connection)
        await FORGET_RESERVATIONS(connection)
        await FORGET_JOBS(connection)
        await FORGET_RENDITIONS(connection)
        await LET_GO_OLD(connection)
