"""Cluster time for a bot: the client's clock, read by this machine's."""

from time import monotonic_ns

from protocol.client_clock import ClientClock


def local_ms() -> float:
    """This machine's own monotonic clock."""
    # Not the loop's: uvloop's steps by whole milliseconds.
    return monotonic_ns() / 1_000_000


class Clock:
    """The same instant for all who hear a room."""

    def __init__(self, measured: ClientClock) -> None:
        self._measured = measured

    def now_ms(self) -> float:
        """Cluster time, ms since 1970. Moves a little with each probe."""
        return self._measured.now_ms(local_ms())

    def cluster_ms(self, monotonic_ms: float) -> float:
        """Cluster time at another instant of this machine's monotonic clock, as known by now."""
        return self._measured.now_ms(monotonic_ms)

    @property
    def rtt_ms(self) -> float | None:
        """The round trip to the server, at its best; None before the first probe."""
        return self._measured.rtt_ms

    @property
    def drift(self) -> float:
        """How much faster than this machine's clock cluster time goes: 1e-6 is one ppm."""
        return self._measured.drift
