"""A client without I/O: frames in, (frames to send, what happened) out.

It holds a copy of each room it joined, folds events into it, finds gaps, sends again what was not
answered, and knows what a close means. It has no socket, no task and no clock: `now_ms` comes in
with each call and is the driver's own monotonic clock. `protocol/bot.py` drives it with asyncio.

A driver calls `connected` when a socket is open, `receive` for each message, `tick` when
`next_tick_ms` has come, and `disconnected` when the socket is gone.
"""

from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from protocol.catalog import ClientCommand, RoomSignal
from protocol.client_clock import ClientClock, next_probe_ms
from protocol.client_room import RoomCopy
from protocol.close_codes import CLOSE_CODES, CloseAdvice, CloseCode
from protocol.codec import decode_server_frame
from protocol.errors import ERRORS, ErrorCode
from protocol.frames import (
    Ack,
    AnyClientFrame,
    AnyServerFrame,
    Cmd,
    Error,
    Events,
    Hello,
    Join,
    Joined,
    Leave,
    Left,
    Presence,
    Probe,
    Probed,
    Reject,
    SignalUp,
    Welcome,
)
from protocol.ids import FrameId, RoomId
from protocol.users import Person

REJOIN_AFTER_MS: Final = 1_000
"""How long to wait after a temporary refusal to come back that names no time."""


class JoinRefused(NamedTuple):
    """A room does not let us in, or not in again. Its copy is gone."""

    room: RoomId
    refusal: Reject


Happening = AnyServerFrame | JoinRefused
"""What a driver is told: server frames (`events` only with what is new), and refused joins."""


class Turn(NamedTuple):
    """What follows from a call."""

    send: list[AnyClientFrame]
    happened: list[Happening]


class Verdict(NamedTuple):
    """What to do after a close."""

    advice: CloseAdvice
    wait_ms: int
    """Do not come back before."""


class _Said(Struct):
    """A command that has not been answered."""

    frame: Cmd
    sent: bool


