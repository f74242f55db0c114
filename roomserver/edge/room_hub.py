"""One room at this edge: one framed write per member and flush.

Events wait in its buffer: the first after quiet leaves at the end of the turn, then at most one
flush every 20 ms; an event of playback flushes at once. A flush is a *sweep* over the members in
slices; the sweeps of one room are queued and never overtake each other.
"""

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from protocol import cluster
from protocol.ids import FrameId, RoomId
from roomserver.edge.framing import text_frame
from roomserver.edge.sweep import Seat, Sweep

if TYPE_CHECKING:
    from roomserver.edge.connection import Connection
    from roomserver.edge.edge import Edge


class RoomHub:
    """One room at this edge."""

    __slots__ = (
        "_busy", "_edge", "_frames", "_running", "_seqs", "_sweeps", "_wanted", "fence",
        "last_seq", "lineage", "room_id", "seats",
    )  # fmt: skip

    def __init__(self, edge: "Edge", room_id: RoomId) -> None:
        self._edge = edge
        self.room_id = room_id
        self.fence = 0
        self.last_seq = -1
        self.lineage = ""
        self.seats: dict[Connection, Seat] = {}
        self._seqs: list[int] = []
        self._frames: list[bytes] = []
        self._busy: asyncio.TimerHandle | None = None
        self._wanted = False
        self._sweeps: deque[Sweep] = deque()
        self._running = False

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
        self.seats[connection] = Seat(connection, join_id, message.lineage, message.seq)
        frames = (message.joined, *message.backlog, message.presence)
        connection.write(b"".join((*map(text_frame, filter(None, frames)), *held)))

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
        self._seqs.append(message.last_seq)
        self._frames.append(text_frame(message.frame))
        if message.urgent:
            self._soon()
        elif self._busy is None:
            self._begin()

    def told(self, message: cluster.Told) -> None:
        """A frame without seq, at once, in the order of the sweeps."""
        if message.fence < self.fence:
            return
        sweep = Sweep([], [text_frame(message.frame)], list(self.seats.values()))
        if message.except_conn is not None:
            sweep.skip = self._edge.connections.get(message.except_conn)
        self._queue(sweep)

    def answer(self, connection: "Connection", frame: bytes) -> None:
        """What the issuer has not got yet, and its ack, in one write."""
        seat = self.seats.get(connection)
        if seat is not None and seat.stale:
            seat.held.append(frame)
            return
        if seat is not None:
            pending = [sweep.after(seat.sent_seq) for sweep in self._sweeps if sweep.seqs]
            pending += [
                waiting
                for last, waiting in zip(self._seqs, self._frames, strict=True)
                if last > seat.sent_seq
            ]
            seat.sent_seq = max(seat.sent_seq, self.last_seq)
            frame = b"".join((*pending, frame))
        connection.write(frame)

    def everybody_again(self) -> None:
        """Events are missing here: have each member brought up to date by the home."""
        self._seqs.clear()
        self._frames.clear()
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
        if self._busy is not None:
            self._busy.cancel()
        self._sweeps.clear()
        self._frames.clear()

    def _begin(self) -> None:
        """The first event after quiet: at once, but in a large room with those close behind it."""
        if len(self.seats) > self._edge.pace.slice_connections:
            self._arm(self._edge.pace.gather_ms)
        else:
            self._soon()

    def _soon(self) -> None:
        # At the end of the turn: an ack in the same envelope takes its events along.
        if not self._wanted:
            self._wanted = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._wanted = False
        if self._frames:
            seqs, self._seqs = self._seqs, []
            frames, self._frames = self._frames, []
            if self._busy is None:
                self._arm(self._edge.pace.flush_every_ms)
            self._queue(Sweep(seqs, frames, list(self.seats.values())))

    def _arm(self, delay_ms: float) -> None:
        self._busy = asyncio.get_running_loop().call_later(delay_ms / 1_000, self._tick)

    def _tick(self) -> None:
        self._busy = None
        if self._frames:
            self._flush()

    def _queue(self, sweep: Sweep) -> None:
        self._sweeps.append(sweep)
        if not self._running:
            self._running = True
            self._sweep()

    def _sweep(self) -> None:
        """One slice of the first sweep; the rest in later turns of the loop."""
        if not self._sweeps:
            self._running = False
            return
        sweep = self._sweeps[0]
        end = sweep.where + self._edge.pace.slice_connections
        seats = sweep.seats[sweep.where : end]
        if sweep.seqs:
            self._write_events(sweep, seats)
        else:
            for seat in seats:
                connection = seat.connection
                if seat.stale or connection is sweep.skip:
                    continue
                if connection.paused:
                    # Who came and who went is told once: it must hear of it in another way.
                    seat.stale = True
                    continue
                connection.write(sweep.joined)
        sweep.where = end
        if end >= len(sweep.seats):
            self._sweeps.popleft()
        if self._sweeps:
            asyncio.get_running_loop().call_soon(self._sweep)
        else:
            self._running = False

    def _write_events(self, sweep: Sweep, seats: list[Seat]) -> None:
        last, joined = sweep.seqs[-1], sweep.joined
        before = sweep.seqs[0] - 1
        for seat in seats:
            if seat.stale or seat.sent_seq >= last:
                continue
            connection = seat.connection
            if connection.paused:
                seat.stale = True
                continue
            # The hot line of the whole server: no call but the write itself.
            if connection.is_open:
                connection.transport.write(
                    joined if seat.sent_seq <= before else sweep.after(seat.sent_seq)
                )
            seat.sent_seq = last
