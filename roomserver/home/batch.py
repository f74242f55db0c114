"""What one run of a room produced: rows for the database, and what leaves the room after them."""

from collections.abc import Callable
from enum import Enum, auto

from msgspec import Struct
from msgspec.structs import replace

from protocol.catalog import URGENT_EVENTS
from protocol.chat import ChatDeleted
from protocol.cluster import Arrive, Party
from protocol.codec import encode
from protocol.frames import Ack, Reject
from protocol.ids import ConnectionId, MessageId, RoomId
from protocol.queue import Entry
from roomserver.home.heard import SOUNDS, Sound
from roomserver.home.leavers import Leaver, leaver_of
from roomserver.home.play_rows import Current
from roomserver.home.projections import Projections
from roomserver.home.recent import Done, Key
from roomserver.home.redaction import redacted
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


class Start(Struct, frozen=True):
    """A start that was waited for."""

    late: int
    """How many were waited for and had not loaded the entry."""
    waited_ms: float | None


class Batch:
    """Rows of one room, to be written all or none."""

    __slots__ = (
        "bodies",
        "commands",
        "done",
        "events",
        "fence",
        "from_seq",
        "leavers",
        "leaving",
        "projections",
        "room_id",
        "sounds",
        "starts",
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
        self.leavers: list[Leaver] = []
        self.sounds: list[tuple[Sound, Current]] = []
        """Events after which something else is heard, each with what was and is current."""
        self.starts: list[Start] = []
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

    @property
    def is_log_only(self) -> bool:
        """Whether only the log and new messages are written."""
        return self.waking is None and self.projections.only_said

    @property
    def taken_back(self) -> set[MessageId]:
        """The messages that are deleted here."""
        return self.projections.chat.taken_back

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
            if (leaver := leaver_of(event)) is not None:
                self.leavers.append(leaver)
            self.urgent = self.urgent or isinstance(event, URGENT_EVENTS)
            if isinstance(event, SOUNDS):
                self.sounds.append((event, current))
            if isinstance(event, ChatDeleted):
                self._redact({event.message_id})
        return Done(first_seq, self.to_seq)

    def _redact(self, message_ids: set[MessageId]) -> None:
        """What was said and taken back in one batch is never written, nor shown."""
        self.bodies = [redacted(body, message_ids) for body in self.bodies]
        self.events = [
            replace(row, public=body) for row, body in zip(self.events, self.bodies, strict=True)
        ]


def ack(frame_id: int, done: Done) -> Ack:
    """The ack of a command that was carried out."""
    return Ack(id=frame_id, first_seq=done.first_seq, seq=done.last_seq)
