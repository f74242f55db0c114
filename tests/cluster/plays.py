"""What the log of a room says about its music: ends that are one each, starts that are exact."""

from collections.abc import Iterator
from typing import Final

from protocol.catalog import RoomEvent
from protocol.codec import decode_snapshot
from protocol.fold import fold
from protocol.playback import (
    Playback,
    PlaybackEnded,
    PlaybackScheduled,
    PlaybackStarted,
    Start,
)
from protocol.queue import Entry
from protocol.rooms import RoomClosed
from tests.cluster.log import RoomLog

SAMPLE_MS: Final = 1 / 48
"""Instants are told in float64, boundaries are counted in samples: nearer than this is equal."""


def check_plays(log: RoomLog) -> Iterator[tuple[str, str]]:
    """(plays | schedule, what is wrong), following the log from its start."""
    snapshot = decode_snapshot(log.start)
    ended: set[str] = set()
    due: Start | None = None
    for row in log.rows:
        event, playback = row.event, snapshot.playback
        before = playback.entry
        if isinstance(event, PlaybackEnded):
            yield from _check_end(row.seq, event, playback, ended)
            due = _next_start(event, playback)
            ended.add(event.entry_id)
        elif isinstance(event, PlaybackStarted):
            if due is not None and event.entry_id == due.entry_id:
                late_ms = event.started_at_ms - due.started_at_ms
                if abs(late_ms) > SAMPLE_MS:
                    yield "schedule", f"{row.seq}: {event.entry_id} started {late_ms} ms late"
            due = None
        fold(snapshot, event)
        yield from _check_current(row.seq, event, before, playback.entry)
        if isinstance(event, PlaybackScheduled):
            yield from _check_agreed(row.seq, playback, snapshot.queue)
        if due is not None and isinstance(event, PlaybackScheduled):
            # What follows was planned anew between the end and the start.
            due = None


def _check_end(
    seq: int, event: PlaybackEnded, playback: Playback, ended: set[str]
) -> Iterator[tuple[str, str]]:
    if event.entry_id in ended:
        yield "plays", f"{seq}: {event.entry_id} ended twice"
    elif playback.entry is None or playback.entry.entry_id != event.entry_id:
        yield "plays", f"{seq}: {event.entry_id} ended and was not current"
    elif event.reason == "finished":
        ends_at_ms = playback.ends_at_ms()
        if ends_at_ms is None or abs(event.ended_at_ms - ends_at_ms) > SAMPLE_MS:
            yield "schedule", f"{seq}: ended at {event.ended_at_ms}, not at {ends_at_ms}"


def _next_start(event: PlaybackEnded, playback: Playback) -> Start | None:
    if event.reason != "finished" or not playback.upcoming:
        return None
    return playback.upcoming[0]


def _check_current(
    seq: int, event: RoomEvent, before: Entry | None, now: Entry | None
) -> Iterator[tuple[str, str]]:
    if before is None or (now is not None and now.entry_id == before.entry_id):
        return
    if not isinstance(event, PlaybackEnded | RoomClosed):
        yield "plays", f"{seq}: {before.entry_id} was current and has no end: {event}"


def _check_agreed(seq: int, playback: Playback, queue: list[Entry]) -> Iterator[tuple[str, str]]:
    """Each agreed start lies exactly at the end of what comes before it."""
    ends_at_ms = playback.ends_at_ms()
    lengths_ms = {e.entry_id: e.track.duration_samples * SAMPLE_MS for e in queue}
    for start in playback.upcoming:
        if ends_at_ms is None or start.entry_id not in lengths_ms:
            yield "schedule", f"{seq}: {start} follows nothing"
            return
        if abs(start.started_at_ms - ends_at_ms) > SAMPLE_MS:
            yield "schedule", f"{seq}: {start} does not follow {ends_at_ms}"
        ends_at_ms = start.started_at_ms + lengths_ms[start.entry_id]
