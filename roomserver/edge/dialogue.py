"""What one connection says and hears: hello first, then rooms, commands, signals, probes."""

from typing import TYPE_CHECKING, Final

from protocol import cluster, frames
from protocol.close_codes import CloseCode
from protocol.errors import ErrorCode, Rejected
from protocol.frames import AnyClientFrame
from protocol.ids import FrameId, RoomId
from protocol.tokens import require_scope, scope_of
from roomserver.edge.allowance import Allowance
from roomserver.edge.ports import Caller
from roomserver.runtime.clock import monotonic_ns

if TYPE_CHECKING:
    from roomserver.edge.connection import Connection
    from roomserver.edge.edge import Edge

HELD_BACK: Final = 32
"""Frames that may wait for the answer to hello."""


class Dialogue:
    """The state of one conversation."""

    __slots__ = (
        "_allowance", "_client_id", "_connection", "_edge", "_greeted", "_held", "_joining",
        "_strikes", "caller", "rooms",
    )  # fmt: skip

    def __init__(self, edge: "Edge", connection: "Connection") -> None:
        self._edge = edge
        self._connection = connection
        self.caller: Caller | None = None
        self.rooms: set[RoomId] = set()
        self._joining: set[RoomId] = set()
        self._client_id = ""
        self._greeted = False
        self._held: list[AnyClientFrame] = []
        self._strikes = 0
        self._allowance = Allowance(edge)

    def receive(self, data: bytes) -> None:
        """One message."""
        received_ns = monotonic_ns()
        try:
            frame = self._connection.encoding.decode_client_frame(data)
        except Rejected as refusal:
            self._misspoken(data, refusal)
            return
        if isinstance(frame, frames.Probe):
            if self.caller is not None:
                clock = self._edge.clock
                t1, t2 = clock.at_ms(received_ns), clock.now_ms()
                self._connection.send(frames.Probed(t0=frame.t0, t1=t1, t2=t2))
        elif self.caller is not None:
            self._act(frame)
        elif isinstance(frame, frames.Hello) and not self._greeted:
            self._greeted = True
            self._edge.authenticate(self._connection, frame)
        elif self._greeted and len(self._held) < HELD_BACK:
            self._held.append(frame)
        else:
            self._connection.end(CloseCode.POLICY_VIOLATION, "hello comes first")

    def welcome(self, caller: Caller, client_id: str) -> None:
        """The hello was accepted: answer it, then whatever was said meanwhile."""
        self.caller = caller
        self._client_id = client_id
        self._connection.send(
            frames.Welcome(
                user=caller.person,
                conn_id=self._connection.conn_id,
                now_ms=self._edge.clock.now_ms(),
            )
        )
        held, self._held = self._held, []
        for frame in held:
            self._act(frame)

    def joined(self, room_id: RoomId) -> None:
        """The home let us in."""
        self._joining.discard(room_id)
        self.rooms.add(room_id)

    def wants(self, room_id: RoomId) -> bool:
        """Whether we are in that room or on the way into it."""
        return room_id in self.rooms or room_id in self._joining

    def refused(self, room_id: RoomId) -> None:
        """We are not on the way into that room any more."""
        self._joining.discard(room_id)
        self._edge.hub.free_place(self._connection, room_id)

    def left(self, room_id: RoomId) -> None:
        """We are no longer in that room, nor on the way into it."""
        self.rooms.discard(room_id)
        self._joining.discard(room_id)
        self._edge.router.forget_arrivals(self._connection.conn_id, room_id)

    def refuse(self, frame_id: FrameId, refusal: Rejected) -> None:
        """Answer a command or join with no."""
        self._connection.send(
            frames.Reject(
                id=frame_id,
                code=refusal.code,
                temporary=refusal.kind.temporary,
                message=str(refusal),
                retry_after_ms=refusal.retry_after_ms,
                details=refusal.details,
            )
        )

    def close(self) -> None:
        """The connection is gone: so are its places, after the grace that homes give."""
        self.depart(explicit=False)
        del self._connection

    def depart(self, *, explicit: bool) -> None:
        """Give up all places, if `explicit` at once."""
        for room_id in self.rooms | self._joining:
            self._edge.hub.leave(self._connection, room_id)
            self._edge.router.post(cluster.Depart(room_id, self._connection.conn_id, explicit))
        self.rooms.clear()
        self._joining.clear()

    def _misspoken(self, data: bytes, refusal: Rejected) -> None:
        encoding = self._connection.encoding
        if not encoding.is_binary:
            try:
                data.decode()
            except UnicodeDecodeError:
                self._connection.end(CloseCode.INVALID_DATA, "text that is not UTF-8")
                return
        self._strikes += 1
        self._connection.send(
            frames.Error(
                code=refusal.code,
                message=str(refusal),
                id=encoding.salvage_id(data),
            )
        )
        if self._strikes >= self._edge.pace.strikes:
            self._connection.end(CloseCode.POLICY_VIOLATION, "malformed frames")

    def _act(self, frame: AnyClientFrame) -> None:
        match frame:
            case frames.Cmd():
                self._command(frame)
            case frames.SignalUp():
                self._signal(frame)
            case frames.Join():
                self._join(frame)
            case frames.Leave():
                self._leave(frame)
            case _:
                self._connection.send(
                    frames.Error(code=ErrorCode.BAD_REQUEST, message="You said hello before.")
                )

    def _command(self, frame: frames.Cmd) -> None:
        assert self.caller is not None
        person = self.caller.person
        try:
            if frame.room not in self.rooms:
                raise Rejected(ErrorCode.NOT_MEMBER)
            # People, who have no scopes but all, are not asked which one it takes.
            if self.caller.scopes is not None:
                require_scope(self.caller.scopes, scope_of(type(frame.cmd)))
            self._allowance.command(person.user_id, frame.cmd)
        except Rejected as refusal:
            self.refuse(frame.id, refusal)
            return
        self._edge.router.ask(
            cluster.Submit(
                frame.room, self._connection.conn_id, person, self._client_id, frame.id, frame.cmd
            )
        )

    def _join(self, frame: frames.Join) -> None:
        assert self.caller is not None
        here = self.rooms | self._joining
        most = frames.ROOMS_PER_CONNECTION
        try:
            if frame.room not in here and len(here) >= most:
                raise Rejected(ErrorCode.TOO_MANY_ROOMS, limit=most)
            require_scope(self.caller.scopes, "read")
            self._allowance.join(
                self.caller.person.user_id, says_password=frame.password is not None
            )
            if frame.room not in here:
                self._edge.hub.take_place(self._connection, frame.room)
        except Rejected as refusal:
            self.refuse(frame.id, refusal)
            return
        self._joining.add(frame.room)
        self._edge.router.ask(
            cluster.Arrive(
                frame.room,
                self._connection.conn_id,
                frame.id,
                self.caller.person,
                frame.password,
                frame.invite,
                frame.have,
                self._edge.digests(self._connection.address),
                self._connection.rtt_ms or 0.0,
            )
        )

    def _leave(self, frame: frames.Leave) -> None:
        if frame.room in self.rooms or frame.room in self._joining:
            self.left(frame.room)
            self._edge.hub.leave(self._connection, frame.room)
            self._edge.router.post(cluster.Depart(frame.room, self._connection.conn_id, True))
        self._connection.send(frames.Left(room=frame.room, reason="left"))

    def _signal(self, frame: frames.SignalUp) -> None:
        assert self.caller is not None
        if frame.room in self.rooms and self._allowance.signal():
            self._edge.router.post(
                cluster.SignalSent(
                    frame.room, self._connection.conn_id, self.caller.person, frame.signal
                )
            )