class Client:
    """One client, over as many connections as it takes."""

    def __init__(self, client_id: str) -> None:
        """`client_id` is its own random name; with the login's user it names its commands."""
        self.client_id = client_id
        self.clock = ClientClock()
        self.user: Person | None = None
        self.rooms: dict[RoomId, RoomCopy] = {}
        self._welcome = False
        self._last_id = 0
        self._unanswered: dict[FrameId, _Said] = {}
        self._joins: dict[FrameId, RoomId] = {}
        self._leaving: list[RoomId] = []
        self._rejoin_at_ms: dict[RoomId, float] = {}
        self._fast_since_ms = 0.0
        self._probe_at_ms = 0.0
        self._wait_ms = 0

    @property
    def unanswered(self) -> list[FrameId]:
        """Commands without ack or reject, in the order they were given."""
        return list(self._unanswered)

    def connected(self, token: str | None = None, ticket: str | None = None) -> Turn:
        """A socket is open: say hello."""
        self._wait_ms = 0
        return Turn([Hello(client_id=self.client_id, token=token, ticket=ticket)], [])

    def disconnected(self, code: int) -> Verdict:
        """The socket is gone, with this close code (1006 if there was none)."""
        self._welcome = False
        self._joins.clear()
        self._leaving.clear()
        self._rejoin_at_ms.clear()
        for copy in self.rooms.values():
            copy.here = copy.asked = False
        for said in self._unanswered.values():
            said.sent = False
        known = code in list(CloseCode)
        advice = CLOSE_CODES[CloseCode(code if known else CloseCode.ABNORMAL)]
        return Verdict(advice, self._wait_ms)

    def join(self, room: RoomId, *, password: str | None = None, invite: str | None = None) -> Turn:
        """Come into a room and stay, over reconnects, until `leave`."""
        copy = self.rooms.setdefault(room, RoomCopy(room))
        copy.password, copy.invite = password, invite
        return Turn(self._ask_in(copy) if self._welcome else [], [])

    def leave(self, room: RoomId) -> Turn:
        """Go, and forget the copy. What was not answered yet is not sent again."""
        if self.rooms.pop(room, None) is None:
            return Turn([], [])
        send: list[AnyClientFrame] = []
        if self._welcome:
            self._leaving.append(room)
            send.append(Leave(id=self._next_id(), room=room))
        return Turn(send, self._drop_unsent(ErrorCode.NOT_MEMBER, room))

    def command(
        self, room: RoomId, command: ClientCommand, *, again: FrameId | None = None
    ) -> tuple[FrameId, Turn]:
        """Give a command; it is kept, with its id, until it is answered.

        It goes out once we are in the room; a room that was not joined refuses it right here.
        `again`: the id under which it was refused for the time being. What was sent again after a
        reconnect may have been carried out before: under its id it happens once all the same.
        """
        said = _Said(Cmd(id=again or self._next_id(), room=room, cmd=command), sent=False)
        self._unanswered[said.frame.id] = said
        copy = self.rooms.get(room)
        if copy is None:
            return said.frame.id, Turn([], [self._drop(said.frame.id, ErrorCode.NOT_MEMBER)])
        if not (self._welcome and copy.here):
            return said.frame.id, Turn([], [])
        said.sent = True
        return said.frame.id, Turn([said.frame], [])

    def signal(self, room: RoomId, signal: RoomSignal) -> Turn:
        """Send a passing message; lost if we are not in the room just now."""
        copy = self.rooms.get(room)
        here = self._welcome and copy is not None and copy.here
        return Turn([SignalUp(room=room, signal=signal)] if here else [], [])

    def next_tick_ms(self) -> float | None:
        """When `tick` has something to do; None while nobody welcomed us."""
        if not self._welcome:
            return None
        return min([self._probe_at_ms, *self._rejoin_at_ms.values()])

    def tick(self, now_ms: float) -> Turn:
        """Do what is due: a clock probe, another try to come into a room."""
        send: list[AnyClientFrame] = []
        if not self._welcome:
            return Turn(send, [])
        if now_ms >= self._probe_at_ms:
            self._probe_at_ms = now_ms + next_probe_ms(now_ms - self._fast_since_ms)
            send.append(Probe(t0=now_ms))
        for room in [room for room, at_ms in self._rejoin_at_ms.items() if now_ms >= at_ms]:
            del self._rejoin_at_ms[room]
            if room in self.rooms:
                send += self._ask_in(self.rooms[room])
        return Turn(send, [])

    def receive(self, data: bytes | str, now_ms: float) -> Turn:
        """Take in one message. What this client does not know is passed over."""
        try:
            frame = decode_server_frame(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            frame = RoomCopy.decode_leniently(data)
        match frame:
            case Welcome():
                return self._welcomed(frame, now_ms)
            case Joined():
                return self._joined(frame, now_ms)
            case Events():
                return self._events(frame)
            case Ack():
                return Turn([], [frame] if self._unanswered.pop(frame.id, None) else [])
            case Reject():
                return self._refused(frame, now_ms)
            case Error():
                return self._error(frame, now_ms)
            case Left():
                if frame.room in self._leaving:
                    # Our own leaving; we may have joined again since.
                    self._leaving.remove(frame.room)
                    return Turn([], [])
                self.rooms.pop(frame.room, None)
                return Turn([], [frame, *self._drop_unsent(ErrorCode.NOT_MEMBER, frame.room)])
            case Presence():
                copy = self.rooms.get(frame.room)
                return Turn([], [frame] if copy and copy.presence(frame) else [])
            case Probed():
                self.clock.add(frame.t0, frame.t1, frame.t2, now_ms)
                return Turn([], [])
            case None:
                return Turn([], [])
        return Turn([], [frame])

    def _next_id(self) -> FrameId:
        self._last_id += 1
        return self._last_id

    def _ask_in(self, copy: RoomCopy) -> list[AnyClientFrame]:
        copy.asked = True
        join = Join(
            id=self._next_id(),
            room=copy.room,
            password=copy.password,
            invite=copy.invite,
            have=copy.have,
        )
        self._joins[join.id] = copy.room
        return [join]

    def _welcomed(self, frame: Welcome, now_ms: float) -> Turn:
        self._welcome = True
        self.user = frame.user
        self.clock.begin(frame.now_ms, now_ms)
        self._fast_since_ms = self._probe_at_ms = now_ms
        send = [join for copy in self.rooms.values() for join in self._ask_in(copy)]
        gone = {said.frame.room for said in self._unanswered.values()} - set(self.rooms)
        return Turn(send, [frame, *self._drop_unsent(ErrorCode.NOT_MEMBER, *gone)])

    def _joined(self, frame: Joined, now_ms: float) -> Turn:
        self._joins.pop(frame.id, None)
        copy = self.rooms.get(frame.room)
        if copy is None:
            return Turn([], [])
        copy.asked = False
        if not copy.joined(frame):
            return Turn(self._ask_in(copy), [])
        self._fast_since_ms = self._probe_at_ms = now_ms
        # In the order they were given; the ones behind a lost one never overtake it.
        waiting = [
            said
            for said in self._unanswered.values()
            if said.frame.room == frame.room and not said.sent
        ]
        for said in waiting:
            said.sent = True
        return Turn([said.frame for said in waiting], [frame])

    def _events(self, frame: Events) -> Turn:
        copy = self.rooms.get(frame.room)
        if copy is None:
            return Turn([], [])
        new = copy.fold(frame)
        if new is None:
            return Turn([] if copy.asked else self._ask_in(copy), [])
        return Turn([], [new] if new.events else [])

    def _refused(self, frame: Reject, now_ms: float) -> Turn:
        if self._unanswered.pop(frame.id, None):
            return Turn([], [frame])
        room = self._joins.pop(frame.id, None)
        copy = self.rooms.get(room) if room else None
        if room is None or copy is None:
            return Turn([], [])
        copy.asked = False
        if frame.temporary and copy.snapshot is not None:
            self._rejoin_at_ms[room] = now_ms + (frame.retry_after_ms or REJOIN_AFTER_MS)
            return Turn([], [])
        del self.rooms[room]
        return Turn([], [JoinRefused(room, frame), *self._drop_unsent(frame.code, room)])

    def _error(self, frame: Error, now_ms: float) -> Turn:
        self._wait_ms = frame.retry_after_ms or self._wait_ms
        if frame.id is None:
            return Turn([], [frame])
        refusal = Reject(
            id=frame.id,
            code=frame.code,
            temporary=ERRORS[frame.code].temporary,
            message=frame.message,
            retry_after_ms=frame.retry_after_ms,
        )
        if frame.id in self._unanswered or frame.id in self._joins:
            return self._refused(refusal, now_ms)
        return Turn([], [frame])

    def _drop_unsent(self, code: ErrorCode, *rooms: RoomId) -> list[Happening]:
        """Give up what waits to be sent to rooms that we are not in any more."""
        lost = [
            frame_id
            for frame_id, said in self._unanswered.items()
            if said.frame.room in rooms and not said.sent
        ]
        return [self._drop(frame_id, code) for frame_id in lost]

    def _drop(self, frame_id: FrameId, code: ErrorCode) -> Reject:
        """Give up a command that cannot be sent again: whether it was done stays unknown."""
        del self._unanswered[frame_id]
        kind = ERRORS[code]
        return Reject(id=frame_id, code=code, temporary=kind.temporary, message=kind.title)
