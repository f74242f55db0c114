"""Slash commands: what the bots of a room offer."""

from protocol.errors import ErrorCode, Rejected
from protocol.members import Member, MemberAdded
from protocol.slash import (
    COMMANDS_PER_ROOM,
    SlashBot,
    SlashCommand,
    SlashRegister,
    SlashRegistered,
)
from roomserver.room.context import Context
from roomserver.room.state import State, Step


def decide_register(state: State, command: SlashRegister, ctx: Context) -> list[Step]:
    """Replace what the bot offers, and give it a place; the same again is no event.

    Rejects: bad_request, name_taken, slash_full.
    """
    slash, bot = state.public.slash, ctx.actor
    names = {each.name for each in command.commands}
    if len(names) < len(command.commands):
        raise Rejected(ErrorCode.BAD_REQUEST, "A name is there twice.")
    others = [each for user_id, each in slash.items() if user_id != bot.user_id]
    taken = next((c.name for other in others for c in other.commands if c.name in names), None)
    if taken is not None:
        raise Rejected(ErrorCode.NAME_TAKEN, "Another bot has this command.", name=taken)
    if len(names) + sum(len(other.commands) for other in others) > COMMANDS_PER_ROOM:
        raise Rejected(ErrorCode.SLASH_FULL, limit=COMMANDS_PER_ROOM)
    commands = [
        SlashCommand(name=each.name, description=each.description, hint=each.hint)
        for each in command.commands
    ]
    offered = SlashBot(bot=bot, commands=commands) if commands else None
    if offered == slash.get(bot.user_id):
        return []
    steps = [Step(SlashRegistered(at_ms=ctx.now_ms, bot=bot, commands=commands))]
    if bot.user_id not in state.private.members:
        place = Member(person=bot, joined_at_ms=ctx.now_ms)
        steps.insert(0, Step(MemberAdded(at_ms=ctx.now_ms, member=place)))
    return steps
