"""Where the music of a room is at an instant, to the sample. Pure; `httpapi/web/schedule.js` is
how the page says the same.

A snapshot tells where the music is from the last agreed instant on; until then what was agreed
before goes on. So whoever listens remembers: `Schedule.follow` takes one snapshot after the other.
"""

from typing import Final, NamedTuple

from protocol.base import SAMPLE_RATE_HZ
from protocol.ids import EntryId, TrackId
from protocol.queue import Entry
from protocol.snapshot import Snapshot

REMEMBERED_MS: Final = 10_000.0
"""For so long it is still known where the music was."""


class Playhead(NamedTuple):
    """The sample of a track that is to be heard at an instant."""

    entry_id: EntryId
    track_id: TrackId
    position_samples: float
    """From the first sample of the track, at 48 kHz; between two samples there are fractions."""


class _Cue(NamedTuple):
    """A piece of one track that is heard from `from_ms` to before `until_ms`, cluster time."""

    entry_id: EntryId
    track_id: TrackId
    from_ms: float
    until_ms: float
    position_ms: float
    rate: float

    def at(self, cluster_ms: float) -> Playhead:
        position_ms = self.position_ms + (cluster_ms - self.from_ms) * self.rate
        return Playhead(self.entry_id, self.track_id, position_ms * SAMPLE_RATE_HZ / 1_000)


class Schedule:
    """What is heard when, as far as it is agreed."""

    def __init__(self) -> None:
        self._cues: list[_Cue] = []

    def follow(self, snapshot: Snapshot, now_ms: float) -> None:
        """Take in a snapshot that holds at `now_ms` (cluster time)."""
        playback = snapshot.playback
        changes_at_ms = now_ms
        if playback.status in ("playing", "paused") and not snapshot.suspended:
            changes_at_ms = playback.started_at_ms if playback.started_at_ms is not None else now_ms
        self._cues = [
            cue._replace(until_ms=min(cue.until_ms, changes_at_ms))
            for cue in self._cues
            if cue.from_ms < changes_at_ms and cue.until_ms > now_ms - REMEMBERED_MS
        ] + _cues(snapshot)

    def silence(self, now_ms: float) -> None:
        """Nothing more is heard from `now_ms` on (the room was left)."""
        self._cues = [
            cue._replace(until_ms=min(cue.until_ms, now_ms))
            for cue in self._cues
            if cue.from_ms < now_ms
        ]

    def at(self, cluster_ms: float) -> Playhead | None:
        """What is heard at an instant; None for silence, and for what lies more than 10 s back."""
        for cue in self._cues:
            if cue.from_ms <= cluster_ms < cue.until_ms:
                return cue.at(cluster_ms)
        return None


def _cues(snapshot: Snapshot) -> list[_Cue]:
    """The current entry and the agreed starts behind it; none while nothing moves."""
    playback = snapshot.playback
    entry, started_at_ms = playback.entry, playback.started_at_ms
    if snapshot.suspended or playback.status != "playing" or entry is None or started_at_ms is None:
        return []
    cues = [_cue(entry, started_at_ms, playback.position_ms, playback.rate)]
    waiting = {one.entry_id: one for one in snapshot.queue}
    for start in playback.upcoming:
        if (agreed := waiting.get(start.entry_id)) is not None:
            cues.append(_cue(agreed, start.started_at_ms, 0.0, playback.rate))
    return cues


def _cue(entry: Entry, at_ms: float, position_ms: float, rate: float) -> _Cue:
    length_ms = entry.track.duration_samples * 1_000 / SAMPLE_RATE_HZ - position_ms
    until_ms = at_ms + length_ms / rate
    return _Cue(entry.entry_id, entry.track.track_id, at_ms, until_ms, position_ms, rate)
