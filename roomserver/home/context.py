"""What a room is told with a command: of what costs anything, only what the command needs."""

import math
import secrets
from typing import Final

from protocol.catalog import RoomCommand
from protocol.ids import UserId
from protocol.moderation import MemberBan, MemberKick, MemberMute, MemberUnmute
from protocol.queue import QueueAdd, QueueShuffle
from protocol.rooms import RoomUpdate
from protocol.users import Person
from protocol.votes import VotesCount, VotesRetract, VotesSkip
from roomserver.home.enrich import (
    NAMING,
    Rows,
    heirs,
    is_orphaned,
    known_person,
    message_of,
)
from roomserver.home.here import Here
from roomserver.room.context import Context

COUNTING: Final = (VotesRetract, VotesSkip, VotesCount)
"""Commands for which it matters who is here."""
RECOUNTING: Final = (MemberKick, MemberMute, MemberUnmute, MemberBan, RoomUpdate)
"""Commands that change whose vote for skipping counts, or how many are enough."""
SEED_BITS: Final = 53


def context_of(
    here: Here, command: RoomCommand, actor: Person, at_ms: float, commit_ms: float, rows: Rows
) -> Context:
    """Who, when and by what chance, with the rows that were looked up for the command.

    `commit_ms`: how long a commit takes, as a common act must allow for.
    """
    public, presence = here.public, here.presence
    track = target = message = None
    addresses: tuple[str, ...] = ()
    if isinstance(command, QueueAdd):
        track = rows.tracks.get(command.track_id)
    elif isinstance(command, NAMING):
        target = known_person(here, command.user_id) or rows.people.get(command.user_id)
        if isinstance(command, MemberBan) and command.by_address:
            addresses = presence.addresses(command.user_id)
    elif is_orphaned(command):
        line = (known_person(here, one) or rows.people.get(one) for one in heirs(here))
        target = next((heir for heir in line if heir and heir.kind == "person"), None)
    elif (message_id := message_of(command)) is not None:
        message = rows.messages.get(message_id)
    is_counted = isinstance(command, COUNTING) or (
        public.playback.skip is not None and isinstance(command, RECOUNTING)
    )
    return Context(
        actor=actor,
        now_ms=math.ceil(at_ms),
        lead_ms=presence.lead_ms(commit_ms),
        present=presence.people,
        track=track,
        seed=secrets.randbits(SEED_BITS) if isinstance(command, QueueShuffle) else 0,
        here=_counted(here, command) if is_counted else frozenset(),
        target=target,
        addresses=addresses,
        message=message,
    )


def _counted(here: Here, command: RoomCommand) -> frozenset[UserId]:
    """Who is here, without somebody whom the command puts out."""
    users = frozenset(here.presence.users())
    return users - {command.user_id} if isinstance(command, MemberKick | MemberBan) else users
