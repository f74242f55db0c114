"""Votes: for an entry that waits, and for skipping the one that plays."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from protocol.base import Body, Command, Count, Event
from protocol.ids import EntryId
from protocol.playback import SkipVotes
from protocol.queue import place

if TYPE_CHECKING:
    from protocol.snapshot import Snapshot


class VotesCast(Command, frozen=True, kw_only=True, tag="votes.cast"):
    """Vote for a waiting entry; again changes nothing. Only in the mode `votes`; a bot has no vote.

    Rejects: unknown_entry, no_voting, muted, not_allowed, banned, room_closed.
    """

    entry_id: EntryId


class VotesRetract(Command, frozen=True, kw_only=True, tag="votes.retract"):
    """Take back one's vote: for a waiting entry, or for skipping the current one.

    Without such a vote it changes nothing.
    Rejects: unknown_entry, muted, not_allowed, banned, room_closed.
    """

    entry_id: EntryId


class VotesSkip(Command, frozen=True, kw_only=True, tag="votes.skip"):
    """Vote for skipping the current entry; who may skip does so at once, as by `playback.next`.
    A bot has no vote.

    Rejects: nothing_playing, conflict, muted, not_allowed, banned, room_closed.
    """

    entry_id: EntryId


class VotesCount(Command, frozen=True, kw_only=True, tag="votes.count"):
    """System: people left while a skip vote was open; fewer votes may be enough now."""


class VotesChanged(Event, frozen=True, kw_only=True, tag="votes.changed"):
    """So many people vote for an entry that waits; or, with `needed`, for skipping the current."""

    entry_id: EntryId
    votes: Count
    needed: Count | None = None
    """At so many votes the current entry is skipped; counted anew with each event."""


class SkipBody(Body, frozen=True, kw_only=True):
    """As in `votes.skip`."""

    entry_id: EntryId


def fold_votes_changed(snapshot: "Snapshot", event: VotesChanged) -> None:
    """Keep the number at the entry."""
    playback = snapshot.playback
    if playback.entry is not None and playback.entry.entry_id == event.entry_id:
        if event.needed is not None:
            playback.skip = SkipVotes(votes=event.votes, needed=event.needed)
        return
    index = place(snapshot.queue, event.entry_id)
    if index is not None:
        snapshot.queue[index] = replace(snapshot.queue[index], votes=event.votes)
