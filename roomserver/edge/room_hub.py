"""One room at this edge: at most one framed write per member in 16 ms.

Homes speak JSON. What members get who speak MessagePack is made of it here, once for all of them.

Frames wait on a belt. A *sweep* goes past all members, a few in each turn of the loop, so that
commands are heard in between; each member gets what is on the belt when its turn comes, and what
comes behind the sweep waits for the next. The first frame after quiet begins one at the end of the
turn; then one begins at most every 16 ms, but an event of playback waits only for the sweep before.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from protocol import cluster
from protocol.ids import FrameId, RoomId
from roomserver.edge.belt import Belt
from roomserver.edge.framing import Shared
from roomserver.edge.joined import JoinedFrames
from roomserver.edge.sweep import Seat, Sweep

if TYPE_CHECKING:
    from roomserver.edge.connection import Connection
    from roomserver.edge.edge import Edge

_log: Final = logging.getLogger(__name__)


class RoomHub:
    """One room at this edge."""

    __slots__ = (
        "_belt", "_edge", "_is_urgent", "_joined", "_sweep", "_wanted", "_window", "fence",
        "last_seq", "lineage", "room_id", "seats",
    )  # fmt: skip

    def __init__(self, edge: "Edge", room_id: RoomId) -> None:
        self._edge = edge
        self.room_id = room_id
        self.fence = 0
        self.last_seq = -1
        self.lineage = ""
        self.seats: dict[Connection, Seat] = {}
        self._belt = Belt()
        self._sweep: Sweep | None = None
        self._window: asyncio.TimerHandle | None = None
        """A sweep began a moment ago: what is not urgent waits for this."""
        self._wanted = False
        """The next sweep begins at the end of this turn."""
        self._is_urgent = False
        """Something urgent came since the last sweep began."""
        self._joined = JoinedFrames()

    def admit(self, connection: "Connection", join_id: FrameId, message: cluster.Admitted) -> None:
        """Seat somebody whom the home let in, or brought up to date."""
        old = self.seats.get(connection)
        if old is not None:
            # A sweep may still hold the old seat.
            old.stale = True
        held = old.held if old is not None else []
        if self.seats and (message.lineage, message.seq) != (self.lineage, self.last_seq):
            # Of one home we hear everything in order: if it is elsewhere, the others missed that.
            self.everybody_again()
        self.fence, self.lineage, self.last_seq = message.fence, message.lineage, message.seq
        # Seated now, before anything else is read from the bus: what comes later is newer.
        self.seats[connection] = Seat(
            connection, join_id, message.lineage, message.seq, self._belt.end
        )
        others = filter(None, (*message.backlog, message.presence))
        frames = (Shared(payload).of(connection.encoding) for payload in others)
        connection.write(b"".join((self._joined.of(message, connection), *frames, *held)))

    def published(self, message: cluster.Published) -> None:
        """Committed events. A hole before them sends everybody back to the home."""
        renewed = message.fence > self.fence
        if message.fence < self.fence or (message.last_seq <= self.last_seq and not renewed):
            return
        follows = message.first_seq == self.last_seq + 1
        self.fence, self.last_seq = message.fence, message.last_seq
        if not follows:
            self.everybody_again()
            return
        self._put(Shared(message.frame), urgent=message.urgent)

    def told(self, message: cluster.Told) -> None:
        """A frame without seq."""
        if message.fence < self.fence:
            return
        skipped = None
        if message.except_conn is not None:
            skipped = self._edge.connections.get(message.except_conn)
        self._put(Shared(message.frame), skipped)

    def answer(self, connection: "Connection", frame: bytes) -> None:
        """What the issuer has not got yet, and its ack, in one write."""
        seat = self.seats.get(connection)
        if seat is not None:
            if seat.stale:
                seat.held.append(frame)
                return
            if seat.had < self._belt.end:
                frame = self._belt.rest(seat) + frame
                seat.had = self._belt.end
            seat.sent_seq = max(seat.sent_seq, self.last_seq)
        connection.write(frame)

    def everybody_again(self) -> None:
        """Events are missing here: have each member brought up to date by the home."""
        self._belt.clear()
        for seat in self.seats.values():
            if not seat.stale:
                seat.stale = True
                # Who reads too slowly is brought up to date when it has caught up.
                if not seat.connection.paused:
                    self._edge.router.again(self.room_id, seat)

    def leave(self, connection: "Connection") -> None:
        """One connection is no longer here; what is on its way does not reach it either."""
        seat = self.seats.pop(connection, None)
        if seat is not None:
            seat.stale = True
            if seat.held:
                connection.write(b"".join(seat.held))

    def close(self) -> None:
        """Nobody is here any more."""
        if self._window is not None:
            self._window.cancel()
        self._belt.clear()

    def _put(
        self, frame: Shared, skipped: "Connection | None" = None, *, urgent: bool = False
    ) -> None:
        self._belt.put(frame, skipped)
        self._is_urgent = self._is_urgent or urgent
        if self._sweep is None:
            self._next()

    def _next(self) -> None:
        """Begin a sweep, unless it must wait."""
        if not self._wanted and (self._is_urgent or self._window is None):
            # At the end of the turn: an ack in the same envelope takes its events along.
            self._wanted = True
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        self._wanted = self._is_urgent = False
        if not self._belt:
            return
        if self._window is None:
            self._window = asyncio.get_running_loop().call_later(
                self._edge.pace.flush_every_ms / 1_000, self._tick
            )
        self._sweep = Sweep(self._belt, list(self.seats.values()))
        self._go_on(self._sweep)

    def _go_on(self, sweep: Sweep) -> None:
        """One slice of a sweep; the rest in later turns of the loop."""
        try:
            are_left = sweep.go_on(self._edge.pace.slice_connections, self.last_seq)
        except Exception:
            # Who has had what is not known any more; the room itself goes on.
            _log.exception("a sweep broke off", extra={"room_id": self.room_id})
            self._sweep = None
            self.everybody_again()
            return
        if are_left:
            asyncio.get_running_loop().call_soon(self._go_on, sweep)
            return
        sweep.ended()
        self._sweep = None
        if self._belt:
            self._next()

    def _tick(self) -> None:
        """The end of a window."""
        self._window = None
        if self._belt and self._sweep is None:
            self._next()
