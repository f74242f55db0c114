"""The one gate: what a room says leaves through here, and only committed things are passed in."""

from collections.abc import Iterable

from protocol.cluster import Admitted, Answer, Ended, Moved, Party, Published, Told
from protocol.codec import encode
from protocol.errors import Rejected
from protocol.frames import Ack, LeftReason, Presence, Reject, SignalDown
from protocol.ids import ConnectionId, UserId
from roomserver.bus.channels import Channel
from roomserver.bus.directory import is_http
from roomserver.home.here import Here
from roomserver.home.ring import frames


def reject_of(frame_id: int, error: Rejected) -> Reject:
    """A refusal as the frame that tells it."""
    return Reject(
        id=frame_id,
        code=error.code,
        temporary=error.kind.temporary,
        message=str(error),
        retry_after_ms=error.retry_after_ms,
        details=error.details,
    )


class Gate:
    """One room's way out."""

    def __init__(self, channel: Channel, here: Here) -> None:
        self._channel = channel
        self._here = here

    def publish(self, first_seq: int, bodies: list[bytes], urgent: bool) -> None:
        """Committed events, to every edge with somebody here."""
        here = self._here
        parties = here.presence.parties()
        for frame, first, last in _runs(here.room_id, first_seq, bodies) if parties else ():
            message = Published(here.room_id, here.fence, first, last, frame, urgent)
            for party in parties:
                self._channel.post(party, message)

    def answer(self, to: Party, conn: ConnectionId, answer: Ack | Reject) -> None:
        """The answer to one command or arrival; the sidecar hears of no events but in it."""
        here = self._here
        events = self._events(answer) if is_http(to) and isinstance(answer, Ack) else []
        self._channel.post(to, Answer(here.room_id, conn, here.fence, answer, events))

    def _events(self, ack: Ack) -> list[bytes]:
        bodies = self._here.shown.ring.since(ack.first_seq - 1)
        return [] if bodies is None else bodies[: ack.seq - ack.first_seq + 1]

    def admit(self, to: Party, admitted: Admitted) -> None:
        """Let a connection in."""
        self._channel.post(to, admitted)

    def signal(self, frame: SignalDown, except_conn: ConnectionId) -> None:
        """A passing message, to everybody else."""
        self._tell(encode(frame), except_conn)

    def tune(self, now_ms: float) -> None:
        """How well those here are in tune."""
        here = self._here
        self._tell(encode(here.tune.frame(here.room_id, here.presence.users(), now_ms)), None)

    def presence(self) -> None:
        """Who came and who went since this was told last."""
        came, gone = self._here.presence.roll.news()
        frame = Presence(
            room=self._here.room_id,
            fence=self._here.fence,
            count=self._here.presence.count,
            present=came,
            gone=gone,
        )
        self._tell(encode(frame), None)

    def end(
        self, reason: LeftReason, user_id: UserId | None = None, until_ms: int | None = None
    ) -> None:
        """The room is over for one person, or for all."""
        here = self._here
        for party in here.presence.parties():
            self._channel.post(party, Ended(here.room_id, here.fence, user_id, reason, until_ms))

    def move(self, parties: Iterable[Party]) -> None:
        """This node is not the home any more: everybody asks again."""
        for party in {*parties, *self._here.presence.parties()}:
            self._channel.post(party, Moved(self._here.room_id, self._here.fence))

    def _tell(self, frame: bytes, except_conn: ConnectionId | None) -> None:
        for party in self._here.presence.parties():
            self._channel.post(
                party, Told(self._here.room_id, self._here.fence, frame, except_conn)
            )


def _runs(room_id: str, first_seq: int, bodies: list[bytes]) -> list[tuple[bytes, int, int]]:
    # A batch of at most 64 events is one frame; only a reload after an outage may need more.
    if len(bodies) <= 1 or sum(map(len, bodies)) <= 64 * 1024:
        [frame] = frames(room_id, first_seq, bodies) or [b""]
        return [(frame, first_seq, first_seq + len(bodies) - 1)] if bodies else []
    half = len(bodies) // 2
    return _runs(room_id, first_seq, bodies[:half]) + _runs(
        room_id, first_seq + half, bodies[half:]
    )
