"""Members: who has a durable place, and with which role."""

from protocol.errors import ErrorCode, Rejected
from protocol.members import (
    Member,
    MemberAdd,
    MemberAdded,
    MemberRemove,
    MemberRemoved,
    MemberRoleChanged,
    MemberSetRole,
)
from roomserver.room.context import Context
from roomserver.room.moderation import require_target
from roomserver.room.permissions import BANNED, require_not_banned
from roomserver.room.state import State, Step


def decide_add(state: State, command: MemberAdd, ctx: Context) -> list[Step]:
    """Give the person a place; who has one keeps it as it is. Rejects: banned."""
    require_not_banned(state.public, command.person.user_id, ctx.now_ms)
    if command.person.user_id in state.private.members:
        return []
    member = Member(person=command.person, joined_at_ms=ctx.now_ms)
    return [Step(MemberAdded(at_ms=ctx.now_ms, member=member))]


def decide_remove(state: State, command: MemberRemove, ctx: Context) -> list[Step]:
    """Give up the place. Rejects: not_member, owner_stays."""
    if command.user_id not in state.private.members:
        raise Rejected(ErrorCode.NOT_MEMBER, "This person has no place here.")
    if command.user_id == state.public.room.owner_id:
        raise Rejected(ErrorCode.OWNER_STAYS)
    return [Step(MemberRemoved(at_ms=ctx.now_ms, user_id=command.user_id))]


def decide_set_role(state: State, command: MemberSetRole, ctx: Context) -> list[Step]:
    """Give a role, and with it a place; the role that the person has already is no event.

    Who is banned gets none: a place is the right to be here. Rejects: unknown_person, banned.
    """
    person = require_target(ctx)
    require_not_banned(state.public, person.user_id, ctx.now_ms, BANNED)
    member = state.public.members.get(person.user_id)
    if command.role == ("listener" if member is None else member.role):
        return []
    event = MemberRoleChanged(
        at_ms=ctx.now_ms,
        person=person,
        role=command.role,
        joined_at_ms=state.private.members.get(person.user_id, ctx.now_ms),
        by=ctx.actor,
    )
    return [Step(event)]
