"""One round past all members of a room, and where each member stands."""

from typing import TYPE_CHECKING

from protocol.ids import FrameId, Lineage
from roomserver.edge.belt import Belt
from roomserver.edge.metrics import FLUSH_BYTES, SWEEP
from roomserver.runtime.clock import monotonic_ns
from roomserver.runtime.metrics import since_s

if TYPE_CHECKING:
    from roomserver.edge.connection import Connection


class Seat:
    """One connection's place in a room."""

    __slots__ = (
        "connection", "had", "held", "join_id", "lineage", "reads_text", "sent_seq", "stale",
    )  # fmt: skip

    def __init__(
        self, connection: "Connection", join_id: FrameId, lineage: Lineage, seq: int, had: int
    ) -> None:
        self.connection = connection
        self.reads_text = not connection.encoding.is_binary
        self.join_id = join_id
        self.lineage = lineage
        self.sent_seq = seq
        """The last event of that lineage that was written to this connection."""
        self.had = had
        """The number of the first frame on the room's belt that it has not had."""
        self.stale = False
        """Nothing more is written through this seat: frames were left out and the home must bring
        the connection up to date, or it has another seat by now, or none."""
        self.held: list[bytes] = []
        """Answers that wait for the events that they speak of."""


class Sweep:
    """Goes past `seats` once; each gets what is on the belt when its turn comes."""

    __slots__ = ("_begun_ns", "_belt", "_end", "_flushed_bytes", "_seats", "_where")

    def __init__(self, belt: Belt, seats: list[Seat]) -> None:
        self._belt = belt
        self._end = belt.end
        self._seats = seats
        self._where = 0
        self._flushed_bytes = 0
        self._begun_ns = monotonic_ns()

    def go_on(self, count: int, last_seq: int) -> bool:
        """Write to the next members; whether some are left. `last_seq` is the last event's on the
        belt."""
        belt = self._belt
        texts = {} if belt.skips else belt.texts
        end, text = belt.end, b""
        where = self._where
        self._where += count
        for seat in self._seats[where : self._where]:
            if seat.stale or seat.had >= end:
                continue
            connection = seat.connection
            if connection.paused:
                # Frames without seq are told once: it must be brought up to date in another way.
                seat.stale = True
                continue
            # The hot line of the whole server: no call but the write itself.
            if connection.is_open:
                text = texts.get(seat.had, b"") if seat.reads_text else b""
                text = text or belt.rest(seat)
                if text:
                    connection.transport.write(text)
            seat.had = end
            seat.sent_seq = last_seq
        self._flushed_bytes = max(self._flushed_bytes, len(text))
        return self._where < len(self._seats)

    def ended(self) -> None:
        """Everybody has had what was on the belt when it began."""
        self._belt.drop(self._end)
        SWEEP.observe(since_s(self._begun_ns))
        FLUSH_BYTES.observe(self._flushed_bytes)
