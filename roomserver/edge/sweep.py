"""Frames on their way to all members of a room, and where each member stands."""

from typing import TYPE_CHECKING

from protocol.ids import FrameId, Lineage

if TYPE_CHECKING:
    from roomserver.edge.connection import Connection


class Seat:
    """One connection's place in a room."""

    __slots__ = ("connection", "held", "join_id", "lineage", "sent_seq", "stale")

    def __init__(
        self, connection: "Connection", join_id: FrameId, lineage: Lineage, seq: int
    ) -> None:
        self.connection = connection
        self.join_id = join_id
        self.lineage = lineage
        self.sent_seq = seq
        """The last event of that lineage that was written to this connection."""
        self.stale = False
        """Nothing more is written through this seat: frames were left out and the home must bring
        the connection up to date, or it has another seat by now, or none."""
        self.held: list[bytes] = []
        """Answers that wait for the events that they speak of."""


class Sweep:
    """Frames on their way to all members; `seqs` are the last seqs of `frames`, or empty."""

    __slots__ = ("frames", "joined", "seats", "seqs", "skip", "where")

    def __init__(self, seqs: list[int], frames: list[bytes], seats: list[Seat]) -> None:
        self.seqs = seqs
        self.frames = frames
        self.joined = frames[0] if len(frames) == 1 else b"".join(frames)
        self.seats = seats
        self.where = 0
        self.skip: Connection | None = None

    def after(self, seq: int) -> bytes:
        """The frames with a seq above `seq`."""
        return b"".join(
            frame for last, frame in zip(self.seqs, self.frames, strict=True) if last > seq
        )
