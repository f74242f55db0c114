"""The model's queue: who waits, in which order, and what may be undone."""

from dataclasses import dataclass, field

from protocol.errors import ErrorCode as E
from protocol.queue import Entry
from tests.room.model_music import PER_MS, Music, Piece

RULED = ("votes", "fair")
"""Modes in which the room finds the place."""
NOT_NAMED_YET = "?"
"""An entry that the real room has still to name."""


@dataclass
class Change:
    """What a person last did to the queue."""

    author: str
    kind: str
    pieces: list[Piece] = field(default_factory=list)
    """What was added, taken out or moved."""
    after: Piece | None = None
    """Behind what they stood."""
    order: list[Piece] = field(default_factory=list)
    """How all stood before a shuffle."""


@dataclass
class Line:
    """The waiting entries and the settings that are about them."""

    mode: str = "open"
    limit: int = 500
    each: int | None = None
    duplicates: str = "allow"
    pieces: list[Piece] = field(default_factory=list)
    last: Change | None = None

    def index(self, entry_id: str | None) -> int | None:
        """Where an entry stands."""
        found = (at for at, piece in enumerate(self.pieces) if piece.entry_id == entry_id)
        return next(found, None)

    def piece(self, entry_id: str) -> Piece | None:
        """The entry of that name, if it waits."""
        index = self.index(entry_id)
        return None if index is None else self.pieces[index]

    def starting(self, music: Music, now_ms: int, lead_ms: int) -> int:
        """How many at the head start within the lead: nobody touches them."""
        at, count = music.end(), 0
        if at is None or not music.agreed:
            return 0
        for piece in self.pieces:
            if at > (now_ms + lead_ms) * PER_MS:
                break
            at += piece.length
            count += 1
        return count

    def loop(self) -> int:
        """How many copies of what plays stand at the head."""
        return sum(piece.loops for piece in self.pieces)

    def fixed(self, music: Music, now_ms: int, lead_ms: int) -> int:
        """How many at the head keep their place, whatever happens behind them."""
        return max(self.starting(music, now_ms, lead_ms), self.loop())

    def behind(self, after: str | None, music: Music) -> int | None:
        """The index of what is put behind an entry; None: there is no such entry."""
        if after is None or (music.piece is not None and music.piece.entry_id == after):
            return 0
        index = self.index(after)
        return None if index is None else index + 1

    def has_room_for(self, owner: str, track_id: str, music: Music) -> set[E]:
        """What speaks against one more entry."""
        reasons = set()
        if len(self.pieces) >= self.limit:
            reasons.add(E.QUEUE_FULL)
        mine = [one for one in self.pieces if one.owner.user_id == owner and not one.again]
        if self.each is not None and len(mine) >= self.each:
            reasons.add(E.ENTRY_LIMIT)
        around = [*self.pieces, *([music.piece] if music.piece else [])]
        if self.duplicates == "refuse" and any(p.track_id == track_id for p in around):
            reasons.add(E.DUPLICATE_ENTRY)
        return reasons

    def take_out(self, gone: list[Piece], author: str) -> None:
        """Somebody takes entries out; the room's loops are nobody's doing."""
        lost = [piece for piece in gone if not piece.loops]
        if lost:
            index = self.pieces.index(lost[0])
            after = self.pieces[index - 1] if index else None
            self.last = Change(author, "remove", lost, after)
        self.pieces = [piece for piece in self.pieces if piece not in gone]

    def put_in_order(self, fixed: int, queue: list[Entry]) -> None:
        """By votes; where turns decide, as the real room has it, which another test judges."""
        rest = self.pieces[fixed:]
        if self.mode == "votes":
            rest.sort(key=lambda piece: (-len(piece.votes), piece.number))
        elif self.mode == "fair":
            self.name(queue)
            rank = {entry.entry_id: index for index, entry in enumerate(queue)}
            rest.sort(key=lambda piece: rank.get(piece.entry_id, -1))
        self.pieces[fixed:] = rest

    def name(self, queue: list[Entry]) -> None:
        """Give what the room has just made the names that it has there."""
        known = {piece.entry_id for piece in self.pieces}
        made = [entry for entry in queue if entry.entry_id not in known]
        for piece in self.pieces:
            alike = [entry for entry in made if entry.again == piece.again]
            if piece.entry_id == NOT_NAMED_YET and alike:
                piece.entry_id = alike[0].entry_id
                made.remove(alike[0])

    def check(self, queue: list[Entry]) -> None:
        """The real queue is this one."""
        self.name(queue)
        assert [
            (p.entry_id, p.track_id, p.owner.user_id, len(p.votes), p.again) for p in self.pieces
        ] == [(e.entry_id, e.track.track_id, e.added_by.user_id, e.votes, e.again) for e in queue]
