"""What one run of a room produced: rows for the database, and what leaves the room after them."""

from collections.abc import Callable
from enum import Enum, auto

from msgspec import Struct

from protocol.catalog import URGENT_EVENTS
from protocol.cluster import Arrive, Party
from protocol.codec import encode
from protocol.frames import Ack, Reject
from protocol.ids import ConnectionId, RoomId
from protocol.queue import Entry
from roomserver.home.projections import Projections
from roomserver.home.recent import Done, Key
from roomserver.room.private import encode_private
from roomserver.room.state import Step


class Outcome(Enum):
    """What became of a batch."""

    COMMITTED = auto()
    FENCED = auto()
    """Another node is the home; nothing was written."""
    REFUSED = auto()
    """The database refused the rows of this room; nothing was written."""
    UNKNOWN = auto()
    """The connection was lost: written or not, nobody knows."""


class EventRow(Struct, frozen=True):
    """A row of `room_events`."""

    seq: int
    at_ms: int
    public: bytes
    private: bytes | None


class CommandRow(Struct, frozen=True):
    """A row of `room_commands`."""

    key: Key
    done: Done
    at_ms: int


class Reply(Struct, frozen=True):
    """An answer to a command; `key` names the command."""

    to: Party
    conn: ConnectionId
    key: Key
    answer: Ack | Reject


class Newcomer(Struct, frozen=True):
    """An arrival that was let in; `older` are events before the ring, from `have.seq` + 1 on."""

    sender: Party
    arrive: Arrive
    older: list[bytes] | None = None


class Refusal(Struct, frozen=True):
    """An arrival that was refused."""

    to: Party
    conn: ConnectionId
    answer: Reject


Leaving = Reply | Newcomer | Refusal


class Waking(Struct, frozen=True):
    """The room begins or ceases to need waking while nobody asks for it."""

    wake_at_ms: int | None
    suspended: bool


class Batch:
    """Rows of one room, to be written all or none."""

    __slots__ = (
        "bodies",
        "commands",
        "done",
        "events",
        "fence",
        "from_seq",
        "leaving",
        "projections",
        "room_id",
        "urgent",
        "waking",
    )

    def __init__(
        self, room_id: RoomId, fence: int, from_seq: int, done: Callable[[Outcome], None]
    ) -> None:
        self.room_id = room_id
        self.fence = fence
        self.from_seq = from_seq
        self.done = done
        self.events: list[EventRow] = []
        self.bodies: list[bytes] = []
        self.commands: list[CommandRow] = []
        self.projections = Projections()
        self.leaving: list[Leaving] = []
        self.waking: Waking | None = None
        self.urgent = False

    @property
    def to_seq(self) -> int:
        """The seq of the room after this batch."""
        return self.from_seq + len(self.events)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self.events and not self.commands

    def add(self, steps: list[Step], current: tuple[Entry | None, Entry | None]) -> Done:
        """Take the steps of one command; `current` is the entry that played before and after."""
        first_seq = self.to_seq + 1
        for step in steps:
            event = step.event
            body = encode(event)
            private = None if step.private is None else encode_private(step.private)
            seq = self.to_seq + 1
            self.events.append(EventRow(seq, event.at_ms, body, private))
            self.bodies.append(body)
            self.projections.add(seq, event, current)
            self.urgent = self.urgent or isinstance(event, URGENT_EVENTS)
        return Done(first_seq, self.to_seq)


def ack(frame_id: int, done: Done) -> Ack:
    """The ack of a command that was carried out."""
    return Ack(id=frame_id, first_seq=done.first_seq, seq=done.last_seq)
