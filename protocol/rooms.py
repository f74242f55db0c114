"""A room as a whole: its name, who may find it, its settings, its sleep."""

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import UNSET, Meta, UnsetType
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
from protocol.permissions import Action, Grade, Permissions
from protocol.tracks import Track
from protocol.users import Instant, Person

if TYPE_CHECKING:
    from protocol.snapshot import Snapshot

Visibility = Literal["public", "unlisted", "private"]
Repeat = Literal["off", "one", "all"]
"""`one`: the current entry comes again; `all`: an entry that ended goes to the end of the queue."""
QueueMode = Literal["open", "djs", "votes", "fair"]
"""`open`: in the order of adding, everybody adds. `djs`: the same, but only djs and above add.
`votes`: the entry with most votes comes first. `fair`: whoever has been heard least comes first."""
Duplicates = Literal["allow", "refuse"]
"""`refuse`: a track that is playing or waiting cannot be queued again."""
QueueLimit = Annotated[int, Meta(ge=1, le=500)]
Share = Annotated[float, Meta(ge=0.05, le=1)]


class RoomSettings(Entity, frozen=True, kw_only=True):
    """What may be tuned in a room."""

    queue_mode: QueueMode = "open"
    queue_limit: QueueLimit = 500
    """How many entries may wait."""
    entries_per_person: QueueLimit | None = None
    """How many entries of one person may wait, without those that the room queued again; null: no
    limit of its own."""
    duplicates: Duplicates = "allow"
    repeat: Repeat = "off"
    skip_share: Share = 0.5
    """A skip vote passes with this share of those present, unmuted and no bots (rounded up)."""
    always_on: bool = False
    """The room plays on with nobody in it (the demo room); otherwise it is suspended 60 s after
    the last person left."""
    permissions: Permissions = Permissions()


class SettingsChange(Entity, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is absent stays as it is; of `permissions`, actions that are not named."""

    queue_mode: QueueMode | UnsetType = UNSET
    queue_limit: QueueLimit | UnsetType = UNSET
    entries_per_person: QueueLimit | UnsetType | None = UNSET
    duplicates: Duplicates | UnsetType = UNSET
    repeat: Repeat | UnsetType = UNSET
    skip_share: Share | UnsetType = UNSET
    always_on: bool | UnsetType = UNSET
    permissions: dict[Action, Grade] | UnsetType = UNSET


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

    Only the owner changes `visibility` and `settings.permissions`.
    Rejects: bad_request (the name), not_allowed, banned, room_closed.
    """

    name: RoomName | None = None
    description: Description | None = None
    visibility: Visibility | None = None
    settings: SettingsChange | None = None


class RoomClose(Command, frozen=True, kw_only=True, tag="room.close"):
    """Close the room for good. Only the owner may. Rejects: not_allowed, banned, room_closed."""


class RoomRelock(Command, frozen=True, kw_only=True, tag="room.relock"):
    """System: the room's password was set, changed or removed, and is stored; a door looks again.

    Rejects: room_closed.
    """


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
    visibility: Visibility | None = None
    settings: SettingsChange | None = None
    password: Password | UnsetType | None = UNSET
    """Who has no place needs it to come in; null: nobody does. Whoever has a place keeps it."""

    def __repr__(self) -> str:
        return f"RoomPatch(name={self.name!r}, ***)"


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
