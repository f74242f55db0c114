"""Commands that have not been answered: sent again under their ids until they are."""

from collections.abc import Collection
from typing import Final

from msgspec import Struct

from protocol.errors import ErrorCode
from protocol.frames import Cmd, Reject
from protocol.ids import FrameId, RoomId

TRIED_AGAIN: Final = (ErrorCode.RATE_LIMITED, ErrorCode.UNAVAILABLE)
"""Refusals that say nothing about the command: the same one may pass a little later."""
PAUSE_MS: Final = 1_000
"""How long to wait after such a refusal if it names no time."""


class _Said(Struct):
    frame: Cmd
    give_up_at_ms: float
    due_at_ms: float = 0.0
    """Not to be sent before."""
    sent: bool = False
    """On this connection."""


class Outbox:
    """What was said and not yet answered, in the order in which it was said."""

    def __init__(self) -> None:
        self._said: dict[FrameId, _Said] = {}

    def __contains__(self, frame_id: FrameId) -> bool:
        return frame_id in self._said

    @property
    def unanswered(self) -> list[FrameId]:
        """Ids of commands without ack or reject, in the order they were given."""
        return list(self._said)

    @property
    def rooms(self) -> set[RoomId]:
        """The rooms that they are for."""
        return {said.frame.room for said in self._said.values()}

    def give(self, frame: Cmd, give_up_at_ms: float) -> None:
        """Keep a command. A refusal that asks to wait beyond `give_up_at_ms` is its answer."""
        self._said[frame.id] = _Said(frame, give_up_at_ms)

    def take(self, frame_id: FrameId) -> bool:
        """It is answered, or not wanted any more; False if nobody waited for an answer."""
        return self._said.pop(frame_id, None) is not None

    def refused(self, refusal: Reject, now_ms: float) -> bool:
        """Whether a refusal is the answer; otherwise the command goes out again later.

        Under the same id: what was sent again after a reconnect may have been carried out before.
        """
        said = self._said[refusal.id]
        wait_ms = refusal.retry_after_ms or PAUSE_MS
        if refusal.code not in TRIED_AGAIN or now_ms + wait_ms > said.give_up_at_ms:
            del self._said[refusal.id]
            return True
        said.due_at_ms, said.sent = now_ms + wait_ms, False
        return False

    def lost(self) -> None:
        """The connection is gone: nothing counts as sent."""
        for said in self._said.values():
            said.sent = False

    def send(self, room: RoomId, now_ms: float) -> list[Cmd]:
        """What is to go out to a room now, in order; from then on it counts as sent."""
        waiting = [
            said
            for said in self._said.values()
            if said.frame.room == room and not said.sent and said.due_at_ms <= now_ms
        ]
        for said in waiting:
            said.sent = True
        return [said.frame for said in waiting]

    def next_due_ms(self, rooms: Collection[RoomId]) -> float | None:
        """When the first of those that wait for another try in these rooms is due."""
        waiting = (s for s in self._said.values() if not s.sent and s.frame.room in rooms)
        return min((said.due_at_ms for said in waiting), default=None)

    def drop_unsent(self, rooms: Collection[RoomId]) -> list[FrameId]:
        """Give up what waits to be sent to rooms: whether it was done before stays unknown."""
        gone = set(rooms)
        lost = [i for i, s in self._said.items() if s.frame.room in gone and not s.sent]
        for frame_id in lost:
            del self._said[frame_id]
        return lost
