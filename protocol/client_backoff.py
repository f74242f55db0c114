"""When a client comes back after a lost connection: growing, random waits."""

from typing import Final

from protocol.close_codes import CloseCode

FIRST_WAIT_MS: Final = 200
LONGEST_WAIT_MS: Final = 10_000
STEADY_MS: Final = 10_000
"""A connection that lasted so long was a good one, however it ended."""
LOST: Final = (CloseCode.GOING_AWAY, CloseCode.ABNORMAL, CloseCode.SERVICE_RESTART)
"""Closes that say nothing against this client: after a welcome, it starts afresh."""


class Backoff:
    """Counts the tries that came to nothing."""

    def __init__(self) -> None:
        self._tries = 0
        self._welcomed_at_ms: float | None = None

    def welcomed(self, now_ms: float) -> None:
        """The server took us in."""
        self._welcomed_at_ms = now_ms

    def lost(self, code: CloseCode, now_ms: float, chance: float) -> float:
        """The connection ended: how long to wait, in ms. `chance` is a random number in 0..1.

        Full jitter: a restarted server does not meet everybody at the same instant. A server that
        welcomes and at once sends away again is not asked ever faster.
        """
        since_ms, self._welcomed_at_ms = self._welcomed_at_ms, None
        if since_ms is not None and (code in LOST or now_ms - since_ms >= STEADY_MS):
            self._tries = 0
        ceiling_ms = min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2.0**self._tries)
        if ceiling_ms < LONGEST_WAIT_MS:
            self._tries += 1
        return ceiling_ms * chance
