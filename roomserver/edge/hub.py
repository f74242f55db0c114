"""The rooms that somebody at this edge is in: who comes, who goes, who is how far away."""

from functools import partial
from typing import TYPE_CHECKING, Final

from protocol import cluster
from protocol.codec import encode
from protocol.errors import ErrorCode, Rejected
from protocol.frames import Left
from protocol.ids import ConnectionId, FrameId, RoomId
from roomserver.edge.framing import Shared
from roomserver.edge.room_hub import RoomHub
from roomserver.edge.sweep import Seat

if TYPE_CHECKING:
    from roomserver.edge.connection import Connection
    from roomserver.edge.edge import Edge

FULL_FOR_MS: Final = 10_000
"""Who finds a room full may try again after this."""


class Hub:
    """All rooms at this edge."""

    def __init__(self, edge: "Edge") -> None:
        self._edge = edge
        self.rooms: dict[RoomId, RoomHub] = {}
        self._coming: dict[RoomId, set[Connection]] = {}
        """Who has asked to come in and has no answer yet: each will take a place."""
        self._rtts_ms: dict[RoomId, dict[ConnectionId, float]] = {}

    def seat(self, room_id: RoomId, conn_id: ConnectionId) -> Seat | None:
        """A connection's place in a room, if it has one."""
        room = self.rooms.get(room_id)
        connection = self._edge.connections.get(conn_id)
        return room.seats.get(connection) if room and connection else None

    def is_outdated(self, message: cluster.Admitted) -> bool:
        """Whether we have heard of a later home than the one that says this."""
        room = self.rooms.get(message.room)
        return room is not None and message.fence < room.fence

    def admitted(
        self, connection: "Connection", join_id: FrameId, message: cluster.Admitted
    ) -> None:
        """The home let somebody in, or brought somebody up to date."""
        self.free_place(connection, message.room)
        room = self.rooms.get(message.room)
        if room is None:
            room = self.rooms[message.room] = RoomHub(self._edge, message.room)
        room.admit(connection, join_id, message)

    def take_place(self, connection: "Connection", room_id: RoomId) -> None:
        """Count a connection that is about to ask to come in.

        Raises Rejected(unavailable) if as many are in the room, or on the way into it, as may be.
        """
        room, most = self.rooms.get(room_id), self._edge.config.connections_per_room
        seats = room.seats if room is not None else {}
        coming = self._coming.get(room_id, set())
        if not self._edge.limited or connection in seats or connection in coming:
            return
        if len(seats) + len(coming) >= most:
            raise Rejected(
                ErrorCode.UNAVAILABLE,
                "The room is full.",
                retry_after_ms=FULL_FOR_MS,
                limit=most,
            )
        self._coming.setdefault(room_id, coming).add(connection)

    def free_place(self, connection: "Connection", room_id: RoomId) -> None:
        """One connection is not on the way into a room any more."""
        coming = self._coming.get(room_id, set())
        coming.discard(connection)
        if not coming:
            self._coming.pop(room_id, None)

    def leave(self, connection: "Connection", room_id: RoomId) -> None:
        """One connection is no longer in a room, nor on the way into it."""
        self.free_place(connection, room_id)
        room = self.rooms.get(room_id)
        if room is None:
            return
        room.leave(connection)
        if not room.seats:
            room.close()
            del self.rooms[room_id]

    def ended(self, message: cluster.Ended) -> None:
        """The room is over for one person or for all; they get its last events, then `left`."""
        room = self.rooms.get(message.room)
        if room is None or message.fence < room.fence:
            return
        until = None if message.until_ms is None else int(message.until_ms)
        frame = Shared(encode(Left(room=message.room, reason=message.reason, until_ms=until)))
        for connection in list(room.seats):
            caller = connection.dialogue.caller
            if message.user_id in (None, caller.person.user_id if caller else None):
                room.answer(connection, frame.of(connection.encoding))
                connection.dialogue.left(message.room)
                self.leave(connection, message.room)

    def caught_up(self, connection: "Connection") -> None:
        """A slow reader can read again: bring what was left out."""
        for room_id in connection.dialogue.rooms:
            room = self.rooms.get(room_id)
            seat = room.seats.get(connection) if room else None
            if seat is not None and seat.stale:
                self._edge.router.again(room_id, seat)

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
