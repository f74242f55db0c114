"""A client without I/O: frames in, (frames to send, what happened) out.

It holds a copy of each room it joined, folds events into it, finds gaps, sends again what was not
answered or refused for the time being, and knows what a close means and when to come back. It has
no socket, no task, no clock and no chance: `now_ms` comes in with each call and is the driver's
own monotonic clock. `protocol/bot.py` drives it with asyncio.

A driver calls `connected` when a socket is open, `receive` for each message, `tick` when
`next_tick_ms` has come, and `disconnected` when the socket is gone.
"""

from typing import Final, NamedTuple

import msgspec

from protocol.catalog import ClientCommand, RoomSignal
from protocol.client_backoff import Backoff
from protocol.client_clock import ClientClock, next_probe_ms
from protocol.client_outbox import TRIED_AGAIN, Outbox
from protocol.client_room import Came, Resynced, RoomCopy, Went
from protocol.close_codes import CLOSE_CODES, CloseAdvice, CloseCode
from protocol.encodings import JSON, Encoding
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
    Reconnect,
    Reject,
    SignalUp,
    Welcome,
)
from protocol.ids import FrameId, RoomId
from protocol.users import Person

REJOIN_AFTER_MS: Final = 1_000
"""How long to wait after a temporary refusal to come in that names no time."""
PATIENCE_MS: Final = 60_000
"""For so long what is refused for the time being is tried again, unless told otherwise."""


class JoinRefused(NamedTuple):
    """A room does not let us in, or not in again. Its copy is gone."""

    room: RoomId
    refusal: Reject


class Missed(NamedTuple):
    """A room went on without us: a snapshot came instead of events."""

    room: RoomId
    what: Resynced


class Moved(NamedTuple):
    """People came to a room or went; nobody told by name where only the count changed."""

    room: RoomId
    who: list[Came | Went]


Happening = AnyServerFrame | JoinRefused | Missed | Moved
"""What a driver is told: server frames (`events` only with what is new), and what follows."""


class Turn(NamedTuple):
    """What follows from a call."""

    send: list[AnyClientFrame]
    happened: list[Happening]
    renew: bool = False
    """The driver closes this connection and opens another at once."""


class Verdict(NamedTuple):
    """What to do after a close."""

    reconnect: bool
    wait_ms: float
    """Do not come back before."""
    advice: CloseAdvice


