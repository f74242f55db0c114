"""Playback is a pure function of time: an anchor that says where the music is at every instant.

While status is `playing`, the current entry is at `position_at(now_ms)`; its first sample sounds
at `started_at_ms - position_ms / rate`. Nobody sends ticks. What follows is scheduled ahead
(`upcoming`), so that a client starts it sample-exactly and a dead server is not heard.
"""

from typing import TYPE_CHECKING, Literal

from protocol.base import (
    SAMPLE_RATE_HZ,
    AtMs,
    Body,
    Command,
    Count,
    Entity,
    Event,
    PositionMs,
    State,
)
from protocol.ids import EntryId, UserId
from protocol.queue import Entry, place
from protocol.users import Person

if TYPE_CHECKING:
    from protocol.snapshot import Snapshot

SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1_000

Status = Literal["idle", "waiting", "playing", "paused"]
EndReason = Literal["finished", "skipped", "voted"]
"""`voted`: skipped by a vote of those present."""


class Start(Entity, frozen=True, kw_only=True):
    """A start that is agreed: `entry_id` begins at `started_at_ms` with its first sample."""

    entry_id: EntryId
    started_at_ms: AtMs


class SkipVotes(Entity, frozen=True, kw_only=True):
    """An open vote for skipping the current entry."""

    votes: Count
    needed: Count


class Playback(State, kw_only=True):
    """Where the music is."""

    status: Status = "idle"
    entry: Entry | None = None
    """The current entry; it has left the queue."""
    started_at_ms: AtMs | None = None
    """The anchor's instant. None while nothing moves: idle, waiting, suspended. While paused: the
    instant of the pause."""
    position_ms: PositionMs = 0.0
    """Where the entry was, is or will be at `started_at_ms`."""
    rate: float = 1.0
    wait_until_ms: AtMs | None = None
    """While waiting for people to load: the start comes at the latest then."""
    upcoming: list[Start] = []
    """Starts already agreed after the current entry's end, in order, at least 15 s ahead."""
    skip: SkipVotes | None = None

    def position_at(self, now_ms: float) -> float:
        """The position in ms at `now_ms`, within 0 and the entry's length."""
        position = self.position_ms
        if self.status == "playing" and self.started_at_ms is not None:
            position += (now_ms - self.started_at_ms) * self.rate
        return max(0.0, min(position, self.duration_ms()))

    def duration_ms(self) -> float:
        """Exact length of the current entry in ms, 0 without one."""
        return self.entry.track.duration_samples / SAMPLES_PER_MS if self.entry else 0.0

    def ends_at_ms(self) -> float | None:
        """The exact instant at which the current entry ends; None while the anchor rests.

        Counted in whole samples of cluster time and only then told in ms: a float64 of today
        still tells two samples apart, so that no error adds up from track to track.
        """
        if self.status != "playing" or self.started_at_ms is None or self.entry is None:
            return None
        left = self.entry.track.duration_samples - round(self.position_ms * SAMPLES_PER_MS)
        return (round(self.started_at_ms * SAMPLES_PER_MS) + left / self.rate) / SAMPLES_PER_MS

    def stop(self) -> None:
        """Nothing is current."""
        self.status = "idle"
        self.entry = None
        self.started_at_ms = None
        self.position_ms = 0.0
        self.wait_until_ms = None
        self.upcoming = []
        self.skip = None

    def freeze(self, position_ms: float) -> None:
        """Let the anchor rest at a position; status and entry stay."""
        self.started_at_ms = None
        self.position_ms = position_ms
        self.wait_until_ms = None
        self.upcoming = []


class PlaybackPlay(Command, frozen=True, kw_only=True, tag="playback.play"):
    """Go on where it was paused; with nothing current, start the first entry.

    `entry_id` is the current entry that the caller means.
    Rejects: nothing_playing (and nothing queued), conflict, not_allowed, banned, room_closed.
    """

    entry_id: EntryId | None = None


class PlaybackPause(Command, frozen=True, kw_only=True, tag="playback.pause"):
    """Rejects: nothing_playing, conflict, entry_starting, not_allowed, banned, room_closed."""

    entry_id: EntryId


class PlaybackSeek(Command, frozen=True, kw_only=True, tag="playback.seek"):
    """Go to `position_ms`, clamped to the entry's length.

    Rejects: nothing_playing, conflict, entry_starting, not_allowed, banned, room_closed.
    """

    entry_id: EntryId
    position_ms: PositionMs


class PlaybackNext(Command, frozen=True, kw_only=True, tag="playback.next"):
    """Leave the current entry and start the next.

    Rejects: nothing_playing, conflict, not_allowed, banned, room_closed.
    """

    entry_id: EntryId


