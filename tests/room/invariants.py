"""What holds in every room after every command."""

from protocol.catalog import RoomEvent
from protocol.playback import PlaybackEnded, PlaybackStarted, PlaybackWaiting
from protocol.snapshot import Snapshot
from roomserver.room.schedule import AHEAD_MS

EIGHTIETH_SAMPLE_MS = 1 / 48 / 80
"""A float64 of today's instants cannot be nearer than this to a boundary between two samples."""


def check_snapshot(public: Snapshot) -> None:
    """The public half makes sense on its own."""
    playback, queue = public.playback, public.queue
    names = [entry.entry_id for entry in queue]
    if playback.entry is not None:
        names.append(playback.entry.entry_id)
    assert len(set(names)) == len(names), "an entry is in two places"
    assert (playback.status == "idle") == (playback.entry is None)
    assert 0 <= playback.position_ms <= playback.duration_ms()
    assert (playback.wait_until_ms is not None) <= (playback.status == "waiting")
    if public.room.closed:
        assert playback.status == "idle" and not queue
    elif not public.suspended:
        assert playback.status != "idle" or not queue, "nothing plays though something could"
    check_upcoming(public)


def check_upcoming(public: Snapshot) -> None:
    """The agreed starts follow each other without a gap, and reach far enough."""
    playback, queue = public.playback, public.queue
    ends_at_ms = playback.ends_at_ms()
    if ends_at_ms is None:
        assert playback.upcoming == []
        return
    at_ms = ends_at_ms
    for start, entry in zip(playback.upcoming, queue, strict=False):
        assert start.entry_id == entry.entry_id
        assert abs(start.started_at_ms - at_ms) <= EIGHTIETH_SAMPLE_MS
        at_ms = start.started_at_ms + entry.track.duration_samples / 48
    instants = [start.started_at_ms for start in playback.upcoming]
    assert instants == sorted(set(instants))
    assert len(instants) == len(queue) or (instants and at_ms >= ends_at_ms + AHEAD_MS - 0.001)


class Plays:
    """Follows the events: every entry that was current has exactly one end."""

    def __init__(self) -> None:
        self.current: str | None = None
        self.ended: list[PlaybackEnded] = []

    def follow(self, event: RoomEvent) -> None:
        """Take the next event of the log."""
        match event:
            case PlaybackWaiting() | PlaybackStarted():
                assert self.current in (None, event.entry_id), "an entry did not end"
                assert event.position_ms >= 0
                self.current = event.entry_id
            case PlaybackEnded():
                assert event.entry_id == self.current, "an entry ended that was not current"
                assert event.heard_ms >= 0
                self.ended.append(event)
                self.current = None

    def check(self, public: Snapshot) -> None:
        """What the events said is what the snapshot shows."""
        entry = public.playback.entry
        assert self.current == (entry.entry_id if entry else None)
        names = [event.entry_id for event in self.ended]
        assert len(set(names)) == len(names), "an entry ended twice"
