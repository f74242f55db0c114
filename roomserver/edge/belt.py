"""Frames on their way to all members of a room, each kept until everybody has had it."""

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from roomserver.edge.framing import Shared

if TYPE_CHECKING:
    from roomserver.edge.connection import Connection
    from roomserver.edge.sweep import Seat


class Belt:
    """Frames, numbered from 0 on; `end` is the number that the next one gets."""

    __slots__ = ("_first", "_frames", "_packs", "_skips", "end", "texts")

    def __init__(self) -> None:
        self._first = 0
        self._frames: deque[Shared] = deque()
        self._skips: dict[int, Connection] = {}
        """Who is not to have a frame."""
        self.end = 0
        self.texts: dict[int, bytes] = {}
        """All frames from a number on as most readers get them, once somebody has asked."""
        self._packs: dict[int, bytes] = {}
        """The same for those who speak MessagePack."""

    @property
    def skips(self) -> bool:
        """True if somebody is not to have all of `texts`."""
        return bool(self._skips)

    def __len__(self) -> int:
        """How many frames somebody may still need."""
        return len(self._frames)

    def put(self, frame: Shared, skip: "Connection | None" = None) -> None:
        """One more frame, for all but `skip`."""
        if skip is not None:
            self._skips[self.end] = skip
        self._frames.append(frame)
        self.end += 1
        self._forget()

    def rest(self, seat: "Seat") -> bytes:
        """What a member has not had yet, of what is meant for it; b"" if there is nothing."""
        kept = self.texts if seat.reads_text else self._packs
        if seat.connection in self._skips.values():
            return self._join(seat, seat.connection)
        found = kept.get(seat.had)
        if found is None:
            found = kept[seat.had] = self._join(seat, None)
        return found

    def _join(self, seat: "Seat", skipped: "Connection | None") -> bytes:
        encoding = seat.connection.encoding
        waiting = enumerate(islice(self._frames, seat.had - self._first, None), seat.had)
        return b"".join(
            frame.of(encoding)
            for number, frame in waiting
            if skipped is None or self._skips.get(number) is not skipped
        )

    def drop(self, before: int) -> None:
        """Everybody has had the frames below a number."""
        while self._first < before:
            self._frames.popleft()
            self._skips.pop(self._first, None)
            self._first += 1
        self._forget()

    def clear(self) -> None:
        """Nobody is to have any of them."""
        self.drop(self.end)

    def _forget(self) -> None:
        self.texts.clear()
        self._packs.clear()
