"""Owner: the room changes hands when its owner says so, stays away for long, or is gone."""

from protocol.errors import ErrorCode, Rejected
from protocol.owner import OwnerChanged, OwnerSucceed, OwnerTransfer, Succession
from protocol.users import Person
from roomserver.room.context import Context
from roomserver.room.moderation import require_target
from roomserver.room.permissions import BANNED, require_not_banned
from roomserver.room.settings import close
from roomserver.room.state import State, Step


def decide_transfer(state: State, command: OwnerTransfer, ctx: Context) -> list[Step]:
    """Hand the room over; to whom it belongs already is no event.

    Rejects: unknown_person, account_required, banned.
    """
    person = require_target(ctx)
    if person.user_id == state.public.room.owner_id:
        return []
    if person.kind != "person":
        raise Rejected(ErrorCode.ACCOUNT_REQUIRED, "Only a person with an account owns a room.")
    require_not_banned(state.public, person.user_id, ctx.now_ms, BANNED)
    return [_hand_over(state, person, "transferred", ctx)]


def decide_succeed(state: State, command: OwnerSucceed, ctx: Context) -> list[Step]:
    """Let the next in line follow: a moderator, or after a deleted owner any member.

    An absent owner without a moderator stays; a room whose owner is deleted and which has nobody
    else closes. Only people with an account follow: a guest cannot own, and a bot has a person
    behind it who would not know. Rejects: unknown_person.
    """
    heir = _first_moderator(state)
    if heir is not None:
        return [_hand_over(state, heir, command.reason, ctx)]
    if command.reason == "absent":
        return []
    member = ctx.target
    if member is None or member.kind != "person":
        return close(state, ctx)
    if member.user_id not in state.private.members:
        raise Rejected(ErrorCode.UNKNOWN_PERSON, "Who was to follow has just left: look again.")
    return [_hand_over(state, member, command.reason, ctx)]


def _first_moderator(state: State) -> Person | None:
    """The one who has had a place for longest; of two since the same instant always the same."""
    since = state.private.members
    line = [
        (since[user_id], user_id, member.person)
        for user_id, member in state.public.members.items()
        if member.role == "moderator" and member.person.kind == "person" and user_id in since
    ]
    return min(line)[2] if line else None


def _hand_over(state: State, person: Person, reason: Succession, ctx: Context) -> Step:
    event = OwnerChanged(
        at_ms=ctx.now_ms,
        owner=person,
        joined_at_ms=state.private.members.get(person.user_id, ctx.now_ms),
        before=state.public.room.owner_id,
        reason=reason,
    )
    return Step(event)
