"""People in a room as others list them: rows of `room_members`, `room_mutes` and `room_bans`."""

from msgspec import Struct
from msgspec.structs import replace

from protocol.ids import UserId
from protocol.members import MemberAdded, MemberRemoved, MemberRoleChanged, Role
from protocol.moderation import (
    MemberBanned,
    MemberKicked,
    MemberMuted,
    MemberUnbanned,
    MemberUnmuted,
)
from protocol.owner import OwnerChanged


class MemberRow(Struct, frozen=True):
    """A place that was taken or given a role in this batch."""

    user_id: UserId
    role: Role
    joined_at_ms: int
    left_at_ms: int | None = None


class MemberChange(Struct, frozen=True):
    """What changes at a place from before this batch. None: that stays."""

    user_id: UserId
    role: Role | None = None
    left_at_ms: int | None = None


class VerdictRow(Struct, frozen=True):
    """A mute or a ban of this batch."""

    user_id: UserId
    by_user_id: UserId
    reason: str
    at_ms: int
    until_ms: int | None
    lifted_at_ms: int | None = None


class Verdicts:
    """Mutes, or bans, and the ends of those from before this batch."""

    __slots__ = ("given", "lifted")

    def __init__(self) -> None:
        self.given: dict[UserId, VerdictRow] = {}
        self.lifted: dict[UserId, int] = {}

    def give(self, event: MemberMuted | MemberBanned) -> None:
        """A verdict; it takes the place of an earlier one."""
        user_id, by = event.person.user_id, event.by.user_id
        self.lifted.pop(user_id, None)
        self.given[user_id] = VerdictRow(user_id, by, event.reason, event.at_ms, event.until_ms)

    def lift(self, event: MemberUnmuted | MemberUnbanned) -> None:
        """The end of a verdict."""
        row = self.given.get(event.user_id)
        if row is not None:
            self.given[event.user_id] = replace(row, lifted_at_ms=event.at_ms)
        else:
            self.lifted[event.user_id] = event.at_ms


class PeopleRows:
    """Rows of one batch; a place is either new or changed, never both."""

    __slots__ = ("bans", "changes", "members", "mutes")

    def __init__(self) -> None:
        self.members: dict[UserId, MemberRow] = {}
        self.changes: dict[UserId, MemberChange] = {}
        self.mutes = Verdicts()
        self.bans = Verdicts()

    def add(self, event: MemberAdded) -> None:
        """A place."""
        member = event.member
        joined_at_ms = event.at_ms if member.joined_at_ms is None else member.joined_at_ms
        self._settle(member.person.user_id, member.role, joined_at_ms)

    def remove(self, event: MemberRemoved) -> None:
        """A place given up."""
        self._leave(event.user_id, event.at_ms)

    def set_role(self, event: MemberRoleChanged) -> None:
        """A role; with it, a place."""
        self._settle(event.person.user_id, event.role, event.joined_at_ms)

    def change_owner(self, event: OwnerChanged) -> None:
        """Two roles; a deleted account's place is gone."""
        if event.reason == "account_deleted":
            self._leave(event.before, event.at_ms)
        elif (member := self.members.get(event.before)) is not None:
            self.members[event.before] = replace(member, role="moderator")
        else:
            self.changes[event.before] = MemberChange(event.before, "moderator")
        self._settle(event.owner.user_id, "owner", event.joined_at_ms)

    def kick(self, event: MemberKicked) -> None:
        """A place taken away."""
        self._leave(event.person.user_id, event.at_ms)

    def ban(self, event: MemberBanned) -> None:
        """A ban, and a place taken away."""
        self.bans.give(event)
        self._leave(event.person.user_id, event.at_ms)

    def _settle(self, user_id: UserId, role: Role, joined_at_ms: int) -> None:
        self.changes.pop(user_id, None)
        self.members[user_id] = MemberRow(user_id, role, joined_at_ms)

    def _leave(self, user_id: UserId, at_ms: int) -> None:
        member = self.members.get(user_id)
        if member is not None:
            self.members[user_id] = replace(member, role="listener", left_at_ms=at_ms)
        else:
            self.changes[user_id] = MemberChange(user_id, "listener", at_ms)
