"""Moderation: kick, mute and ban; each has a reason, is seen by all, and can be taken back."""

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta
from msgspec.structs import replace

from protocol.base import Body, Command, Entity, Event, Reason, RoomName, WholeAtMs
from protocol.ids import RoomId, UserId
from protocol.members import Member, Mute, keep, put_out
from protocol.users import Instant, Person

if TYPE_CHECKING:
    from protocol.snapshot import Snapshot

DurationMs = Annotated[int, Meta(ge=1_000, le=366 * 24 * 3_600_000)]
"""1 s to a year; absent means until it is taken back."""


class Ban(Entity, frozen=True, kw_only=True):
    """Somebody may not come in, until `until_ms` (null: until it is taken back)."""

    person: Person
    until_ms: WholeAtMs | None
    reason: Reason = ""
    by: Person
    at_ms: WholeAtMs
    by_address: bool = False
    """Nobody comes in either from the addresses that the person came from; they are not told."""

    def is_in_force(self, now_ms: float) -> bool:
        """Whether it still holds at an instant of cluster time."""
        return self.until_ms is None or now_ms < self.until_ms


class MemberKick(Command, frozen=True, kw_only=True, tag="member.kick"):
    """Put somebody out, and take the place away; who finds the door open may come back.

    Rejects: not_allowed, outranked, unknown_person, banned, room_closed.
    """

    user_id: UserId
    reason: Reason = ""


class MemberMute(Command, frozen=True, kw_only=True, tag="member.mute"):
    """Let somebody listen, but not chat, react or vote. Again: with another end.

    Rejects: not_allowed, outranked, unknown_person, banned, room_closed.
    """

    user_id: UserId
    duration_ms: DurationMs | None = None
    reason: Reason = ""


class MemberUnmute(Command, frozen=True, kw_only=True, tag="member.unmute"):
    """Take a mute back; of somebody who is not muted it changes nothing.

    Rejects: not_allowed, outranked, banned, room_closed.
    """

    user_id: UserId


class MemberBan(Command, frozen=True, kw_only=True, tag="member.ban"):
    """Put somebody out and let the person not come back. Again: with another end.

    Rejects: not_allowed, outranked, unknown_person, banned, room_closed.
    """

    user_id: UserId
    duration_ms: DurationMs | None = None
    reason: Reason = ""
    by_address: bool = False
    """Also let nobody in from the addresses that this person is connected from now."""


class MemberUnban(Command, frozen=True, kw_only=True, tag="member.unban"):
    """Take a ban back, that of the addresses too; of somebody not banned it changes nothing.

    Rejects: not_allowed, banned, room_closed.
    """

    user_id: UserId


class MemberKicked(Event, frozen=True, kw_only=True, tag="member.kicked"):
    """Somebody was put out."""

    person: Person
    reason: Reason = ""
    by: Person


class MemberMuted(Event, frozen=True, kw_only=True, tag="member.muted"):
    """Somebody may only listen."""

    person: Person
    joined_at_ms: WholeAtMs | None = None
    """Since when the person has a place here; absent without one."""
    until_ms: WholeAtMs | None = None
    reason: Reason = ""
    by: Person


class MemberUnmuted(Event, frozen=True, kw_only=True, tag="member.unmuted"):
    """Somebody may speak again."""

    user_id: UserId
    by: Person


class MemberBanned(Event, frozen=True, kw_only=True, tag="member.banned"):
    """Somebody was put out and may not come back."""

    person: Person
    until_ms: WholeAtMs | None = None
    reason: Reason = ""
    by: Person
    by_address: bool = False


class MemberUnbanned(Event, frozen=True, kw_only=True, tag="member.unbanned"):
    """Somebody may come in again."""

    user_id: UserId
    by: Person


def fold_member_kicked(snapshot: "Snapshot", event: MemberKicked) -> None:
    """The place is gone; a mute stays."""
    put_out(snapshot, event.person.user_id)


def fold_member_muted(snapshot: "Snapshot", event: MemberMuted) -> None:
    """Keep the mute beside the role."""
    before = snapshot.members.get(event.person.user_id)
    if before is None:
        before = Member(person=event.person, joined_at_ms=event.joined_at_ms)
    mute = Mute(until_ms=event.until_ms, reason=event.reason)
    keep(snapshot, replace(before, mute=mute))


def fold_member_unmuted(snapshot: "Snapshot", event: MemberUnmuted) -> None:
    """Forget the mute."""
    before = snapshot.members.get(event.user_id)
    if before is not None:
        keep(snapshot, replace(before, mute=None))


def fold_member_banned(snapshot: "Snapshot", event: MemberBanned) -> None:
    """Keep the ban, drop the place; bans that are over by now are forgotten."""
    over = [key for key, ban in snapshot.bans.items() if not ban.is_in_force(event.at_ms)]
    for user_id in over:
        del snapshot.bans[user_id]
    snapshot.bans[event.person.user_id] = Ban(
        person=event.person,
        until_ms=event.until_ms,
        reason=event.reason,
        by=event.by,
        at_ms=event.at_ms,
        by_address=event.by_address,
    )
    put_out(snapshot, event.person.user_id)


def fold_member_unbanned(snapshot: "Snapshot", event: MemberUnbanned) -> None:
    """Forget the ban."""
    snapshot.bans.pop(event.user_id, None)


class MemberKickBody(Body, frozen=True, kw_only=True):
    """As in `member.kick`."""

    reason: Reason = ""


class MemberMuteBody(Body, frozen=True, kw_only=True):
    """As in `member.mute`."""

    duration_ms: DurationMs | None = None
    reason: Reason = ""


class MemberBanBody(Body, frozen=True, kw_only=True):
    """As in `member.ban`."""

    duration_ms: DurationMs | None = None
    reason: Reason = ""
    by_address: bool = False


class ListedBan(Entity, frozen=True, kw_only=True):
    """A ban, for who issued or received it."""

    room_id: RoomId
    room_name: RoomName | None
    """Null where the room is private and the caller has no place in it."""
    person: Person
    by: Person
    reason: Reason
    banned_at: Instant
    until: Instant | None
    """Null: until it is taken back."""
    lifted_at: Instant | None
    """When it was taken back."""


class BanPage(Entity, frozen=True, kw_only=True):
    """A page of bans, the newest first."""

    items: list[ListedBan]
    next_cursor: str | None
