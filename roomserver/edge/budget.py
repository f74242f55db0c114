"""How much one connection may send: a bucket that fills as time passes."""

from roomserver.runtime.clock import monotonic_ns


class Budget:
    """So many a second, with one second's worth in reserve."""

    __slots__ = ("_at_ns", "_left", "_per_second")

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._left = float(per_second)
        self._at_ns = monotonic_ns()

    def take(self) -> bool:
        """Use one; False if there is none left."""
        now_ns = monotonic_ns()
        self._left = min(
            self._per_second, self._left + (now_ns - self._at_ns) * self._per_second / 1e9
        )
        self._at_ns = now_ns
        if self._left < 1:
            return False
        self._left -= 1
        return True

    @property
    def retry_after_ms(self) -> int:
        """When one will be there again."""
        return max(1, int((1 - self._left) * 1_000 / self._per_second) + 1)
