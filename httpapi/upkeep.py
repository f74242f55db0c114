"""Drops what has run out: tickets, refresh tokens, revocations, stored answers,
reservations of uploads that died."""

import asyncio
import logging
from typing import Final

from httpapi.auth.logins import FORGET as FORGET_LOGINS
from httpapi.idempotency import FORGET as FORGET_ANSWERS
from httpapi.ingest import FORGET as FORGET_RESERVATIONS
from sql.faults import FAULTS
from sql.pool import Database

EVERY_MS: Final = 15 * 60_000

_log: Final = logging.getLogger(__name__)


async def run(database: Database) -> None:
    """Clean up for ever; a database that is away is left alone until the next time."""
    while True:
        await asyncio.sleep(EVERY_MS / 1_000)
        try:
            await FORGET_LOGINS(database)
            await FORGET_ANSWERS(database)
            await FORGET_RESERVATIONS(database)
        except FAULTS as error:
            _log.warning("nothing was cleaned up", extra={"error": repr(error)})
