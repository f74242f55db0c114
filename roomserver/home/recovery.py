"""A batch whose outcome is unknown, or that the database refused: read the room anew.

First the next fence is taken: after that, the old batch is in the log or never will be. Only then
can anybody be told what became of a command.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from protocol.errors import ErrorCode
from roomserver.home.acquire import Fenced
from roomserver.home.batch import Batch, Outcome, Reply
from roomserver.home.enrich import find
from roomserver.home.parts import Parts
from roomserver.home.recent import Done, Key
from sql.faults import FAULTS, is_refused

if TYPE_CHECKING:
    from roomserver.home.runner import Runner

_log: Final = logging.getLogger(__name__)


async def recover(parts: Parts, runner: "Runner", batch: Batch, outcome: Outcome) -> None:
    """Bring the room back, however long the database is away; or give it up to another node."""
    here = runner.here
    keys = [leaving.key for leaving in batch.leaving if isinstance(leaving, Reply)]
    fence = here.fence
    while True:
        await parts.beats.until_up()
        try:
            loaded = await parts.acquirer.again(here.room_id, fence)
            fence = loaded.fence
            done = await _done(parts, runner, keys)
            code = ErrorCode.UNAVAILABLE if outcome is Outcome.UNKNOWN else ErrorCode.INTERNAL
            runner.resume(batch, loaded, done, code)
            return
        except Fenced:
            runner.give_up(batch)
            return
        except FAULTS as error:
            _log.warning(
                "a room cannot be read yet", extra={"room_id": here.room_id, "error": repr(error)}
            )
            if not is_refused(error):
                parts.beats.lost()
            await asyncio.sleep(parts.pace.retry_ms / 1_000)
        except Exception:
            _log.exception("a room cannot be read", extra={"room_id": here.room_id})
            runner.give_up(batch)
            return


async def _done(parts: Parts, runner: "Runner", keys: list[Key]) -> dict[Key, Done]:
    if not keys:
        return {}
    return {
        (row.user_id, row.cmd_id): Done(row.first_seq, row.last_seq)
        for row in await find(parts.database, runner.here, keys)
        if row.first_seq is not None and row.last_seq is not None
    }
