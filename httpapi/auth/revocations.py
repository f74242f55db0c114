"""Which logins have ended: polled, so that an access token costs no query and still dies soon."""

import asyncio
import logging
from typing import Final

from msgspec import Struct

from roomserver.runtime.clock import monotonic_ns
from roomserver.runtime.tokens import ACCESS_LIFETIME_MS, LEEWAY_MS
from sql import queries
from sql.faults import FAULTS
from sql.pool import Database

POLL_EVERY_MS: Final = 1_000
KEPT_MS: Final = ACCESS_LIFETIME_MS + LEEWAY_MS + 60_000
"""Longer than any access token that was issued before the login ended."""

_log: Final = logging.getLogger(__name__)


class Revocation(Struct, frozen=True):
    """One row: `login_id` ended, or, where that is None, all of the user's."""

    revocation_id: int
    user_id: str | None
    login_id: str | None


AFTER = queries.many("logins.revocations_after", Revocation)


class Revocations:
    """The ids of logins and users whose access tokens are refused, with when they came."""

    def __init__(self) -> None:
        self._last_id = 0
        self._ended: dict[str, int] = {}

    def add(self, ended_id: str) -> None:
        """A login (or user) ended just now, by this very process."""
        self._ended[ended_id] = monotonic_ns()

    def has(self, login_id: str, user_id: str) -> bool:
        """Whether tokens of this login are refused."""
        return login_id in self._ended or user_id in self._ended

    async def poll(self, database: Database) -> None:
        """Learn what is new. Raises `sql.faults.FAULTS`."""
        for row in await AFTER(database, revocation_id=self._last_id, since_ms=float(KEPT_MS)):
            self._last_id = row.revocation_id
            if ended_id := row.login_id or row.user_id:
                self.add(ended_id)
        oldest_ns = monotonic_ns() - KEPT_MS * 1_000_000
        for ended_id in [one for one, at_ns in self._ended.items() if at_ns < oldest_ns]:
            del self._ended[ended_id]

    async def run(self, database: Database) -> None:
        """Poll for ever; a database that is away is asked again."""
        while True:
            try:
                await self.poll(database)
            except FAULTS as error:
                _log.warning("revocations cannot be read", extra={"error": repr(error)})
            await asyncio.sleep(POLL_EVERY_MS / 1_000)