class Client:
    """One client, over as many connections as it takes."""

    def __init__(
        self,
        client_id: str,
        *,
        first_id: FrameId = 1,
        patience_ms: float = PATIENCE_MS,
        encoding: Encoding = JSON,
    ) -> None:
        """`client_id` is its own random name; with the login's user it names its commands.

        `first_id` must be above every id that this client_id has used before: a number that was
        used names a command that was done. `encoding` is how the messages of its connections are
        spelt: the driver asks for that subprotocol.
        """
        self.client_id = client_id
        self.encoding = encoding
        self.clock = ClientClock()
        self.user: Person | None = None
        self.rooms: dict[RoomId, RoomCopy] = {}
        self._patience_ms = patience_ms
        self._welcome = False
        self._last_id = first_id - 1
        self._outbox = Outbox()
        self._backoff = Backoff()
        self._joins: dict[FrameId, RoomId] = {}
        self._leaving: list[RoomId] = []
        self._rejoin_at_ms: dict[RoomId, float] = {}
        self._fast_since_ms = 0.0
        self._probe_at_ms = 0.0
        self._renew_at_ms: float | None = None
        self._is_renewing = False
        self._wait_ms = 0
        self._credentials_failed = False

    @property
    def welcome(self) -> bool:
        """Whether a server has taken us in and the connection stands."""
        return self._welcome

    @property
    def unanswered(self) -> list[FrameId]:
        """Commands without ack or reject, in the order they were given."""
        return self._outbox.unanswered

    def connected(self, token: str | None = None, ticket: str | None = None) -> Turn:
        """A socket is open: say hello."""
        self._wait_ms = 0
        return Turn([Hello(client_id=self.client_id, token=token, ticket=ticket)], [])

    def disconnected(
        self, code: int, now_ms: float, chance: float, *, wait_ms: float = 0
    ) -> Verdict:
        """The socket is gone, with this close code (1006 if there was none).

        `chance` is a random number in 0..1; `wait_ms` is what a refused handshake asked for.
        """
        was_welcome, self._welcome = self._welcome, False
        was_renewing, self._is_renewing = self._is_renewing, False
        self._renew_at_ms = None
        self._joins.clear()
        self._leaving.clear()
        self._rejoin_at_ms.clear()
        for copy in self.rooms.values():
            copy.here = copy.asked = False
        self._outbox.lost()
        known = CloseCode(code) if code in list(CloseCode) else CloseCode.ABNORMAL
        advice = CLOSE_CODES[known]
        # Fresh credentials that are refused as well will not get better.
        refused_twice = advice.new_credentials and self._credentials_failed and not was_welcome
        self._credentials_failed = advice.new_credentials
        jitter_ms = self._backoff.lost(known, now_ms, chance)
        wait_ms = 0 if was_renewing else max(wait_ms, self._wait_ms) + jitter_ms
        return Verdict(advice.reconnect and not refused_twice, wait_ms, advice)

    def join(
        self,
        room: RoomId,
        now_ms: float,
        *,
        password: str | None = None,
        invite: str | None = None,
        patience_ms: float | None = None,
    ) -> Turn:
        """Come into a room and stay, over reconnects, until `leave`."""
        copy = self.rooms.setdefault(room, RoomCopy(room))
        copy.password, copy.invite = password, invite
        copy.give_up_at_ms = self._give_up_at_ms(now_ms, patience_ms)
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
        self,
        room: RoomId,
        command: ClientCommand,
        now_ms: float,
        *,
        patience_ms: float | None = None,
    ) -> tuple[FrameId, Turn]:
        """Give a command; it is kept, with its id, until it is answered.

        It goes out once we are in the room; a room that was not joined refuses it right here.
        Refused for the time being (`rate_limited`, `unavailable`), it is tried again as long as
        `patience_ms` from now reach.
        """
        frame = Cmd(id=self._next_id(), room=room, cmd=command)
        self._outbox.give(frame, self._give_up_at_ms(now_ms, patience_ms))
        copy = self.rooms.get(room)
        if copy is None:
            return frame.id, Turn([], self._drop_unsent(ErrorCode.NOT_MEMBER, room))
        here = self._welcome and copy.here
        return frame.id, Turn([*self._outbox.send(room, now_ms)] if here else [], [])

    def forget(self, frame_id: FrameId) -> None:
        """Nobody waits for a command any more: it is not sent again, but may have been done."""
        self._outbox.take(frame_id)

    def signal(self, room: RoomId, signal: RoomSignal) -> Turn:
        """Send a passing message; lost if we are not in the room just now."""
        copy = self.rooms.get(room)
        here = self._welcome and copy is not None and copy.here
        return Turn([SignalUp(room=room, signal=signal)] if here else [], [])

    def next_tick_ms(self) -> float | None:
        """When `tick` has something to do; None while nobody welcomed us."""
        if not self._welcome:
            return None
        here = [copy.room for copy in self.rooms.values() if copy.here]
        again_at_ms = self._outbox.next_due_ms(here)
        due = [self._probe_at_ms, again_at_ms, self._renew_at_ms, *self._rejoin_at_ms.values()]
        return min(at_ms for at_ms in due if at_ms is not None)

    def tick(self, now_ms: float) -> Turn:
        """Do what is due: a clock probe, another try of a room or a command, a new connection."""
        send: list[AnyClientFrame] = []
        if not self._welcome:
            return Turn(send, [])
        if self._renew_at_ms is not None and now_ms >= self._renew_at_ms:
            self._is_renewing, self._renew_at_ms = True, None
            return Turn(send, [], renew=True)
        if now_ms >= self._probe_at_ms:
            self._probe_at_ms = now_ms + next_probe_ms(now_ms - self._fast_since_ms)
            send.append(Probe(t0=now_ms))
        for room in [room for room, at_ms in self._rejoin_at_ms.items() if now_ms >= at_ms]:
            del self._rejoin_at_ms[room]
            if room in self.rooms:
                send += self._ask_in(self.rooms[room])
        for copy in self.rooms.values():
            if copy.here:
                send += self._outbox.send(copy.room, now_ms)
        return Turn(send, [])

    def receive(self, data: bytes | str, now_ms: float) -> Turn:
        """Take in one message. What this client does not know is passed over."""
        try:
            frame: AnyServerFrame | None = self.encoding.decode_server_frame(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            frame = RoomCopy.decode_leniently(data, self.encoding)
        match frame:
            case Welcome():
                return self._welcomed(frame, now_ms)
            case Joined():
                return self._joined(frame, now_ms)
            case Events():
                return self._events(frame)
            case Ack():
                return Turn([], [frame] if self._outbox.take(frame.id) else [])
            case Reject():
                return self._refused(frame, now_ms)
            case Error():
                return self._error(frame, now_ms)
            case Left():
                return self._put_out(frame)
            case Presence():
                copy = self.rooms.get(frame.room)
                who = copy.presence(frame) if copy else None
                return Turn([], [] if who is None else [Moved(frame.room, who)])
            case Probed():
                self.clock.add(frame.t0, frame.t1, frame.t2, now_ms)
                return Turn([], [])
            case Reconnect():
                self._renew_at_ms = now_ms + frame.after_ms
                return Turn([], [])
            case None:
                return Turn([], [])
        return Turn([], [frame])

    def _next_id(self) -> FrameId:
        self._last_id += 1
        return self._last_id

    def _give_up_at_ms(self, now_ms: float, patience_ms: float | None) -> float:
        return now_ms + (self._patience_ms if patience_ms is None else patience_ms)

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
        self._credentials_failed = False
        self._backoff.welcomed(now_ms)
        self.user = frame.user
        self.clock.begin(frame.now_ms, now_ms)
        self._fast_since_ms = self._probe_at_ms = now_ms
        send = [join for copy in self.rooms.values() for join in self._ask_in(copy)]
        gone = self._outbox.rooms - set(self.rooms)
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
        missed: list[Happening] = [Missed(copy.room, copy.resynced)] if copy.resynced else []
        # In the order they were given; the ones behind a lost one never overtake it.
        return Turn([*self._outbox.send(copy.room, now_ms)], [frame, *missed])

    def _events(self, frame: Events) -> Turn:
        copy = self.rooms.get(frame.room)
        if copy is None:
            return Turn([], [])
        new = copy.fold(frame)
        if new is None:
            return Turn([] if copy.asked else self._ask_in(copy), [])
        return Turn([], [new] if new.events else [])

    def _put_out(self, frame: Left) -> Turn:
        if frame.room in self._leaving:
            # Our own leaving; we may have joined again since.
            self._leaving.remove(frame.room)
            return Turn([], [])
        self.rooms.pop(frame.room, None)
        return Turn([], [frame, *self._drop_unsent(ErrorCode.NOT_MEMBER, frame.room)])

    def _refused(self, frame: Reject, now_ms: float) -> Turn:
        if frame.id in self._outbox:
            return Turn([], [frame] if self._outbox.refused(frame, now_ms) else [])
        room = self._joins.pop(frame.id, None)
        copy = self.rooms.get(room) if room else None
        if room is None or copy is None:
            return Turn([], [])
        copy.asked = False
        try_at_ms = now_ms + (frame.retry_after_ms or REJOIN_AFTER_MS)
        # Whoever has been in comes back, however long it takes.
        in_time = frame.code in TRIED_AGAIN and try_at_ms <= copy.give_up_at_ms
        if in_time or (frame.temporary and copy.was_in):
            self._rejoin_at_ms[room] = try_at_ms
            return Turn([], [])
        del self.rooms[room]
        return Turn([], [JoinRefused(room, frame), *self._drop_unsent(frame.code, room)])

    def _error(self, frame: Error, now_ms: float) -> Turn:
        self._wait_ms = frame.retry_after_ms or self._wait_ms
        if frame.id is None or not (frame.id in self._outbox or frame.id in self._joins):
            return Turn([], [frame])
        refusal = Reject(
            id=frame.id,
            code=frame.code,
            temporary=ERRORS[frame.code].temporary,
            message=frame.message,
            retry_after_ms=frame.retry_after_ms,
        )
        return self._refused(refusal, now_ms)

    def _drop_unsent(self, code: ErrorCode, *rooms: RoomId) -> list[Happening]:
        """Give up what waits to be sent to rooms that we are not in any more."""
        kind = ERRORS[code]
        return [
            Reject(id=frame_id, code=code, temporary=kind.temporary, message=kind.title)
            for frame_id in self._outbox.drop_unsent(rooms)
        ]
