"""To the homes and back: what this edge asked and has no answer to yet."""

from typing import TYPE_CHECKING

from protocol import cluster
from protocol.codec import encode
from protocol.frames import Have, Reject
from protocol.ids import ConnectionId
from roomserver.edge.framing import text_frame

if TYPE_CHECKING:
    from roomserver.edge.connection import Connection
    from roomserver.edge.edge import Edge
    from roomserver.edge.hub import RoomHub, Seat

Asked = cluster.Arrive | cluster.Submit


class Router:
    """Asks the home of a room, keeps what is unanswered, asks again where a room has moved."""

    def __init__(self, edge: "Edge") -> None:
        self._edge = edge
        self._asked: dict[ConnectionId, dict[int, Asked]] = {}

    def post(self, message: cluster.ToHome) -> None:
        """Tell the home of the message's room; no answer is expected."""
        self._edge.channel.post(self._edge.directory.home_of(message.room), message)

    def ask(self, message: Asked) -> None:
        """Ask, and remember until it is answered."""
        self._asked.setdefault(message.conn, {})[message.id] = message
        self.post(message)

    def again(self, room: "RoomHub", seat: "Seat") -> None:
        """Have a member that missed events brought up to date."""
        connection = seat.connection
        if connection.dialogue.caller is None:
            return
        self.ask(
            cluster.Arrive(
                room.room_id,
                connection.conn_id,
                seat.join_id,
                connection.dialogue.caller.person,
                None,
                None,
                Have(lineage=room.lineage, seq=seat.sent_seq),
                connection.address,
                connection.rtt_ms or 0.0,
            )
        )

    def forget(self, conn_id: ConnectionId) -> None:
        """A connection is gone; nobody waits for its answers."""
        self._asked.pop(conn_id, None)

    def waiting(self, conn_id: ConnectionId) -> int:
        """How many questions of a connection are open."""
        return len(self._asked.get(conn_id, ()))

    def receive(self, sender: cluster.Party, message: cluster.Message) -> None:
        """Something a home said. Unknown kinds are for a later version."""
        match message:
            case cluster.Published() | cluster.Told():
                room = self._edge.hub.rooms.get(message.room)
                if room is not None:
                    if isinstance(message, cluster.Published):
                        room.published(message)
                    else:
                        room.told(message)
            case cluster.Answer():
                self._answered(message)
            case cluster.Admitted():
                self._admitted(message)
            case cluster.Ended():
                self._edge.hub.ended(message)
            case cluster.Moved():
                self._moved(message.room)
            case _:
                pass

    def _answered(self, message: cluster.Answer) -> None:
        connection = self._take(message.conn, message.answer.id)
        if connection is None:
            return
        frame = text_frame(encode(message.answer))
        if isinstance(message.answer, Reject):
            connection.dialogue.refused(message.room)
        room = self._edge.hub.rooms.get(message.room)
        if room is None:
            connection.write(frame)
        else:
            room.answer(connection, frame)

    def _admitted(self, message: cluster.Admitted) -> None:
        asked = self._asked.get(message.conn, {})
        arrival = next(
            (
                question
                for question in asked.values()
                if isinstance(question, cluster.Arrive) and question.room == message.room
            ),
            None,
        )
        connection = arrival and self._take(message.conn, arrival.id)
        if connection and arrival:
            connection.dialogue.joined(message.room)
            self._edge.hub.admitted(connection, arrival.id, message)

    def _moved(self, room_id: str) -> None:
        for questions in list(self._asked.values()):
            for question in questions.values():
                if question.room == room_id:
                    self.post(question)
        room = self._edge.hub.rooms.get(room_id)
        if room is not None:
            room.everybody_again()

    def _take(self, conn_id: ConnectionId, frame_id: int) -> "Connection | None":
        questions = self._asked.get(conn_id)
        if questions is None or questions.pop(frame_id, None) is None:
            return None
        if not questions:
            del self._asked[conn_id]
        return self._edge.connections.get(conn_id)
