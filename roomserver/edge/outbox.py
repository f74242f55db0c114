"""What is too large for one write: it leaves in pieces as the socket drains."""

from collections import deque


class Outbox:
    """The rest of a snapshot or backlog, and all that was written behind it."""

    __slots__ = ("_pieces", "late_bytes")

    def __init__(self, data: bytes, piece_bytes: int) -> None:
        view = memoryview(data)
        self._pieces: deque[bytes | memoryview] = deque(
            view[start : start + piece_bytes] for start in range(0, len(data), piece_bytes)
        )
        self.late_bytes = 0
        """How much was added behind: that is what counts as being slow."""

    def __len__(self) -> int:
        return len(self._pieces)

    def add(self, data: bytes) -> None:
        """Whole frames, after everything that waits."""
        self._pieces.append(data)
        self.late_bytes += len(data)

    def pop(self) -> bytes | memoryview:
        """The next piece."""
        return self._pieces.popleft()
