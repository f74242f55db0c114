"""Members: people with a durable place in a room, and their roles."""

from typing import TYPE_CHECKING, Literal

from protocol.base import Command, Entity, Event, WholeAtMs
from protocol.ids import UserId
from protocol.users import Person

if TYPE_CHECKING:
    from protocol.snapshot import Snapshot

Role = Literal["owner", "listener"]


class Member(Entity, frozen=True, kw_only=True):
    """One person's durable place. Somebody merely present has role `listener` and no row."""

    person: Person
    role: Role = "listener"
    joined_at_ms: WholeAtMs | None = None


class MemberAdd(Command, frozen=True, kw_only=True, tag="member.add"):
    """System: the sidecar admitted `person` (visibility, password and invite were checked).

    Adding a member again changes nothing. Rejects: room_closed.
    """

    person: Person


class MemberRemove(Command, frozen=True, kw_only=True, tag="member.remove"):
    """System: the person gives up the place. Rejects: owner_stays, not_member."""

    user_id: UserId


class MemberAdded(Event, frozen=True, kw_only=True, tag="member.added"):
    """Somebody has a durable place here now."""

    member: Member


class MemberRemoved(Event, frozen=True, kw_only=True, tag="member.removed"):
    """Somebody gave up the place."""

    user_id: UserId


def fold_member_added(snapshot: "Snapshot", event: MemberAdded) -> None:
    """Add or replace the row."""
    snapshot.members[event.member.person.user_id] = event.member


def fold_member_removed(snapshot: "Snapshot", event: MemberRemoved) -> None:
    """Drop the row, if there is one."""
    snapshot.members.pop(event.user_id, None)


class MemberPage(Entity, frozen=True, kw_only=True):
    """A page of a room's members, the longest-serving first."""

    items: list[Member]
    next_cursor: str | None
