"""What the commands about people do to the model: places, roles, kicks, mutes, bans, the owner."""

from protocol.errors import ErrorCode as E
from protocol.members import MemberAdd, MemberRemove, MemberSetRole
from protocol.moderation import MemberBan, MemberKick, MemberMute, MemberUnban, MemberUnmute
from protocol.owner import OwnerSucceed, OwnerTransfer
from protocol.slash import SlashRegister
from protocol.users import Person
from roomserver.room.context import Context
from tests.room.model import Model
from tests.room.model_people import FOREVER, People


def give_place(model: Model, command: MemberAdd, told: Context) -> set[E]:
    """A place, unless there is one."""
    user_id = command.person.user_id
    if model.people.is_out(user_id, told.now_ms):
        return {E.BANNED}
    model.people.since.setdefault(user_id, told.now_ms)
    return set()


def offer(model: Model, command: SlashRegister, told: Context) -> set[E]:
    """Commands of a bot, which has a place then."""
    people, bot = model.people, told.actor.user_id
    names = [each.name for each in command.commands]
    if len(set(names)) < len(names):
        return {E.BAD_REQUEST}
    others = [name for key, theirs in people.slash.items() if key != bot for name in theirs]
    reasons = set()
    if set(others) & set(names):
        reasons.add(E.NAME_TAKEN)
    if len(others) + len(names) > 200:
        reasons.add(E.SLASH_FULL)
    if not reasons:
        before = people.slash.pop(bot, [])
        if names:
            people.slash[bot] = names
        if names != before:
            people.since.setdefault(bot, told.now_ms)
    return reasons


def take_place(model: Model, command: MemberRemove, told: Context) -> set[E]:
    """None any more."""
    if command.user_id not in model.people.since:
        return {E.NOT_MEMBER}
    if command.user_id == model.people.owner:
        return {E.OWNER_STAYS}
    model.people.put_out(command.user_id)
    return set()


def set_role(model: Model, command: MemberSetRole, told: Context) -> set[E]:
    """A role, and a place with it; the same role again is nothing."""
    people = model.people
    if told.target is None:
        return {E.UNKNOWN_PERSON}
    if people.is_out(command.user_id, told.now_ms):
        return {E.BANNED}
    if people.role(command.user_id) != command.role:
        people.since.setdefault(command.user_id, told.now_ms)
        people.roles[command.user_id] = command.role
    return set()


def kick(model: Model, command: MemberKick, told: Context) -> set[E]:
    """Out."""
    if told.target is None:
        return {E.UNKNOWN_PERSON}
    model.people.put_out(command.user_id)
    return set()


def mute(model: Model, command: MemberMute, told: Context) -> set[E]:
    """Silent until then."""
    if told.target is None:
        return {E.UNKNOWN_PERSON}
    model.people.mutes[command.user_id] = _end_ms(command.duration_ms, told)
    return set()


def unmute(model: Model, command: MemberUnmute, told: Context) -> set[E]:
    """May speak; what is over already stays as it is."""
    people = model.people
    if people.is_silent(command.user_id, told.now_ms):
        del people.mutes[command.user_id]
    return set()


def ban(model: Model, command: MemberBan, told: Context) -> set[E]:
    """Out, and not in again; bans that are over are forgotten with the next."""
    people = model.people
    if told.target is None:
        return {E.UNKNOWN_PERSON}
    end_ms = _end_ms(command.duration_ms, told)
    if people.bans.get(command.user_id) != end_ms:
        people.bans = {key: end for key, end in people.bans.items() if end > told.now_ms}
    people.bans[command.user_id] = end_ms
    people.put_out(command.user_id)
    return set()


def unban(model: Model, command: MemberUnban, told: Context) -> set[E]:
    """May come in."""
    if model.people.is_out(command.user_id, told.now_ms):
        del model.people.bans[command.user_id]
    return set()


def transfer(model: Model, command: OwnerTransfer, told: Context) -> set[E]:
    """Another owner."""
    target, people = told.target, model.people
    if target is None:
        return {E.UNKNOWN_PERSON}
    if target.user_id == people.owner:
        return set()
    reasons = {E.BANNED} if people.is_out(target.user_id, told.now_ms) else set()
    if target.kind != "person":
        reasons.add(E.ACCOUNT_REQUIRED)
    if not reasons:
        people.hand_over(target.user_id, told.now_ms, gone=False)
    return reasons


def succeed(model: Model, command: OwnerSucceed, told: Context) -> set[E]:
    """The longest-serving moderator follows; of several the real room names one."""
    people = model.people
    heirs = [key for key, role in people.roles.items() if role == "moderator"]
    if heirs := _longest(people, heirs, model.names):
        assert model.shown.room.owner_id in heirs
        people.hand_over(
            model.shown.room.owner_id, told.now_ms, command.reason == "account_deleted"
        )
    elif command.reason == "account_deleted":
        target = told.target
        if target is not None and target.user_id in people.since and target.kind == "person":
            people.hand_over(target.user_id, told.now_ms, gone=True)
        else:
            model.close(told.now_ms)
    return set()


def _longest(people: People, among: list[str], names: dict[str, Person]) -> list[str]:
    """Those people with an account who have had a place for longest."""
    able = [key for key in among if names[key].kind == "person"]
    first_ms = min((people.since[key] for key in able), default=0)
    return [key for key in able if people.since[key] == first_ms]


def _end_ms(duration_ms: int | None, told: Context) -> int:
    return FOREVER if duration_ms is None else told.now_ms + duration_ms
