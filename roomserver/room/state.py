"""What a rule of the room reads, and what it returns."""

from msgspec import Struct

from protocol.catalog import RoomEvent
from protocol.snapshot import Snapshot
from roomserver.room.private import Fact, Private


class State(Struct):
    """Both halves of a room. Rules read it; only folding changes it."""

    public: Snapshot
    private: Private


class Step(Struct, frozen=True):
    """One row of the log: the public event and what the room remembers beside it."""

    event: RoomEvent
    private: Fact | None = None
