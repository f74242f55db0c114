"""Node to node: what edges, homes and sidecars say to each other over the bus.

MessagePack arrays: fields may be added at the end with a default, readers ignore what they do not
know. The frames inside are the bytes that clients will read; nobody encodes them a second time.
"""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct

from protocol.base import AtMs, Count
from protocol.catalog import RoomCommand, RoomSignal
from protocol.frames import Ack, Have, LeftReason, Reject
from protocol.users import Person

# Names of things were checked where they came in, and what crosses a network is sealed by a node
# (roomserver/bus/seal.py). To match each with its pattern once more, at the other end of the bus,
# would be half of what it costs to decode a message; the sender's alone costs 2 µs an envelope.
RoomId: TypeAlias = str
UserId: TypeAlias = str
ConnectionId: TypeAlias = str
Lineage: TypeAlias = str

Party = Annotated[str, Meta(min_length=1, max_length=100)]
"""A place on the bus: `node:<id>` or `http:<id>`."""


class Message(Struct, frozen=True, array_like=True, tag_field="type"):
    """One thing one party tells another."""


# To a home.


class Arrive(Message, frozen=True, tag="arrive", array_like=True):
    """A connection asks to be let into a room. Answered by Admitted or Answer with a Reject."""

    room: RoomId
    conn: ConnectionId
    id: int
    person: Person
    password: str | None
    invite: str | None
    have: Have | None
    addresses: tuple[str, ...]
    """Digests of where the connection comes from; the address itself stays at its edge."""
    rtt_ms: float
    returns: bool = False
    """The edge's own wish: the connection is in the room, and has missed something."""

    def __repr__(self) -> str:
        return f"Arrive({self.room!r}, {self.conn!r}, {self.id!r}, ***)"


class Depart(Message, frozen=True, tag="depart", array_like=True):
    """A connection is gone from a room; `explicit` (a leave frame) has no grace."""

    room: RoomId
    conn: ConnectionId
    explicit: bool


class Submit(Message, frozen=True, tag="submit", array_like=True):
    """A command. `conn` is where the answer goes: a connection, or a call of the sidecar."""

    room: RoomId
    conn: ConnectionId
    person: Person
    client_id: str
    id: int
    command: RoomCommand
    addresses: tuple[str, ...] = ()
    """Of a call of the sidecar, as in Arrive: nobody let it in before."""


class SignalSent(Message, frozen=True, tag="signal_sent", array_like=True):
    """A signal of somebody present."""

    room: RoomId
    conn: ConnectionId
    person: Person
    signal: RoomSignal


class Measured(Message, frozen=True, tag="measured", array_like=True):
    """Round trips an edge measured by its own pings: how far away the people of a room are."""

    room: RoomId
    rtts_ms: dict[ConnectionId, float]


class Ping(Message, frozen=True, tag="ping", array_like=True):
    """Is a node there, and is it well? Answered by Pong."""

    conn: ConnectionId


# From a home.


class Admitted(Message, frozen=True, tag="admitted", array_like=True):
    """The connection is in: the answer to its Arrive with this `id`.

    `joined` is the frame but for its snapshot; `backlog` are `events` frames after it. Whatever
    the home publishes later has a higher seq than `seq`.
    """

    room: RoomId
    conn: ConnectionId
    id: int
    fence: Count
    lineage: Lineage
    seq: Count
    joined: bytes
    backlog: list[bytes]
    presence: bytes
    snapshot: bytes = b""
    """Belongs at the end of `joined`, which was encoded without it (empty: there is none). The
    same bytes for everybody who is let in at this `snapshot_seq`."""
    snapshot_seq: Count = 0

    def frame(self) -> bytes:
        """The whole `joined` frame."""
        return b"".join(self.frame_parts())

    def frame_parts(self) -> tuple[bytes, bytes, bytes]:
        """The newcomer's own part of the frame, the common one, and the end."""
        if not self.snapshot:
            return self.joined, b"", b""
        return self.joined[:-1] + b',"snapshot":', self.snapshot, b"}"


class Answer(Message, frozen=True, tag="answer", array_like=True):
    """Ack or refusal of a command or an arrival. An ack comes after its events were published."""

    room: RoomId
    conn: ConnectionId
    fence: Count
    answer: Ack | Reject
    events: list[bytes] = []
    """Of an ack to the sidecar: its events, if the home still has them at hand."""


class Published(Message, frozen=True, tag="published", array_like=True):
    """Committed events `first_seq`..`last_seq` as one `events` frame."""

    room: RoomId
    fence: Count
    first_seq: Count
    last_seq: Count
    frame: bytes
    urgent: bool


class Told(Message, frozen=True, tag="told", array_like=True):
    """A frame without seq (presence, signal) for everybody in the room but `except_conn`."""

    room: RoomId
    fence: Count
    frame: bytes
    except_conn: ConnectionId | None = None


class Ended(Message, frozen=True, tag="ended", array_like=True):
    """The room is over for `user_id`, or for all: drop the subscriptions, tell `left`."""

    room: RoomId
    fence: Count
    user_id: UserId | None
    reason: LeftReason
    until_ms: AtMs | None = None


class Moved(Message, frozen=True, tag="moved", array_like=True):
    """This node is not (or no longer) the home: ask again, re-send what is unanswered."""

    room: RoomId
    fence: Count


class Beacon(Message, frozen=True, tag="beacon", array_like=True):
    """Every 2 s: (room, fence, last_seq) of the rooms with somebody at that edge."""

    rooms: list[tuple[RoomId, Count, Count]]


class Pong(Message, frozen=True, tag="pong", array_like=True):
    """The answer to Ping: how a home is."""

    conn: ConnectionId
    beat_age_ms: float = 0.0
    """Since the database took its last beat."""
    standstill_ms: float = 0.0
    """How long batches have waited without any of them becoming durable."""


ToRoom = Arrive | Depart | Submit | SignalSent | Measured
ToHome = ToRoom | Ping
FromHome = Admitted | Answer | Published | Told | Ended | Moved | Beacon | Pong


class Envelope(Struct, frozen=True, array_like=True):
    """What one party sent another in one tick; `number` counts up, so that a loss shows."""

    sender: Party
    number: int
    messages: list[ToHome | FromHome]


encode_envelope = msgspec.msgpack.Encoder().encode
decode_envelope = msgspec.msgpack.Decoder(Envelope).decode
