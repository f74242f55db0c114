"""Is somebody still there, and how far away? One connection's pings and pongs."""

from typing import TYPE_CHECKING

from roomserver.edge.wheel import Due
from roomserver.runtime.clock import monotonic_ns

if TYPE_CHECKING:
    from roomserver.edge.connection import Connection
    from roomserver.edge.pace import Pace
    from roomserver.edge.wheel import Wheel


class Keepalive:
    """Pings early for the distance, then now and then for the life of the line."""

    __slots__ = ("_connection", "_due", "_pace", "_pings", "_sent_ns", "_waits", "_wheel", "rtt_ms")

    def __init__(self, connection: "Connection", wheel: "Wheel", pace: "Pace") -> None:
        self._connection = connection
        self._wheel = wheel
        self._pace = pace
        self._pings = 0
        self._sent_ns = 0
        self._waits = False
        self._due: Due | None = None
        self.rtt_ms: float | None = None
        """The last round trip that we measured ourselves; None before the first pong."""

    def start(self) -> None:
        """Begin; goes on until `close`."""
        early = self._pace.ping_early_ms
        delay_ms = early[self._pings] if self._pings < len(early) else self._pace.ping_every_ms
        self._due = self._wheel.after(delay_ms, self._ping)

    def pong(self, data: bytes) -> bool:
        """A pong came; False if it does not answer our last ping."""
        if not self._waits or data != self._pings.to_bytes(4, "big"):
            return False
        self.close()
        self.rtt_ms = (monotonic_ns() - self._sent_ns) / 1e6
        self.start()
        return True

    def close(self) -> None:
        """No more."""
        self._waits = False
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _ping(self) -> None:
        self._pings += 1
        self._waits = True
        self._due = self._wheel.after(self._pace.pong_within_ms, self._connection.drop)
        self._sent_ns = monotonic_ns()
        self._connection.ping(self._pings.to_bytes(4, "big"))
