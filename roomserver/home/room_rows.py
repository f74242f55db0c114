"""What decides who may look into a room: the row of `rooms` has it when the event is acked.

The rest of that row is only shown, and written lazily (`listing`).
"""

from protocol.ids import UserId
from protocol.owner import OwnerChanged
from protocol.rooms import RoomUpdated, Visibility


class RoomRows:
    """What one batch changes at its room. None: that stays."""

    __slots__ = ("closed", "owner_id", "visibility")

    def __init__(self) -> None:
        self.visibility: Visibility | None = None
        self.owner_id: UserId | None = None
        self.closed = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return self.visibility is None and self.owner_id is None and not self.closed

    def update(self, event: RoomUpdated) -> None:
        """The room says something new about itself."""
        self.visibility = event.room.visibility

    def change_owner(self, event: OwnerChanged) -> None:
        """The room is somebody else's."""
        self.owner_id = event.owner.user_id

    def close(self) -> None:
        """The room has ended."""
        self.closed = True
