"""The rooms that somebody at this edge is in: one framed write per member and flush.

Events of a room wait in its buffer: the first after quiet leaves at the end of the turn, then at
most one flush every 20 ms; an event of playback flushes at once. A flush is a *sweep* over the
members in slices; the sweeps of one room are queued and never overtake each other.
"""

import asyncio
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from protocol import cluster
from protocol.frames import Left
from protocol.ids import ConnectionId, RoomId
from roomserver.edge.framing import text_frame

if TYPE_CHECKING:
    from roomserver.edge.connection import Connection
    from roomserver.edge.edge import Edge


class Seat:
    """One connection's place in a room."""

    __slots__ = ("connection", "join_id", "sent_seq", "stale")

    def __init__(self, connection: "Connection", join_id: int, seq: int) -> None:
        self.connection = connection
        self.join_id = join_id
        self.sent_seq = seq
        """The last event that was written to this connection."""
        self.stale = False
        """Events were left out; nothing more until the home has brought what is missing."""


class Sweep:
    """Frames on their way to all members; `seqs` are the last seqs of `frames`, or empty."""

    __slots__ = ("frames", "joined", "seats", "seqs", "skip", "where")

    def __init__(self, seqs: list[int], frames: list[bytes], seats: list[Seat]) -> None:
        self.seqs = seqs
        self.frames = frames
        self.joined = frames[0] if len(frames) == 1 else b"".join(frames)
        self.seats = seats
        self.where = 0
        self.skip: Connection | None = None

    def after(self, seq: int) -> bytes:
        """The frames with a seq above `seq`."""
        return b"".join(
            frame for last, frame in zip(self.seqs, self.frames, strict=True) if last > seq
        )


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

    def published(self, message: cluster.Published) -> None:
        """Committed events. A hole before them sends everybody back to the home."""
        if message.fence < self.fence or message.last_seq <= self.last_seq:
            return
        self.fence = message.fence
        hole = self.last_seq >= 0 and message.first_seq > self.last_seq + 1
        self.last_seq = message.last_seq
        if hole:
            self.everybody_again()
            return
        self._seqs.append(message.last_seq)
        self._frames.append(text_frame(message.frame))
        if self._busy is None or message.urgent:
            self._soon()

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
        if seat is not None and not seat.stale:
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
            seat.stale = True
            self._edge.router.again(self, seat)

    def close(self) -> None:
        """Nobody is here any more."""
        if self._busy is not None:
            self._busy.cancel()
        self._sweeps.clear()
        self.seats.clear()

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
                self._arm()
            self._queue(Sweep(seqs, frames, list(self.seats.values())))

    def _arm(self) -> None:
        delay_s = self._edge.pace.flush_every_ms / 1_000
        self._busy = asyncio.get_running_loop().call_later(delay_s, self._tick)

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
                if seat.connection is not sweep.skip and not seat.connection.paused:
                    seat.connection.write(sweep.joined)
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


class Hub:
    """All rooms at this edge."""

    def __init__(self, edge: "Edge") -> None:
        self._edge = edge
        self.rooms: dict[RoomId, RoomHub] = {}
        self._rtts_ms: dict[RoomId, dict[ConnectionId, float]] = {}

    def admitted(self, connection: "Connection", join_id: int, message: cluster.Admitted) -> None:
        """The home let somebody in, or brought somebody up to date."""
        room = self.rooms.get(message.room)
        if room is None:
            room = self.rooms[message.room] = RoomHub(self._edge, message.room)
        if message.fence < room.fence:
            return
        room.fence, room.lineage = message.fence, message.lineage
        room.last_seq = max(room.last_seq, message.seq)
        # Seated now, before anything else is read from the bus: what comes later is newer.
        room.seats[connection] = Seat(connection, join_id, message.seq)
        frames = (message.joined, *message.backlog, message.presence)
        connection.write(b"".join(map(text_frame, filter(None, frames))))

    def leave(self, connection: "Connection", room_id: RoomId) -> None:
        """One connection is no longer in a room."""
        room = self.rooms.get(room_id)
        if room is None:
            return
        room.seats.pop(connection, None)
        if not room.seats:
            room.close()
            del self.rooms[room_id]

    def ended(self, message: cluster.Ended) -> None:
        """The room is over for one person or for all."""
        room = self.rooms.get(message.room)
        if room is None or message.fence < room.fence:
            return
        until = None if message.until_ms is None else int(message.until_ms)
        frame = Left(room=message.room, reason=message.reason, until_ms=until)
        for connection in list(room.seats):
            caller = connection.dialogue.caller
            if message.user_id in (None, caller.person.user_id if caller else None):
                connection.dialogue.left(message.room)
                self.leave(connection, message.room)
                connection.send(frame)

    def caught_up(self, connection: "Connection") -> None:
        """A slow reader can read again: bring what was left out."""
        for room_id in connection.dialogue.rooms:
            room = self.rooms.get(room_id)
            seat = room and room.seats.get(connection)
            if room and seat and seat.stale:
                self._edge.router.again(room, seat)

    def measured(self, connection: "Connection") -> None:
        """Tell the homes how far away somebody is, with all others of the same moment."""
        if connection.rtt_ms is not None:
            for room_id in connection.dialogue.rooms:
                if room_id not in self._rtts_ms:
                    self._rtts_ms[room_id] = {}
                    self._edge.wheel.after(
                        self._edge.pace.measured_every_ms, partial(self._tell, room_id)
                    )
                self._rtts_ms[room_id][connection.conn_id] = connection.rtt_ms

    def _tell(self, room_id: RoomId) -> None:
        rtts_ms = self._rtts_ms.pop(room_id)
        if room_id in self.rooms:
            self._edge.router.post(cluster.Measured(room_id, rtts_ms))
