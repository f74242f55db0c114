"""A room as a whole: its name, who may find it, its settings, its sleep."""

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta
from msgspec.structs import replace

from protocol.base import (
    AtMs,
    Body,
    Command,
    Count,
    Description,
    Entity,
    Event,
    Password,
    PositionMs,
    RoomName,
)
from protocol.ids import RoomId, UserId
from protocol.tracks import Track
from protocol.users import Instant, Person

if TYPE_CHECKING:
    from protocol.snapshot import Snapshot

Visibility = Literal["public", "unlisted", "private"]
Repeat = Literal["off", "all"]
QueueMode = Literal["open"]


class RoomSettings(Entity, frozen=True, kw_only=True):
    """What the owner may tune."""

    queue_mode: QueueMode = "open"
    queue_limit: Annotated[int, Meta(ge=1, le=500)] = 500
    repeat: Repeat = "off"
    """`all`: an entry that ended goes to the end of the queue again."""
    always_on: bool = False
    """The room plays on with nobody in it (the demo room); otherwise it is suspended 60 s after
    the last person left."""


class Room(Entity, frozen=True, kw_only=True):
    """What a room says about itself."""

    room_id: RoomId
    name: RoomName
    description: Description = ""
    visibility: Visibility = "public"
    owner_id: UserId
    settings: RoomSettings = RoomSettings()
    closed: bool = False


class RoomUpdate(Command, frozen=True, kw_only=True, tag="room.update"):
    """Change what the room says about itself; what is absent stays.

    Rejects: not_allowed, room_closed.
    """

    name: RoomName | None = None
    description: Description | None = None
    settings: RoomSettings | None = None


class RoomClose(Command, frozen=True, kw_only=True, tag="room.close"):
    """Close the room for good. Rejects: not_allowed, room_closed."""


class RoomSuspend(Command, frozen=True, kw_only=True, tag="room.suspend"):
    """System: nobody has been here for 60 s. `vacant_since_ms` is when the last person left."""

    vacant_since_ms: AtMs


class RoomResume(Command, frozen=True, kw_only=True, tag="room.resume"):
    """System: the first person came back."""


class Wake(Command, frozen=True, kw_only=True, tag="room.wake"):
    """System: the instant that `next_wake()` named has come."""


class RoomUpdated(Event, frozen=True, kw_only=True, tag="room.updated"):
    """The room says something new about itself."""

    room: Room
    by: Person


class RoomClosed(Event, frozen=True, kw_only=True, tag="room.closed"):
    """The room has ended; nothing more will happen in it."""

    by: Person


class RoomSuspended(Event, frozen=True, kw_only=True, tag="room.suspended"):
    """Nobody is here: the music rests at `position_ms` of the current entry."""

    position_ms: PositionMs


class RoomResumed(Event, frozen=True, kw_only=True, tag="room.resumed"):
    """Somebody is here again; what played goes on (an event of playback follows)."""


def fold_room_updated(snapshot: "Snapshot", event: RoomUpdated) -> None:
    """Replace the room's own description."""
    snapshot.room = event.room


def fold_room_closed(snapshot: "Snapshot", event: RoomClosed) -> None:
    """Nothing plays, nothing waits."""
    snapshot.room = replace(snapshot.room, closed=True)
    snapshot.queue.clear()
    snapshot.playback.stop()


def fold_room_suspended(snapshot: "Snapshot", event: RoomSuspended) -> None:
    """Freeze the anchor; status and entry stay, so that resuming knows what to do."""
    snapshot.suspended = True
    snapshot.playback.freeze(event.position_ms)


def fold_room_resumed(snapshot: "Snapshot", event: RoomResumed) -> None:
    """The room is awake; the anchor follows in an event of playback."""
    snapshot.suspended = False


class RoomCreate(Body, frozen=True, kw_only=True):
    """Make a room and own it."""

    name: RoomName
    description: Description = ""
    visibility: Visibility = "public"
    """`unlisted`: who has the link; `private`: members only."""
    password: Password | None = None
    settings: RoomSettings = RoomSettings()

    def __repr__(self) -> str:
        return f"RoomCreate(name={self.name!r}, ***)"


class RoomPatch(Body, frozen=True, kw_only=True):
    """What is absent stays. Only the owner may."""

    name: RoomName | None = None
    description: Description | None = None
    settings: RoomSettings | None = None


class RoomJoin(Body, frozen=True, kw_only=True):
    """What the door asks for."""

    password: Password | None = None
    invite: Annotated[str, Meta(max_length=64)] | None = None

    def __repr__(self) -> str:
        return "RoomJoin(***)"


class RoomSummary(Entity, frozen=True, kw_only=True):
    """A room in a list; `listeners` and `now_playing` may lag by a second."""

    room_id: RoomId
    name: RoomName
    description: Description
    visibility: Visibility
    owner_id: UserId
    has_password: bool
    listeners: Count
    now_playing: Track | None
    created_at: Instant


class RoomPage(Entity, frozen=True, kw_only=True):
    """A page of rooms."""

    items: list[RoomSummary]
    next_cursor: str | None
