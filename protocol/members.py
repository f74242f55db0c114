"""Members: people with a durable place in a room, and their roles."""

from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from protocol.base import Body, Command, Entity, Event, Reason, WholeAtMs
from protocol.ids import UserId
from protocol.slash import withdraw
from protocol.users import Person

if TYPE_CHECKING:
    from protocol.snapshot import Snapshot

Role = Literal["owner", "moderator", "dj", "listener"]
GivenRole = Literal["moderator", "dj", "listener"]
"""A role that can be given; the owner's changes hands by `owner.transfer`."""


class Mute(Entity, frozen=True, kw_only=True):
    """Somebody may not chat, react or vote, until `until_ms` (null: until it is taken back)."""

    until_ms: WholeAtMs | None
    reason: Reason = ""


class Member(Entity, frozen=True, kw_only=True):
    """One person's durable place. Somebody merely present has role `listener` and no row."""

    person: Person
    role: Role = "listener"
    joined_at_ms: WholeAtMs | None = None
    """Null: merely present, or muted without ever having had a place."""
    mute: Mute | None = None

    def is_muted(self, now_ms: float) -> bool:
        """Whether the person is muted at an instant of cluster time."""
        mute = self.mute
        return mute is not None and (mute.until_ms is None or now_ms < mute.until_ms)


class MemberAdd(Command, frozen=True, kw_only=True, tag="member.add"):
    """System: the sidecar admitted `person` (visibility, password and invite were checked).

    Adding a member again changes nothing. Rejects: banned, room_closed.
    """

    person: Person


class MemberRemove(Command, frozen=True, kw_only=True, tag="member.remove"):
    """System: the person gives up the place. Rejects: owner_stays, not_member."""

    user_id: UserId


class MemberSetRole(Command, frozen=True, kw_only=True, tag="member.set_role"):
    """Give somebody a role below one's own; who had no place here has one then.

    Rejects: not_allowed, outranked, unknown_person, banned, room_closed.
    """

    user_id: UserId
    role: GivenRole


class MemberAdded(Event, frozen=True, kw_only=True, tag="member.added"):
    """Somebody has a durable place here now."""

    member: Member


class MemberRemoved(Event, frozen=True, kw_only=True, tag="member.removed"):
    """Somebody gave up the place."""

    user_id: UserId


class MemberRoleChanged(Event, frozen=True, kw_only=True, tag="member.role_changed"):
    """Somebody has another role now."""

    person: Person
    role: GivenRole
    joined_at_ms: WholeAtMs
    by: Person


def stands_out(member: Member) -> bool:
    """Whether a snapshot tells of this member: all but plain listeners."""
    return member.role != "listener" or member.mute is not None


def keep(snapshot: "Snapshot", member: Member) -> None:
    """Write the row down, if it is one that a snapshot tells of; else there is none."""
    if stands_out(member):
        snapshot.members[member.person.user_id] = member
    else:
        snapshot.members.pop(member.person.user_id, None)


def fold_member_added(snapshot: "Snapshot", event: MemberAdded) -> None:
    """A mute from before the place goes on."""
    before = snapshot.members.get(event.member.person.user_id)
    keep(snapshot, replace(event.member, mute=before.mute if before else event.member.mute))


def fold_member_removed(snapshot: "Snapshot", event: MemberRemoved) -> None:
    """Drop the place."""
    put_out(snapshot, event.user_id)


def put_out(snapshot: "Snapshot", user_id: UserId) -> None:
    """The place is gone, and what a bot offered; a mute stays."""
    before = snapshot.members.get(user_id)
    if before is not None:
        keep(snapshot, replace(before, role="listener", joined_at_ms=None))
    withdraw(snapshot, user_id)


def fold_member_role_changed(snapshot: "Snapshot", event: MemberRoleChanged) -> None:
    """Replace the role."""
    before = snapshot.members.get(event.person.user_id)
    member = Member(
        person=event.person,
        role=event.role,
        joined_at_ms=event.joined_at_ms,
        mute=before.mute if before else None,
    )
    keep(snapshot, member)


class MemberSetRoleBody(Body, frozen=True, kw_only=True):
    """As in `member.set_role`."""

    role: GivenRole


class MemberPage(Entity, frozen=True, kw_only=True):
    """A page of a room's members, the longest-serving first."""

    items: list[Member]
    next_cursor: str | None
