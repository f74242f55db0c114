"""Moderation: put somebody out, silence somebody, keep somebody out, and take it back.

Mutes and bans that have an end are compared with `ctx.now_ms` wherever they matter; nothing happens
at the end itself. Who may do it to whom is said in `permissions.py`.
"""

from typing import Final

from protocol.base import WholeAtMs
from protocol.errors import ErrorCode, Rejected
from protocol.moderation import (
    MemberBan,
    MemberBanned,
    MemberKick,
    MemberKicked,
    MemberMute,
    MemberMuted,
    MemberUnban,
    MemberUnbanned,
    MemberUnmute,
    MemberUnmuted,
)
from protocol.users import Person
from roomserver.room.context import Context
from roomserver.room.private import AddressesBanned
from roomserver.room.state import State, Step

ADDRESSES_A_BAN: Final = 16
"""A ban by address holds for at most so many of a person's addresses: those named first."""


def require_target(ctx: Context) -> Person:
    """The person that the command names. Rejects: unknown_person."""
    if ctx.target is None:
        raise Rejected(ErrorCode.UNKNOWN_PERSON)
    return ctx.target


def decide_kick(state: State, command: MemberKick, ctx: Context) -> list[Step]:
    """Put somebody out. Rejects: unknown_person."""
    person = require_target(ctx)
    event = MemberKicked(at_ms=ctx.now_ms, person=person, reason=command.reason, by=ctx.actor)
    return [Step(event)]


def decide_mute(state: State, command: MemberMute, ctx: Context) -> list[Step]:
    """Silence somebody; with the same end and reason again is no event. Rejects: unknown_person."""
    person = require_target(ctx)
    until_ms = _end_ms(command.duration_ms, ctx)
    member = state.public.members.get(person.user_id)
    mute = None if member is None else member.mute
    if mute is not None and (mute.until_ms, mute.reason) == (until_ms, command.reason):
        return []
    event = MemberMuted(
        at_ms=ctx.now_ms,
        person=person,
        joined_at_ms=state.private.members.get(person.user_id),
        until_ms=until_ms,
        reason=command.reason,
        by=ctx.actor,
    )
    return [Step(event)]


def decide_unmute(state: State, command: MemberUnmute, ctx: Context) -> list[Step]:
    """Let somebody speak again; who is not muted, or no longer, is no event."""
    member = state.public.members.get(command.user_id)
    if member is None or not member.is_muted(ctx.now_ms):
        return []
    return [Step(MemberUnmuted(at_ms=ctx.now_ms, user_id=command.user_id, by=ctx.actor))]


def decide_ban(state: State, command: MemberBan, ctx: Context) -> list[Step]:
    """Put somebody out and keep the person out; the same ban again is no event.

    By address holds for the addresses that the person is connected from now, and for those of a ban
    by address that is in force: who prolongs it does not open the door. Somebody of whom no address
    is known is banned by account only, and the event says so. Rejects: unknown_person.
    """
    person = require_target(ctx)
    until_ms = _end_ms(command.duration_ms, ctx)
    digests: list[str] = []
    known: list[str] = []
    if command.by_address:
        known = state.private.addresses_of_ban(person.user_id, ctx.now_ms)
        digests = list(dict.fromkeys([*ctx.addresses, *known]))[:ADDRESSES_A_BAN]
    ban = state.public.bans.get(person.user_id)
    if ban is not None and set(digests) <= set(known):
        before = (ban.until_ms, ban.reason, ban.by_address)
        if before == (until_ms, command.reason, bool(digests)):
            return []
    event = MemberBanned(
        at_ms=ctx.now_ms,
        person=person,
        until_ms=until_ms,
        reason=command.reason,
        by=ctx.actor,
        by_address=bool(digests),
    )
    if not digests:
        return [Step(event)]
    fact = AddressesBanned(user_id=person.user_id, until_ms=until_ms, digests=digests)
    return [Step(event, fact)]


def decide_unban(state: State, command: MemberUnban, ctx: Context) -> list[Step]:
    """Let somebody in again; who is not banned, or no longer, is no event."""
    ban = state.public.bans.get(command.user_id)
    if ban is None or not ban.is_in_force(ctx.now_ms):
        return []
    return [Step(MemberUnbanned(at_ms=ctx.now_ms, user_id=command.user_id, by=ctx.actor))]


def _end_ms(duration_ms: int | None, ctx: Context) -> WholeAtMs | None:
    return None if duration_ms is None else ctx.now_ms + duration_ms
