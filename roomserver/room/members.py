"""Members: who has a durable place."""

from protocol.errors import ErrorCode, Rejected
from protocol.members import Member, MemberAdd, MemberAdded, MemberRemove, MemberRemoved
from roomserver.room.context import Context
from roomserver.room.state import State, Step


def decide_add(state: State, command: MemberAdd, ctx: Context) -> list[Step]:
    """Give the person a place; who has one keeps it as it is."""
    if command.person.user_id in state.public.members:
        return []
    member = Member(person=command.person, joined_at_ms=ctx.now_ms)
    return [Step(MemberAdded(at_ms=ctx.now_ms, member=member))]


def decide_remove(state: State, command: MemberRemove, ctx: Context) -> list[Step]:
    """Give up the place. Rejects: not_member, owner_stays."""
    member = state.public.members.get(command.user_id)
    if member is None:
        raise Rejected(ErrorCode.NOT_MEMBER, "This person has no place here.")
    if command.user_id == state.public.room.owner_id:
        raise Rejected(ErrorCode.OWNER_STAYS)
    return [Step(MemberRemoved(at_ms=ctx.now_ms, user_id=command.user_id))]
