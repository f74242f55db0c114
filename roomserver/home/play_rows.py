"""What was played, and how much of it was heard: rows of `plays`."""

from msgspec import Struct
from msgspec.structs import replace

from protocol.ids import EntryId, TrackId, UserId
from protocol.playback import PlaybackEnded, PlaybackStarted
from protocol.queue import Entry

Current = tuple[Entry | None, Entry | None]
"""The entry that was current before a command and the one that is after it."""


class PlayRow(Struct, frozen=True):
    """A play that began in this batch."""

    play_id: EntryId
    track_id: TrackId
    added_by: UserId
    started_at_ms: int
    ended_at_ms: int | None = None
    heard_ms: int | None = None


class EndRow(Struct, frozen=True):
    """The end of a play that began in an earlier batch."""

    play_id: EntryId
    ended_at_ms: int
    heard_ms: int


class PlayRows:
    """Rows of one batch: a play that ends either began in it or did not."""

    __slots__ = ("begun", "ends")

    def __init__(self) -> None:
        self.begun: dict[EntryId, PlayRow] = {}
        self.ends: dict[EntryId, EndRow] = {}

    def start(self, event: PlaybackStarted, current: Current) -> None:
        """A play begins; a start after a pause or a seek leaves the row as it is."""
        entry = next((e for e in current if e is not None and e.entry_id == event.entry_id), None)
        if entry is not None and event.entry_id not in self.begun:
            self.begun[event.entry_id] = PlayRow(
                event.entry_id,
                entry.track.track_id,
                entry.added_by.user_id,
                round(event.started_at_ms),
            )

    def end(self, event: PlaybackEnded) -> None:
        """A play ends."""
        ended_at_ms, heard_ms = round(event.ended_at_ms), round(event.heard_ms)
        begun = self.begun.get(event.entry_id)
        if begun is not None:
            self.begun[event.entry_id] = replace(begun, ended_at_ms=ended_at_ms, heard_ms=heard_ms)
        else:
            self.ends[event.entry_id] = EndRow(event.entry_id, ended_at_ms, heard_ms)