class PlaybackPlayEntry(Command, frozen=True, kw_only=True, tag="playback.play_entry"):
    """Start an entry of the queue now.

    Rejects: unknown_entry, entry_starting, not_allowed, banned, room_closed.
    """

    entry_id: EntryId


class LoadingDone(Command, frozen=True, kw_only=True, tag="playback.loading_done"):
    """System: enough people have loaded `entry_id`, or 3 s have passed; `missing` have not."""

    entry_id: EntryId
    missing: list[UserId] = []


class PlaybackWaiting(Event, frozen=True, kw_only=True, tag="playback.waiting"):
    """`entry_id` is current and will start as soon as people have loaded it."""

    entry_id: EntryId
    position_ms: PositionMs
    until_ms: AtMs


class PlaybackStarted(Event, frozen=True, kw_only=True, tag="playback.started"):
    """The anchor: `entry_id` is at `position_ms` at `started_at_ms`, and moves."""

    entry_id: EntryId
    started_at_ms: AtMs
    position_ms: PositionMs
    missing: list[UserId] = []
    """Who had not loaded it and joins alone."""


class PlaybackPaused(Event, frozen=True, kw_only=True, tag="playback.paused"):
    """The anchor rests at `position_ms` from `paused_at_ms` on (the act-at instant)."""

    entry_id: EntryId
    paused_at_ms: AtMs
    position_ms: PositionMs
    by: Person


class PlaybackSeeked(Event, frozen=True, kw_only=True, tag="playback.seeked"):
    """At `started_at_ms` the entry jumps to `position_ms`; it keeps moving or resting."""

    entry_id: EntryId
    started_at_ms: AtMs
    position_ms: PositionMs
    by: Person


class PlaybackScheduled(Event, frozen=True, kw_only=True, tag="playback.scheduled"):
    """What follows the current entry: replaces the whole list of agreed starts."""

    upcoming: list[Start]


class PlaybackEnded(Event, frozen=True, kw_only=True, tag="playback.ended"):
    """The current entry is over; exactly one of these for every entry that was current."""

    entry_id: EntryId
    ended_at_ms: AtMs
    reason: EndReason
    heard_ms: float


def _make_current(snapshot: "Snapshot", entry_id: str) -> None:
    """Move an entry from the queue to the player; total: an unknown id changes nothing."""
    playback = snapshot.playback
    if playback.entry is not None and playback.entry.entry_id == entry_id:
        return
    index = place(snapshot.queue, entry_id)
    if index is not None:
        playback.entry = snapshot.queue.pop(index)


def fold_playback_waiting(snapshot: "Snapshot", event: PlaybackWaiting) -> None:
    """The entry is current, the anchor rests."""
    _make_current(snapshot, event.entry_id)
    playback = snapshot.playback
    playback.status = "waiting"
    playback.freeze(event.position_ms)
    playback.wait_until_ms = event.until_ms


def fold_playback_started(snapshot: "Snapshot", event: PlaybackStarted) -> None:
    """The entry is current, the anchor moves."""
    _make_current(snapshot, event.entry_id)
    playback = snapshot.playback
    playback.status = "playing"
    playback.started_at_ms = event.started_at_ms
    playback.position_ms = event.position_ms
    playback.wait_until_ms = None
    playback.upcoming = [start for start in playback.upcoming if start.entry_id != event.entry_id]


def fold_playback_paused(snapshot: "Snapshot", event: PlaybackPaused) -> None:
    """The anchor rests from the act-at instant on."""
    playback = snapshot.playback
    playback.status = "paused"
    playback.freeze(event.position_ms)
    playback.started_at_ms = event.paused_at_ms


def fold_playback_seeked(snapshot: "Snapshot", event: PlaybackSeeked) -> None:
    """A new anchor; status stays."""
    playback = snapshot.playback
    playback.started_at_ms = event.started_at_ms
    playback.position_ms = event.position_ms


def fold_playback_scheduled(snapshot: "Snapshot", event: PlaybackScheduled) -> None:
    """Replace the agreed starts."""
    snapshot.playback.upcoming = event.upcoming


def fold_playback_ended(snapshot: "Snapshot", event: PlaybackEnded) -> None:
    """Nothing is current until an event of playback says what is; agreed starts stay agreed."""
    upcoming = snapshot.playback.upcoming
    snapshot.playback.stop()
    snapshot.playback.upcoming = upcoming


class PlaybackPut(Body, frozen=True, kw_only=True):
    """A command of playback as REST says it; `entry_id` may be absent only to play,
    `position_ms` is for seek."""

    action: Literal["play", "pause", "seek", "next", "play_entry"]
    entry_id: EntryId | None = None
    position_ms: PositionMs | None = None
