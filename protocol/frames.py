"""The envelopes of the WebSocket: what a client sends and what a server answers.

One connection carries any number of rooms (at most 50). The first frame is `hello`, within 5 s.
"""

from typing import Annotated, Literal

from msgspec import Meta

from protocol.base import FEATURE_LEVEL, ClientFrame, Count, Entity, Password, ServerFrame
from protocol.catalog import ClientCommand, RoomEvent, RoomSignal
from protocol.errors import ErrorCode
from protocol.ids import ClientId, ConnectionId, FrameId, Lineage, RoomId, UserId
from protocol.members import Member
from protocol.snapshot import Snapshot
from protocol.tune import Listening, Spread
from protocol.users import Person

MAX_FRAME_BYTES = 32 * 1024
"""A client's frame may be this long; one byte more closes with 1009."""
HELLO_WITHIN_MS = 5_000
ROOMS_PER_CONNECTION = 50
COMMANDS_PER_SECOND = 30

Token = Annotated[str, Meta(min_length=1, max_length=4_096)]
LeftReason = Literal["left", "kicked", "banned", "closed", "replaced"]


class Have(Entity, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far the client's own copy of the room reaches."""

    lineage: Lineage
    seq: Count


class Hello(ClientFrame, frozen=True, kw_only=True, tag="hello"):
    """Who is calling: an access token, a bot token, a single-use ticket, or neither (same-origin
    cookie)."""

    client_id: ClientId
    token: Token | None = None
    ticket: Token | None = None

    def __repr__(self) -> str:
        return f"Hello(client_id={self.client_id!r}, ***)"


class Join(ClientFrame, frozen=True, kw_only=True, tag="join"):
    """Come into a room; with `have`, go on where an earlier connection broke off.

    The right `password` gives a durable place, which needs none from then on.
    Rejects: room_not_found, room_closed, room_password, banned, too_many_rooms, scope_missing,
    rate_limited, unavailable.
    """

    id: FrameId
    room: RoomId
    password: Password | None = None
    invite: Annotated[str, Meta(max_length=64)] | None = None
    have: Have | None = None

    def __repr__(self) -> str:
        return f"Join(room={self.room!r}, ***)"


class Cmd(ClientFrame, frozen=True, kw_only=True, tag="cmd"):
    """A command to a joined room. Answered by one ack or reject with the same id."""

    id: FrameId
    room: RoomId
    cmd: ClientCommand


class Leave(ClientFrame, frozen=True, kw_only=True, tag="leave"):
    """Leave a room at once, without the grace that a lost connection has."""

    id: FrameId
    room: RoomId


class SignalUp(ClientFrame, frozen=True, kw_only=True, tag="signal"):
    """A passing message to a joined room; not answered."""

    room: RoomId
    signal: RoomSignal


class Probe(ClientFrame, frozen=True, kw_only=True, tag="probe"):
    """A clock probe: `t0` is the client's own clock in ms, given back as it is."""

    t0: float


class Welcome(ServerFrame, frozen=True, kw_only=True, tag="welcome", omit_defaults=False):
    """The hello was accepted."""

    user: Person
    conn_id: ConnectionId
    feature_level: int = FEATURE_LEVEL
    now_ms: float
    """Cluster time when this was sent."""


class Resumed(Entity, frozen=True, kw_only=True):
    """The client's copy is good; the events from `from_seq` on follow."""

    lineage: Lineage
    from_seq: Count


class Joined(ServerFrame, frozen=True, kw_only=True, tag="joined"):
    """The door is open: either a snapshot, or the news that the client's copy goes on."""

    id: FrameId
    room: RoomId
    you: Member
    snapshot: Snapshot | None = None
    resumed: Resumed | None = None


class Ack(ServerFrame, frozen=True, kw_only=True, tag="ack"):
    """The command is durable; its events are `first_seq`..`seq` (none: `first_seq` = `seq` + 1)."""

    id: FrameId
    first_seq: Count
    seq: Count


class Reject(ServerFrame, frozen=True, kw_only=True, tag="reject"):
    """The command or join was refused and changed nothing."""

    id: FrameId
    code: ErrorCode
    temporary: bool
    message: str = ""
    retry_after_ms: Count | None = None
    details: dict[str, str | int] = {}


class Events(ServerFrame, frozen=True, kw_only=True, tag="events"):
    """A gapless run of a room's log: `events[0]` has seq `first_seq`."""

    room: RoomId
    first_seq: Count
    events: list[RoomEvent]


class Left(ServerFrame, frozen=True, kw_only=True, tag="left"):
    """This connection is no longer in the room."""

    room: RoomId
    reason: LeftReason
    until_ms: Count | None = None
    code: ErrorCode | None = None
    """What the door says to who was in the room and is not let in again: `room_password` if there
    is one now, `room_not_found` if it is private now; `reason` is `kicked` then. Since level 2."""


class SignalDown(ServerFrame, frozen=True, kw_only=True, tag="signal", rename={"from_": "from"}):
    """A passing message of somebody in the room."""

    room: RoomId
    from_: UserId
    signal: RoomSignal


class Probed(ServerFrame, frozen=True, kw_only=True, tag="probed"):
    """The answer to a probe: `t1` received, `t2` sent, both cluster time in ms."""

    t0: float
    t1: float
    t2: float


class Presence(ServerFrame, frozen=True, kw_only=True, tag="presence"):
    """Who came and who went, and how many are here. The first one after `joined` tells all present.

    Where more than 200 are here, everybody is told the same 200 names and is told of those alone.
    """

    room: RoomId
    fence: Count
    count: Count
    """How many people are here now."""
    present: list[Person] = []
    gone: list[UserId] = []


class Tune(ServerFrame, frozen=True, kw_only=True, tag="tune"):
    """How well those here are in tune, every few seconds while clients report it. Since level 2."""

    room: RoomId
    listeners: list[Listening] = []
    """Each of them, where at most 100 report."""
    spread: Spread | None = None
    """Where more do: how many are how far off."""


class Reconnect(ServerFrame, frozen=True, kw_only=True, tag="reconnect"):
    """Come back after `after_ms`, to any node."""

    after_ms: Count


class Error(ServerFrame, frozen=True, kw_only=True, tag="error"):
    """A frame that could not be understood or served; the connection may go on."""

    code: ErrorCode
    message: str = ""
    id: FrameId | None = None
    retry_after_ms: Count | None = None


AnyClientFrame = Hello | Join | Cmd | Leave | SignalUp | Probe
AnyServerFrame = (
    Welcome
    | Joined
    | Ack
    | Reject
    | Events
    | Left
    | SignalDown
    | Probed
    | Presence
    | Tune
    | Reconnect
    | Error
)
