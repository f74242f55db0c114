"""A listener without ears: it tells which sample would be heard where it is."""

from protocol.bot_clock import Clock
from protocol.client_playhead import Playhead, Schedule
from protocol.snapshot import Snapshot

__all__ = ["Listener", "Playhead"]


class Listener:
    """A room's music as a good player would let it sound. Made by `room.listen()`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._schedule = Schedule()

    def playhead(self) -> Playhead | None:
        """What is heard at this moment; None for silence."""
        return self._schedule.at(self._clock.now_ms())

    def playhead_at(self, cluster_ms: float) -> Playhead | None:
        """What is heard at an instant of cluster time: 10 s back, and as far ahead as agreed."""
        return self._schedule.at(cluster_ms)

    def follow(self, snapshot: Snapshot | None) -> None:
        """The driver's: the room changed; None: it was left."""
        now_ms = self._clock.now_ms()
        if snapshot is None:
            self._schedule.silence(now_ms)
        else:
            self._schedule.follow(snapshot, now_ms)
