"""Who heard how much of what is current: what sounded when, against who was here when.

Pure. A room's music moves in stretches; a person hears the parts of them that sound during a stay.
What counts is how much of the track was heard, so that a part heard twice counts once.

    start ... seek ... rest     the stretches, from committed events
    leave                       a stay ended; those who are still here are given with each question
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from protocol.history import needed_ms
from protocol.ids import EntryId, TrackId, UserId
from protocol.playback import (
    SAMPLES_PER_MS,
    Playback,
    PlaybackEnded,
    PlaybackPaused,
    PlaybackSeeked,
    PlaybackStarted,
)
from protocol.queue import Entry
from protocol.rooms import RoomSuspended
from roomserver.home.play_rows import Current

Sound = PlaybackStarted | PlaybackPaused | PlaybackSeeked | PlaybackEnded | RoomSuspended
SOUNDS: Final = (PlaybackStarted, PlaybackPaused, PlaybackSeeked, PlaybackEnded, RoomSuspended)
"""Events after which something else is heard, or nothing."""


class Stretch(NamedTuple):
    """The music moved from `position_ms` on, from one instant to another."""

    from_ms: float
    to_ms: float
    position_ms: float


class Stay(NamedTuple):
    """From one instant to another."""

    from_ms: float
    to_ms: float


class Visit(NamedTuple):
    """A person was here from one instant to another."""

    user_id: UserId
    from_ms: float
    to_ms: float
    """Infinite while the person is here. Who lost the connection was here until it was lost."""


class ListenRow(NamedTuple):
    """A play that counts for somebody."""

    user_id: UserId
    play_id: EntryId
    track_id: TrackId
    played_at_ms: int
    heard_ms: int


class Heard:
    """What people have heard of one room's current entry. All instants are cluster ms."""

    def __init__(self, playback: Playback, now_ms: float) -> None:
        """Begin with a room as it is; who heard what before is not known."""
        self.due_at_ms: float | None = None
        """When those who were here all the time have heard enough: worth writing down even if the
        rest of the entry is never told."""
        self._entry: Entry | None = playback.entry
        self._moving: tuple[float, float] | None = None
        self._stretches: list[Stretch] = []
        self._stays: dict[UserId, list[Stay]] = {}
        self._is_told = False
        if playback.status == "playing" and playback.started_at_ms is not None:
            from_ms = max(playback.started_at_ms, now_ms)
            self._move(from_ms, playback.position_ms + from_ms - playback.started_at_ms)

    def take(self, event: Sound, current: Current, here: Iterable[Visit]) -> list[ListenRow]:
        """The next committed event. `current` as with plays; `here`: who is here now.

        Returns who has heard enough, once that is worth writing down.
        """
        if isinstance(event, PlaybackStarted):
            entry = next((e for e in current if e and e.entry_id == event.entry_id), self._entry)
            if self._entry is None or entry is None or entry.entry_id != self._entry.entry_id:
                self._forget()
                self._entry = entry
            self._rest(event.started_at_ms)
            self._move(event.started_at_ms, event.position_ms)
        elif isinstance(event, PlaybackPaused):
            self._rest(event.paused_at_ms)
        elif isinstance(event, PlaybackSeeked):
            if self._moving is not None:
                self._rest(event.started_at_ms)
                self._move(event.started_at_ms, event.position_ms)
        elif isinstance(event, RoomSuspended):
            if self._moving is not None:
                begun_at_ms, position_ms = self._moving
                self._rest(begun_at_ms + event.position_ms - position_ms)
            # The room may be unloaded before the entry ends.
            return self._enough(here, self._stretches)
        else:
            self._rest(event.ended_at_ms)
            rows = self._enough(here, self._stretches)
            self._forget()
            return rows
        return []

    def leave(self, visit: Visit) -> None:
        """A person's stay is over; kept only if something sounded meanwhile."""
        user_id, from_ms, to_ms = visit
        if any(to_ms > each.from_ms and from_ms < each.to_ms for each in self._until(to_ms)):
            self._stays.setdefault(user_id, []).append(Stay(from_ms, to_ms))

    def so_far(self, here: Iterable[Visit], now_ms: float) -> list[ListenRow]:
        """Who has heard enough by now."""
        return self._enough(here, self._until(now_ms))

    def look(self, here: Iterable[Visit], now_ms: float) -> list[ListenRow]:
        """At `due_at_ms`: who has heard enough, if that is so for those here all the time."""
        if self.due_at_ms is None or now_ms < self.due_at_ms:
            return []
        self._look_after(now_ms)
        return self.so_far(here, now_ms) if self.due_at_ms is None else []

    def _move(self, from_ms: float, position_ms: float) -> None:
        self._moving = (from_ms, position_ms)
        if not self._is_told:
            self._look_after(from_ms)

    def _rest(self, at_ms: float) -> None:
        self._stretches = self._until(at_ms)
        self._moving = None
        self.due_at_ms = None

    def _forget(self) -> None:
        self._entry = None
        self._moving = None
        self._stretches = []
        self._stays = {}
        self._is_told = False
        self.due_at_ms = None

    def _look_after(self, now_ms: float) -> None:
        """When to look: the earliest instant at which somebody can have heard enough."""
        needed = self._needed_ms()
        left_ms = None if needed is None else needed - self._covered_ms(now_ms)
        self._is_told = left_ms is not None and left_ms <= 0
        self.due_at_ms = None if left_ms is None or left_ms <= 0 else now_ms + left_ms

    def _covered_ms(self, now_ms: float) -> float:
        everything = Stay(float("-inf"), float("inf"))
        return _covered(self._until(now_ms), [everything])

    def _needed_ms(self) -> int | None:
        entry = self._entry
        return None if entry is None else needed_ms(entry.track.duration_samples / SAMPLES_PER_MS)

    def _until(self, at_ms: float) -> list[Stretch]:
        """The stretches, with the one that goes on up to an instant."""
        if self._moving is None or at_ms <= self._moving[0]:
            return self._stretches
        from_ms, position_ms = self._moving
        return [*self._stretches, Stretch(from_ms, at_ms, position_ms)]

    def _enough(self, here: Iterable[Visit], stretches: list[Stretch]) -> list[ListenRow]:
        entry, needed = self._entry, self._needed_ms()
        if entry is None or needed is None or not stretches:
            return []
        begun_ms, ended_ms = stretches[0].from_ms, stretches[-1].to_ms
        stays = {user_id: list(before) for user_id, before in self._stays.items()}
        for user_id, from_ms, to_ms in here:
            if from_ms < ended_ms and to_ms > begun_ms:
                stays.setdefault(user_id, []).append(Stay(from_ms, to_ms))
        rows = []
        # Most of a large room were here all the time: they have heard the same.
        known: dict[tuple[Stay, ...], int] = {}
        for user_id, theirs in stays.items():
            cut = tuple(Stay(max(a, begun_ms), min(b, ended_ms)) for a, b in theirs)
            if cut not in known:
                known[cut] = round(_covered(stretches, cut))
            if known[cut] >= needed:
                track_id, at_ms = entry.track.track_id, round(cut[0].from_ms)
                rows.append(ListenRow(user_id, entry.entry_id, track_id, at_ms, known[cut]))
        return rows


def _covered(stretches: Sequence[Stretch], stays: Sequence[Stay]) -> float:
    """How much of the track sounded during the stays, in ms; each part counts once."""
    parts = sorted(
        (position_ms + max(from_ms, came_ms) - from_ms, position_ms + min(to_ms, went_ms) - from_ms)
        for from_ms, to_ms, position_ms in stretches
        for came_ms, went_ms in stays
        if min(to_ms, went_ms) > max(from_ms, came_ms)
    )
    total_ms, reached_ms = 0.0, float("-inf")
    for from_ms, to_ms in parts:
        total_ms += max(0.0, to_ms - max(from_ms, reached_ms))
        reached_ms = max(reached_ms, to_ms)
    return total_ms
