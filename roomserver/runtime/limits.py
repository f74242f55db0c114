"""Rate limits: how often a subject may do an action, by a moving window.

The `limits` library decides; the storage is ours because its memory storage reads the wall clock
(an hour set back would lock everybody out) and starts a thread every 10 ms.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

import msgspec
from limits import RateLimitItemPerSecond
from limits.storage import MovingWindowSupport, Storage
from limits.strategies import MovingWindowRateLimiter

from roomserver.runtime.clock import monotonic_ns

WINDOWS_KEPT: Final = 100_000
"""The most (action, subject) pairs remembered; the one unused for longest is forgotten first."""
MINUTE_MS: Final = 60_000


class Verdict(msgspec.Struct, frozen=True):
    """What a hit came to. `retry_after_ms` is None when it was allowed."""

    limit: int
    remaining: int
    reset_ms: int
    retry_after_ms: int | None = None

    @property
    def allowed(self) -> bool:
        return self.retry_after_ms is None


UNLIMITED: Final = Verdict(limit=0, remaining=0, reset_ms=0)
"""The verdict where limits are off: allowed, and `limit` 0 says that there is nothing to tell."""


class Limiter:
    """Counts hits. `factor` scales every limit (rounded up, at least 1); 0 turns limits off."""

    def __init__(self, factor: float = 1.0, *, monotonic: Callable[[], int] = monotonic_ns) -> None:
        self._factor = factor
        self._storage = _Windows(monotonic)
        self._strategy = MovingWindowRateLimiter(self._storage)

    def __len__(self) -> int:
        """How many (action, subject) pairs are remembered."""
        return len(self._storage)

    def hit(self, action: str, subject: str, per_minute: int) -> Verdict:
        """Count one `action` of `subject` (a user id or an address) against a limit a minute."""
        return self.hit_within(action, subject, per_minute, MINUTE_MS)

    def hit_within(self, action: str, subject: str, amount: int, window_ms: int) -> Verdict:
        """Count one `action` of `subject` against `amount` in any `window_ms` (whole seconds)."""
        if not self._factor:
            return UNLIMITED
        item = RateLimitItemPerSecond(max(1, math.ceil(amount * self._factor)), window_ms // 1000)
        allowed = self._strategy.hit(item, action, subject)
        oldest_s, used = self._storage.get_moving_window(
            item.key_for(action, subject), item.amount, item.get_expiry()
        )
        reset_ms = max(0, math.ceil((oldest_s + item.get_expiry() - self._storage.now_s()) * 1000))
        return Verdict(
            limit=item.amount,
            remaining=max(0, item.amount - used),
            reset_ms=reset_ms,
            retry_after_ms=None if allowed else max(1, reset_ms),
        )

    def give_back(self, action: str, subject: str, per_minute: int) -> None:
        """Take back the newest hit of this kind: it turned out not to count."""
        if self._factor:
            amount = max(1, math.ceil(per_minute * self._factor))
            item = RateLimitItemPerSecond(amount, MINUTE_MS // 1000)
            self._storage.drop_newest(item.key_for(action, subject))


class _Windows(Storage, MovingWindowSupport):
    """Instants of recent hits by key, newest last, on the monotonic clock, in bounded memory."""

    STORAGE_SCHEME = ["unisono+memory"]

    def __init__(self, monotonic: Callable[[], int]) -> None:
        self._monotonic_ns = monotonic
        self._hits: OrderedDict[str, deque[float]] = OrderedDict()
        super().__init__()

    def now_s(self) -> float:
        return self._monotonic_ns() / 1e9

    def __len__(self) -> int:
        return len(self._hits)

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        hits = self._hits.setdefault(key, deque())
        self._hits.move_to_end(key)
        now_s = self.now_s()
        self._drop_old(hits, now_s - expiry)
        if len(hits) + amount > limit:
            return False
        hits.extend([now_s] * amount)
        while len(self._hits) > WINDOWS_KEPT:
            self._hits.popitem(last=False)
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        now_s = self.now_s()
        hits = self._hits.get(key)
        if hits is not None:
            self._drop_old(hits, now_s - expiry)
        return (hits[0], len(hits)) if hits else (now_s, 0)

    def drop_newest(self, key: str) -> None:
        if hits := self._hits.get(key):
            hits.pop()

    @staticmethod
    def _drop_old(hits: deque[float], start_s: float) -> None:
        while hits and hits[0] <= start_s:
            hits.popleft()

    # What follows serves the library's fixed windows, which are not used here.
    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        raise NotImplementedError

    def get(self, key: str) -> int:
        return len(self._hits.get(key, ()))

    def get_expiry(self, key: str) -> float:
        raise NotImplementedError

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        count = len(self._hits)
        self._hits.clear()
        return count

    def clear(self, key: str) -> None:
        self._hits.pop(key, None)
