"""What a room has shown: its last events, encoded, and a snapshot that they continue.

Everything here is committed. It answers newcomers and those who come back even while the database
is away and the live room is ahead of what is known to be durable.
"""

from collections import deque
from itertools import islice
from typing import Final

from protocol.codec import decode_event, decode_snapshot, events_frame
from protocol.fold import fold
from protocol.ids import MessageId, RoomId, UserId
from protocol.moderation import MemberKicked
from protocol.snapshot import Snapshot
from roomserver.home.redaction import redacted

FRAME_BYTES: Final = 64 * 1024
KICKS_KEPT: Final = 256
KICKED: Final = b'{"type":"member.kicked"'
"""How the event that puts somebody out begins."""


class Ring:
    """The last committed events of a room: at most `most_events`, at most `most_bytes`."""

    def __init__(self, seq: int, most_events: int, most_bytes: int) -> None:
        self.seq = seq
        """The last event that was shown."""
        self._bodies: deque[bytes] = deque()
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kicked: dict[UserId, int] = {}

    @property
    def first_seq(self) -> int:
        """The oldest event in the ring; `seq` + 1 if it is empty."""
        return self.seq - len(self._bodies) + 1

    def append(self, bodies: list[bytes]) -> None:
        """The room shows its next events; the oldest go."""
        for seq, body in enumerate(bodies, self.seq + 1):
            if body.startswith(KICKED):
                self._note_kick(seq, body)
        self._bodies.extend(bodies)
        self.seq += len(bodies)
        self._bytes += sum(map(len, bodies))
        while self._bytes > self._most_bytes or len(self._bodies) > self._most_events:
            self._bytes -= len(self._bodies.popleft())

    def kicked_after(self, user_id: UserId, seq: int) -> bool:
        """Whether somebody was kicked after an event; the last kicks are remembered."""
        return self._kicked.get(user_id, 0) > seq

    def _note_kick(self, seq: int, body: bytes) -> None:
        event = decode_event(body)
        if isinstance(event, MemberKicked):
            # Anew: the order is that of the last kick.
            self._kicked.pop(event.person.user_id, None)
            self._kicked[event.person.user_id] = seq
            if len(self._kicked) > KICKS_KEPT:
                del self._kicked[next(iter(self._kicked))]

    def redact(self, message_ids: set[MessageId]) -> None:
        """Messages were deleted: keep nothing of what they said."""
        self._bodies = deque(redacted(body, message_ids) for body in self._bodies)
        self._bytes = sum(map(len, self._bodies))

    def since(self, seq: int) -> list[bytes] | None:
        """The events after `seq`; None if the ring does not reach back so far."""
        if seq + 1 < self.first_seq:
            return None
        return list(islice(self._bodies, max(0, seq + 1 - self.first_seq), None))


class Shown:
    """The ring and the encoded snapshot below it; newcomers get both.

    The ring always reaches back to the snapshot: whoever appends sees to that with `rebase`.
    """

    def __init__(self, ring: Ring, lineage: str, snapshot: bytes, at_ms: float) -> None:
        self.ring = ring
        self.lineage = lineage
        self.snapshot = snapshot
        self.snapshot_seq = ring.seq
        self._at_ms = at_ms

    def rebase(self, snapshot: bytes, at_ms: float) -> None:
        """Take the encoded snapshot at the ring's end."""
        self.snapshot = snapshot
        self.snapshot_seq = self.ring.seq
        self._at_ms = at_ms

    def is_broken(self) -> bool:
        """Whether events between snapshot and ring are gone."""
        return self.snapshot_seq + 1 < self.ring.first_seq

    def is_stale(self, now_ms: float, fresh_ms: float) -> bool:
        """Whether a newcomer should get a newer snapshot."""
        return self.snapshot_seq < self.ring.seq and now_ms - self._at_ms > fresh_ms

    def since_snapshot(self) -> list[bytes]:
        """The events that lead from the snapshot to now."""
        return self.ring.since(self.snapshot_seq) or []

    def state(self) -> Snapshot:
        """The room at the end of the ring. Slow: for when the live room is ahead of it."""
        public = decode_snapshot(self.snapshot)
        for body in self.since_snapshot():
            fold(public, decode_event(body))
        return public


def frames(room_id: RoomId, first_seq: int, bodies: list[bytes]) -> list[bytes]:
    """Encoded events as `events` frames of at most about 64 KiB each."""
    out: list[bytes] = []
    part: list[bytes] = []
    part_bytes = 0
    for body in bodies:
        if part and part_bytes + len(body) > FRAME_BYTES:
            out.append(events_frame(room_id, first_seq, part))
            first_seq += len(part)
            part, part_bytes = [], 0
        part.append(body)
        part_bytes += len(body)
    if part:
        out.append(events_frame(room_id, first_seq, part))
    return out
