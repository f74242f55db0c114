"""Owner: the person in charge of a room, and how that changes hands."""

from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from protocol.base import Body, Command, Event, WholeAtMs
from protocol.ids import UserId
from protocol.members import Member, keep
from protocol.slash import withdraw
from protocol.users import Person

if TYPE_CHECKING:
    from protocol.snapshot import Snapshot

Succession = Literal["transferred", "absent", "account_deleted"]
OWNER_ABSENT_MS = 30 * 24 * 3_600_000
"""An owner who has not been seen for so long is succeeded by the longest-serving moderator."""


class OwnerTransfer(Command, frozen=True, kw_only=True, tag="owner.transfer"):
    """Hand the room over to somebody; the owner becomes a moderator. Only the owner may.

    To whom it belongs already changes nothing. Neither a guest nor a bot can own a room.
    Rejects: not_allowed, unknown_person, account_required, banned, room_closed.
    """

    user_id: UserId


class OwnerSucceed(Command, frozen=True, kw_only=True, tag="owner.succeed"):
    """System: the owner is gone. The longest-serving moderator follows; without one, an absent
    owner stays and a deleted one leaves the room to its longest-serving member, or closes it.
    Only people with an account follow. Rejects: unknown_person (who was to follow has just left).
    """

    reason: Literal["absent", "account_deleted"]


class OwnerChanged(Event, frozen=True, kw_only=True, tag="owner.changed"):
    """The room is somebody else's now; a mute of the new owner is over. `before` is a moderator
    now, unless the account is gone."""

    owner: Person
    joined_at_ms: WholeAtMs
    """Since when the new owner has a place here."""
    before: UserId
    reason: Succession


def fold_owner_changed(snapshot: "Snapshot", event: OwnerChanged) -> None:
    """One owner at a time."""
    snapshot.room = replace(snapshot.room, owner_id=event.owner.user_id)
    before = snapshot.members.get(event.before)
    if before is not None:
        gone = event.reason == "account_deleted"
        keep(snapshot, replace(before, role="listener" if gone else "moderator"))
        if gone:
            withdraw(snapshot, event.before)
    keep(snapshot, Member(person=event.owner, role="owner", joined_at_ms=event.joined_at_ms))


class OwnerTransferBody(Body, frozen=True, kw_only=True):
    """As in `owner.transfer`."""

    user_id: UserId
