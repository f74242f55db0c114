"""Node to node: what edges, homes and sidecars say to each other over the bus.

MessagePack arrays: fields may be added at the end with a default, readers ignore what they do not
know. The frames inside are the bytes that clients will read; nobody encodes them a second time.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from protocol.base import AtMs, Count
from protocol.catalog import RoomCommand, RoomSignal
from protocol.frames import Ack, Have, LeftReason, Reject
from protocol.ids import ConnectionId, Lineage, RoomId, UserId
from protocol.users import Person

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
    address: str
    rtt_ms: float


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


# From a home.


class Admitted(Message, frozen=True, tag="admitted", array_like=True):
    """The connection is in: the answer to its Arrive with this `id`.

    `joined` is the whole frame; `backlog` are `events` frames after it. Whatever the home
    publishes later has a higher seq than `seq`.
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


class Answer(Message, frozen=True, tag="answer", array_like=True):
    """Ack or refusal of a command or an arrival. An ack comes after its events were published."""

    room: RoomId
    conn: ConnectionId
    fence: Count
    answer: Ack | Reject


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


ToHome = Arrive | Depart | Submit | SignalSent | Measured
FromHome = Admitted | Answer | Published | Told | Ended | Moved | Beacon


class Envelope(Struct, frozen=True, array_like=True):
    """What one party sent another in one tick; `number` counts up, so that a loss shows."""

    sender: Party
    number: int
    messages: list[ToHome | FromHome]


encode_envelope = msgspec.msgpack.Encoder().encode
decode_envelope = msgspec.msgpack.Decoder(Envelope).decode
