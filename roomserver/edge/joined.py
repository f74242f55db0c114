"""The frames that let people into one room: what they share is spelt and compressed once."""

from typing import TYPE_CHECKING

from protocol.cluster import Admitted
from protocol.encodings import packed_before_snapshot, repacked
from protocol.ids import Lineage
from roomserver.edge import deflate
from roomserver.edge.framing import DEFLATED, framed

if TYPE_CHECKING:
    from roomserver.edge.connection import Connection


class JoinedFrames:
    """Keeps the last snapshot that somebody got, as each kind of reader wants it."""

    __slots__ = ("_at", "_snapshots")

    def __init__(self) -> None:
        self._at: tuple[Lineage, int] | None = None
        self._snapshots: dict[tuple[bool, bool], bytes] = {}
        """By whether it is MessagePack, and whether it is deflated; plain JSON is as it came."""

    def of(self, message: Admitted, connection: "Connection") -> bytes:
        """The `joined` frame for one reader; a large snapshot is compressed if it agreed to."""
        encoding = connection.encoding
        own, snapshot, end = message.frame_parts()
        shrinks = connection.inflates and len(snapshot) >= deflate.DEFLATE_FROM_BYTES
        if encoding.is_binary:
            own = packed_before_snapshot(message.joined) if snapshot else repacked(message.joined)
            end = b""
        if encoding.is_binary or shrinks:
            snapshot = self._snapshot(message, encoding.is_binary, shrinks)
        if not shrinks:
            return framed(own + snapshot + end, encoding)
        parts = deflate.deflated(own), snapshot, deflate.deflated(end)
        return framed(deflate.message(*parts), encoding, DEFLATED)

    def _snapshot(self, message: Admitted, is_binary: bool, shrinks: bool) -> bytes:
        if not message.snapshot:
            return b""
        at = (message.lineage, message.snapshot_seq)
        if self._at != at:
            self._at = at
            self._snapshots.clear()
        kept = self._snapshots.get((is_binary, shrinks))
        if kept is None:
            kept = repacked(message.snapshot) if is_binary else message.snapshot
            if shrinks:
                kept = deflate.deflated(kept)
            self._snapshots[is_binary, shrinks] = kept
        return kept
