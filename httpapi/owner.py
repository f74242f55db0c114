"""A room changes hands: its owner hands it over, or has been away for long."""

import asyncio
import logging
from typing import Final

from msgspec import Struct

from httpapi.access import open_room
from httpapi.commands import REFUSALS, SYSTEM, submit
from httpapi.endpoint import Call, Route, route
from httpapi.lists import Query
from httpapi.services import Services
from protocol.errors import ErrorCode, Rejected
from protocol.owner import OWNER_ABSENT_MS, OwnerSucceed, OwnerTransfer, OwnerTransferBody
from sql import queries
from sql.faults import FAULTS

SOON_MS: Final = 60_000
"""After a start: a server that is restarted every day looks, too."""
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
AT_ONCE: Final = 500


class AbsentRow(Struct, frozen=True):
    """A room, and who is away."""

    room_id: str
    owner_id: str


ABSENT = queries.many("owner.absent", AbsentRow)

_log: Final = logging.getLogger(__name__)


async def hand_over(call: Call[OwnerTransferBody, Query]) -> None:
    """Give the room to somebody else; the owner becomes a moderator."""
    await submit(call, await open_room(call), OwnerTransfer(user_id=call.body.user_id))


async def watch(services: Services) -> None:
    """Look for ever, every `owner_check_hours`; a database that is away is asked next time."""
    wait_ms = SOON_MS
    while True:
        await asyncio.sleep(wait_ms / 1_000)
        wait_ms = services.config.owner_check_hours * HOUR_MS
        try:
            await succeed(services)
        except FAULTS as error:
            _log.warning("absent owners were not looked for", extra={"error": repr(error)})


async def succeed(services: Services) -> None:
    """Have the rooms of absent owners find their next one. Raises `sql.faults.FAULTS`.

    One absence is one command, whoever asks: two sidecars at once give a room one new owner.
    """
    rooms = await ABSENT(services.database, absent_ms=float(OWNER_ABSENT_MS), most=AT_ONCE)
    day = int(services.clock.now_ms() // DAY_MS)
    for row in rooms:
        try:
            # One after the other: each may have to be loaded first.
            await services.calls.submit(
                row.room_id,
                SYSTEM,
                OwnerSucceed(reason="absent"),
                client_id=f"absent-{row.owner_id}",
                id=day,
            )
        except Rejected as error:
            _log.warning(
                "a room has kept its absent owner", extra={"room": row.room_id, "code": error.code}
            )


_E: Final = ErrorCode

ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "/api/rooms/{room_id}/owner", hand_over, body=OwnerTransferBody, limit=5,
          action="owner.transfer", command=True,
          refuses=(*REFUSALS, _E.UNKNOWN_PERSON, _E.ACCOUNT_REQUIRED)),
)  # fmt: skip
