"""To the homes and back: what this edge asked and has no answer to yet."""

from typing import TYPE_CHECKING, Final

from protocol import cluster
from protocol.errors import ErrorCode, Rejected
from protocol.frames import Ack, Have, Left, LeftReason, Reject
from protocol.ids import ConnectionId, FrameId, RoomId
from roomserver.edge.metrics import ACKED, REJECTED
from roomserver.runtime.clock import monotonic_ns
from roomserver.runtime.metrics import since_s

if TYPE_CHECKING:
    from roomserver.edge.connection import Connection
    from roomserver.edge.edge import Edge
    from roomserver.edge.sweep import Seat

Asked = cluster.Arrive | cluster.Submit
RETRY_AFTER_MS: Final = 1_000
REASONS: Final[dict[ErrorCode, LeftReason]] = {
    ErrorCode.ROOM_CLOSED: "closed",
    ErrorCode.BANNED: "banned",
}
"""Why a member is out whom the home does not let in again; else `kicked`: the code says more."""


class Question:
    """Something asked, and for how many looks it has been without an answer."""

    __slots__ = ("asked", "asked_ns", "looks")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.asked_ns = monotonic_ns()
        self.looks = 0


class Router:
    """Asks the home of a room, keeps what is unanswered, asks again where nothing comes back."""

    def __init__(self, edge: "Edge") -> None:
        self._edge = edge
        self._questions: dict[ConnectionId, dict[FrameId, Question]] = {}
        self._looks_back = False

    def __len__(self) -> int:
        """How many questions are open."""
        return sum(map(len, self._questions.values()))

    def post(self, message: cluster.ToRoom) -> None:
        """Tell the home of the message's room; no answer is expected."""
        self._edge.channel.post(self._edge.directory.home_of(message.room), message)

    def ask(self, message: Asked) -> None:
        """Ask, and remember until it is answered."""
        self._questions.setdefault(message.conn, {})[message.id] = Question(message)
        self.post(message)
        if not self._looks_back:
            self._looks_back = True
            self._edge.wheel.after(self._edge.pace.ask_again_ms, self._look_back)

    def again(self, room_id: RoomId, seat: "Seat") -> None:
        """Have a member that missed events brought up to date."""
        connection = seat.connection
        if connection.dialogue.caller is not None:
            self.ask(
                cluster.Arrive(
                    room_id,
                    connection.conn_id,
                    seat.join_id,
                    connection.dialogue.caller.person,
                    None,
                    None,
                    Have(lineage=seat.lineage, seq=seat.sent_seq),
                    self._edge.digests(connection.address),
                    connection.rtt_ms or 0.0,
                    returns=True,
                )
            )

    def forget(self, conn_id: ConnectionId) -> None:
        """The connection is gone: nobody waits for its answers any more."""
        self._questions.pop(conn_id, None)

    def forget_arrivals(self, conn_id: ConnectionId, room_id: RoomId) -> None:
        """It does not want to come in any more; its commands will be answered all the same."""
        for asked in self._arrivals(conn_id, room_id):
            self._close(conn_id, asked.id)

    def receive(self, sender: cluster.Party, message: cluster.Message) -> None:
        """Something a home said. Unknown kinds are for a later version."""
        match message:
            case cluster.Published():
                room = self._edge.hub.rooms.get(message.room)
                if room is not None:
                    room.published(message)
            case cluster.Told():
                room = self._edge.hub.rooms.get(message.room)
                if room is not None:
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
        question = self._questions.get(message.conn, {}).get(message.answer.id)
        connection = self._edge.connections.get(message.conn)
        if question is None or connection is None or question.asked.room != message.room:
            return
        asked, answer = question.asked, message.answer
        if isinstance(asked, cluster.Submit):
            told = ACKED if isinstance(answer, Ack) else REJECTED
            told.observe(since_s(question.asked_ns))
        if isinstance(asked, cluster.Submit) or isinstance(answer, Ack):
            self._close(message.conn, answer.id)
        elif self._is_return(asked):
            self._not_readmitted(connection, question, answer)
            return
        else:
            self._close(message.conn, answer.id)
            if not self._arrivals(message.conn, message.room):
                connection.dialogue.refused(message.room)
        frame = connection.spelt(message.answer)
        room = self._edge.hub.rooms.get(message.room)
        if room is None:
            connection.write(frame)
        else:
            room.answer(connection, frame)

    def _admitted(self, message: cluster.Admitted) -> None:
        # A home that was replaced lets nobody in: the question stays open for the new one.
        if self._edge.hub.is_outdated(message):
            return
        connection = self._edge.connections.get(message.conn)
        is_asked = any(a.id == message.id for a in self._arrivals(message.conn, message.room))
        if connection is not None and is_asked:
            self._close(message.conn, message.id)
            connection.dialogue.joined(message.room)
            self._edge.hub.admitted(connection, message.id, message)
        elif connection is None or not connection.dialogue.wants(message.room):
            # The home must not count somebody who is not here.
            self.post(cluster.Depart(message.room, message.conn, connection is not None))

    def _not_readmitted(self, connection: "Connection", question: Question, reject: Reject) -> None:
        """A member who was to be brought up to date is refused: out, or tried again."""
        if reject.temporary:
            question.looks = 0
            return
        room_id = question.asked.room
        connection.dialogue.left(room_id)
        self._edge.hub.leave(connection, room_id)
        # To a home that had let it in before, it is still there.
        self.post(cluster.Depart(room_id, connection.conn_id, True))
        until_ms = reject.details.get("until_ms")
        connection.send(
            Left(
                room=room_id,
                reason=REASONS.get(reject.code, "kicked"),
                until_ms=until_ms if isinstance(until_ms, int) else None,
                code=reject.code,
            )
        )

    def _moved(self, room_id: RoomId) -> None:
        """Bring everybody up to date, then ask again, each connection's questions in order."""
        asked_before = [
            question
            for questions in self._questions.values()
            for question in questions.values()
            if question.asked.room == room_id
        ]
        # First: no answer may overtake the events that it speaks of.
        room = self._edge.hub.rooms.get(room_id)
        if room is not None:
            room.everybody_again()
        for question in asked_before:
            question.looks = 0
            self.post(question.asked)

    def _look_back(self) -> None:
        """Now and then: ask again what is unanswered; let nobody in where a home stays silent."""
        pace = self._edge.pace
        for questions in list(self._questions.values()):
            for question in list(questions.values()):
                question.looks += 1
                asked, waited_ms = question.asked, (question.looks - 1) * pace.ask_again_ms
                if isinstance(asked, cluster.Arrive) and waited_ms >= pace.answer_within_ms:
                    self._give_up(question, asked)
                elif question.looks > 1:
                    # A command may have been carried out: only its home can refuse it.
                    self.post(asked)
        self._looks_back = bool(self._questions)
        if self._looks_back:
            self._edge.wheel.after(pace.ask_again_ms, self._look_back)

    def _give_up(self, question: Question, asked: cluster.Arrive) -> None:
        connection = self._edge.connections.get(asked.conn)
        if self._is_return(asked):
            question.looks = 0
            return
        self._close(asked.conn, asked.id)
        if connection is None:
            return
        if asked.room not in connection.dialogue.rooms:
            connection.dialogue.refused(asked.room)
            self.post(cluster.Depart(asked.room, asked.conn, True))
        refusal = Rejected(ErrorCode.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS)
        connection.dialogue.refuse(asked.id, refusal)

    def _is_return(self, asked: cluster.Arrive) -> bool:
        """Whether it is for a member who is to be brought up to date; that was our own idea."""
        seat = self._edge.hub.seat(asked.room, asked.conn)
        return seat is not None and seat.stale and seat.join_id == asked.id

    def _arrivals(self, conn_id: ConnectionId, room_id: RoomId) -> list[cluster.Arrive]:
        """What a connection asked to be let into a room, and has no answer to."""
        questions = self._questions.get(conn_id, {}).values()
        asked = (question.asked for question in questions)
        return [a for a in asked if isinstance(a, cluster.Arrive) and a.room == room_id]

    def _close(self, conn_id: ConnectionId, frame_id: FrameId) -> None:
        questions = self._questions[conn_id]
        del questions[frame_id]
        if not questions:
            del self._questions[conn_id]
