"""What a node remembers of those who listen: a room full of people asks for the same segments."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from cachetools import TTLCache
from msgspec import Struct

from protocol.errors import ErrorCode, Rejected
from protocol.ids import TrackId, UserId

ALLOWED_FOR_S: Final = 60
"""How long somebody who may listen to a track is not asked about again."""
STORED_FOR_S: Final = 600
ENTRIES_MAX: Final = 20_000
STREAMS_MAX: Final = 16
"""Files that one user fetches at a time: a browser opens six connections to a server."""


class Heard(Struct, frozen=True):
    """A track that somebody may listen to, and whose rendition has been made."""

    content_hash: str
    title: str


class Stored(Struct, frozen=True):
    """Where one segment lies."""

    flac_key: str
    flac_bytes: int
    opus_key: str
    opus_bytes: int


class Listening:
    """The memory of one process."""

    def __init__(self) -> None:
        self.allowed: Final[TTLCache[tuple[UserId, TrackId], Heard]] = TTLCache(
            ENTRIES_MAX, ALLOWED_FOR_S
        )
        """A refusal is never remembered."""
        self.segments: Final[TTLCache[tuple[str, int], Stored]] = TTLCache(
            ENTRIES_MAX, STORED_FOR_S
        )
        """By content and number; these never change."""
        self._streams: Final = Counter[UserId]()

    def forget(self, track_id: TrackId) -> None:
        """A track was deleted: ask again."""
        for key in [key for key in self.allowed if key[1] == track_id]:
            self.allowed.pop(key, None)

    @contextmanager
    def stream(self, user_id: UserId) -> Iterator[None]:
        """Somebody fetches a file while the block lasts. Rejects: rate_limited."""
        if self._streams[user_id] >= STREAMS_MAX:
            message = f"You fetch {STREAMS_MAX} files already."
            raise Rejected(ErrorCode.RATE_LIMITED, message, retry_after_ms=1_000)
        self._streams[user_id] += 1
        try:
            yield
        finally:
            self._streams[user_id] -= 1
            if not self._streams[user_id]:
                del self._streams[user_id]
