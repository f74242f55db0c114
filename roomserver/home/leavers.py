"""Who must go: what an event says about the connections of one person."""

from msgspec import Struct

from protocol.base import Event
from protocol.frames import LeftReason
from protocol.ids import UserId
from protocol.members import MemberRemoved
from protocol.moderation import MemberBanned, MemberKicked


class Leaver(Struct, frozen=True):
    """Somebody whose connections end, once the event is durable."""

    user_id: UserId
    reason: LeftReason
    """`left`: only where the door would not let the person in again."""
    until_ms: int | None = None


def leaver_of(event: Event) -> Leaver | None:
    """Who must go because of an event, if anybody must."""
    if isinstance(event, MemberKicked):
        return Leaver(event.person.user_id, "kicked")
    if isinstance(event, MemberBanned):
        return Leaver(event.person.user_id, "banned", event.until_ms)
    return Leaver(event.user_id, "left") if isinstance(event, MemberRemoved) else None
