"""History: what was played in a room, and what each person heard of it.

A play counts for a person who heard half of the track or four minutes of it, whichever is less; the
track must be longer than 30 seconds. That is the rule of Last.fm and ListenBrainz:
https://www.last.fm/api/scrobbling
"""

from typing import Final

from protocol.base import Count, Entity
from protocol.ids import EntryId, RoomId
from protocol.tracks import Track
from protocol.users import Instant, Person

SHORT_MS: Final = 30_000
"""A track that is no longer than this is never counted."""
MOST_NEEDED_MS: Final = 240_000
"""Who heard so much has heard it, however long the track is."""


def needed_ms(duration_ms: float) -> int | None:
    """How much of a track of that length a person must hear for it to count, in whole ms.

    None: a track so short never does.
    """
    return int(min(duration_ms / 2, MOST_NEEDED_MS)) if duration_ms > SHORT_MS else None


class RoomPlay(Entity, frozen=True, kw_only=True):
    """A track that was current in a room."""

    play_id: EntryId
    """The entry that it was."""
    track: Track
    added_by: Person | None
    """Null where the account is gone."""
    started_at: Instant
    ended_at: Instant | None
    """Null while it is current."""
    heard_ms: Count | None
    """For how long it sounded; null while it is current."""


class RoomPlayPage(Entity, frozen=True, kw_only=True):
    """A page of what was played in a room, the latest first; what was deleted is not in it."""

    items: list[RoomPlay]
    next_cursor: str | None


class Listen(Entity, frozen=True, kw_only=True):
    """A play that counts for a person."""

    play_id: EntryId
    track: Track
    room_id: RoomId | None
    """Null where the person may not know of the room any more."""
    room_name: str | None
    played_at: Instant
    """When the person began to hear it."""
    heard_ms: Count
    """How much of the track the person heard; what was heard twice counts once."""


class ListenPage(Entity, frozen=True, kw_only=True):
    """A page of what a person heard, the latest first; what was deleted is not in it."""

    items: list[Listen]
    next_cursor: str | None
