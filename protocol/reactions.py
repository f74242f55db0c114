"""Reactions to the music: counted for each second of the track, told at most once a second."""

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from protocol.base import Command, Count, Event
from protocol.chat import Emoji
from protocol.ids import EntryId

if TYPE_CHECKING:
    from protocol.snapshot import Snapshot

REACTIONS_EVERY_MS = 1_000
"""The home gathers reactions for so long and counts them in one event."""

Tally = Annotated[dict[Emoji, Annotated[int, Meta(ge=1, le=2**53)]], Meta(min_length=1)]


class ReactionSend(Command, frozen=True, kw_only=True, tag="reaction.send"):
    """React to what is playing. The ack comes with the count, within a second.

    Rejects: nothing_playing, muted, not_allowed, banned, rate_limited, room_closed.
    """

    emoji: Emoji


class ReactionsCount(Command, frozen=True, kw_only=True, tag="reactions.count"):
    """System: so many reactions have come in, each of which the room would have taken.

    Rejects: nothing_playing.
    """

    counts: Tally


class ReactionsCounted(Event, frozen=True, kw_only=True, tag="reactions.counted"):
    """People reacted to the music in this second of the current entry; counts of one entry and
    second add up. Nothing of it is in the snapshot: the log keeps it."""

    entry_id: EntryId
    second: Count
    """Whole seconds from the start of the track."""
    counts: Tally


def fold_reactions_counted(snapshot: "Snapshot", event: ReactionsCounted) -> None:
    """Passing: shown when it comes, and replayed from the log."""
