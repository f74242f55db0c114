"""The audit of a room: what was done to whom and by whom, for those who moderate it."""

from protocol.base import Count, Entity
from protocol.chat import ChatDeleted
from protocol.members import MemberRoleChanged
from protocol.moderation import (
    MemberBanned,
    MemberKicked,
    MemberMuted,
    MemberUnbanned,
    MemberUnmuted,
)
from protocol.owner import OwnerChanged
from protocol.rooms import RoomUpdated
from protocol.users import Instant, Person

Audited = (
    MemberKicked
    | MemberMuted
    | MemberUnmuted
    | MemberBanned
    | MemberUnbanned
    | MemberRoleChanged
    | OwnerChanged
    | RoomUpdated
    | ChatDeleted
)
"""Events that are kept for as long as the room is; of deleted messages those of others."""


class AuditEntry(Entity, frozen=True, kw_only=True):
    """One thing that was done; `event` is what everybody in the room heard then."""

    seq: Count
    at: Instant
    person: Person | None
    """To whom, as known now: null where it was the room, or the account is gone."""
    event: Audited


class AuditPage(Entity, frozen=True, kw_only=True):
    """A page of the audit, the newest first."""

    items: list[AuditEntry]
    next_cursor: str | None
