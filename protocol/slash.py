"""Slash commands: what the bots of a room can be asked for in its chat, as `/skip` or `/add Blue`.

A bot registers its commands; everybody in the room sees them and a page completes them. To use one
is to say it: a `chat.send` that begins with `/name`. The room passes it on like any other message;
the bot that registered the name acts on it.
"""

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from protocol.base import Command, Entity, Event
from protocol.ids import UserId
from protocol.users import Person

if TYPE_CHECKING:
    from protocol.snapshot import Snapshot

COMMANDS_PER_BOT = 50
COMMANDS_PER_ROOM = 200

SlashName = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,32}$", max_length=32)]
"""What stands behind the `/`."""
SlashText = Annotated[str, Meta(min_length=1, max_length=100)]
SlashHint = Annotated[str, Meta(max_length=60)]


class SlashCommand(Entity, frozen=True, kw_only=True):
    """One command of a bot."""

    name: SlashName
    description: SlashText
    """What it does, for people."""
    hint: SlashHint = ""
    """What may be written behind the name, as `<title>`; empty: nothing."""


class SlashOffer(
    SlashCommand, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One command, as its bot registers it."""


class SlashBot(Entity, frozen=True, kw_only=True):
    """A bot and its commands."""

    bot: Person
    commands: list[SlashCommand]


class SlashRegister(Command, frozen=True, kw_only=True, tag="slash.register"):
    """Offer these commands in the room, instead of those that one has registered before. Only bots
    may; a bot without a place in the room has one then, and its commands are gone with the place.

    A name is whose bot came first. The same commands again change nothing. Rejects: bad_request (a
    name twice), name_taken (by another bot), slash_full, muted, not_allowed, banned, rate_limited,
    room_closed.
    """

    commands: Annotated[list[SlashOffer], Meta(max_length=COMMANDS_PER_BOT)]
    """Empty: take all back."""


class SlashRegistered(Event, frozen=True, kw_only=True, tag="slash.registered"):
    """A bot offers these commands now and no others."""

    bot: Person
    commands: list[SlashCommand]


def fold_slash_registered(snapshot: "Snapshot", event: SlashRegistered) -> None:
    """Replace what the bot offered; a bot without commands has no row."""
    if event.commands:
        offered = SlashBot(bot=event.bot, commands=event.commands)
        snapshot.slash[event.bot.user_id] = offered
    else:
        withdraw(snapshot, event.bot.user_id)


def withdraw(snapshot: "Snapshot", user_id: UserId) -> None:
    """Whose place is gone offers nothing any more."""
    snapshot.slash.pop(user_id, None)
