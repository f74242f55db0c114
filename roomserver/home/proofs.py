"""Strangers who say a room's password: held against the stored one, beside the room's turns."""

import logging
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from protocol.cluster import Arrive
from protocol.errors import ErrorCode, Rejected
from protocol.ids import ConnectionId, FrameId
from roomserver.home.enrich import Letter
from roomserver.home.here import Here
from roomserver.home.parts import Parts
from sql import queries
from sql.faults import FAULTS

RETRY_AFTER_MS: Final = 1_000
PASSWORD_HASH: Final = queries.scalar("rooms.password_hash", str)

_log: Final = logging.getLogger(__name__)


class Proofs:
    """Of one room. Who is right is in `here.proven` when the letter comes back without the
    password: coming in then gives a place, so that nobody has to prove it twice."""

    def __init__(
        self,
        parts: Parts,
        here: Here,
        take: Callable[[Letter], None],
        refuse: Callable[[Letter, Rejected], None],
    ) -> None:
        self._parts = parts
        self._here = here
        self._take = take
        self._refuse = refuse
        self._asked: set[tuple[ConnectionId, FrameId]] = set()

    def wants(self, message: object) -> bool:
        """Whether somebody says a password who needs one."""
        if not isinstance(message, Arrive) or message.password is None:
            return False
        loaded, public = self._here.loaded, self._here.public
        is_stranger = message.person.user_id not in loaded.room.private.members
        # Of a private room without a password too: the time that it takes tells nothing of it.
        return is_stranger and (loaded.has_password or public.room.visibility == "private")

    def check(self, letter: Letter) -> None:
        """Find out; an edge that asks again meanwhile changes nothing."""
        key = letter.message.conn, _id_of(letter)
        if key not in self._asked:
            self._asked.add(key)
            self._parts.tasks.spawn("password", self._check(letter, key))

    async def _check(self, letter: Letter, key: tuple[ConnectionId, FrameId]) -> None:
        sender, arrive = letter
        assert isinstance(arrive, Arrive)
        here, parts = self._here, self._parts
        try:
            stored = await PASSWORD_HASH(parts.database, room_id=here.room_id)
            right = await parts.passwords.verify(stored, arrive.password or "")
            # A password that was changed meanwhile is none any more.
            if right and await PASSWORD_HASH(parts.database, room_id=here.room_id) == stored:
                here.proven.add(arrive.person.user_id)
        except Rejected as refusal:
            self._refuse(letter, refusal)
            return
        except FAULTS as error:
            _log.warning("a password cannot be read", extra={"error": repr(error)})
            parts.beats.lost()
            self._refuse(letter, Rejected(ErrorCode.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS))
            return
        finally:
            self._asked.discard(key)
        self._take(Letter(sender, replace(arrive, password=None)))


def _id_of(letter: Letter) -> FrameId:
    assert isinstance(letter.message, Arrive)
    return letter.message.id
