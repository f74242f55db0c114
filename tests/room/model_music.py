"""The model's playback: a needle on a line of whole samples, and when it moves.

Instants and lengths are whole samples (48 a millisecond), so that nothing here is rounded.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count

from protocol.errors import ErrorCode as E
from protocol.playback import Playback
from protocol.users import Person

PER_MS = 48
WAIT_MS = 3_000


def samples(ms: float) -> int:
    """The sample that is nearest to an instant or a position."""
    return round(Fraction(ms) * PER_MS)


@dataclass(eq=False)
class Piece:
    """An entry: waiting, or current."""

    entry_id: str
    track_id: str
    length: int
    owner: Person
    votes: set[str] = field(default_factory=set)
    again: bool = False
    """Queued by the room, since something repeats."""
    loops: bool = False
    """A copy of what plays, at the head of the queue."""
    number: int = field(default_factory=count().__next__)
    """Counts up: who came first."""


@dataclass
class Music:
    """What is current, and where the needle stands."""

    status: str = "idle"
    piece: Piece | None = None
    at: int | None = None
    """The anchor's instant, or that of the pause; None while nothing moves."""
    position: int = 0
    until_ms: int | None = None
    heard: int = 0
    """How much of the current entry was heard before the anchor."""
    skips: set[str] = field(default_factory=set)
    tally: tuple[int, int] | None = None
    """Votes for skipping and how many are needed, when they were last counted."""
    asleep: bool = False
    agreed: bool = False
    """Whether it has been settled what follows: before that, no start stands fast."""

    def end(self) -> int | None:
        """When the current entry ends; None while it rests."""
        if self.status != "playing" or self.at is None or self.piece is None:
            return None
        return self.at + self.piece.length - self.position

    def act(self, now_ms: int, lead_ms: int) -> int:
        """When what is decided now is done: a lead from now, never before the last act."""
        at = (now_ms + lead_ms) * PER_MS
        return at if self.at is None else max(at, self.at)

    def needle(self, instant: int) -> int:
        """Where the needle is at an instant."""
        if self.piece is None:
            return 0
        moved = instant - self.at if self.status == "playing" and self.at is not None else 0
        return max(0, min(self.position + moved, self.piece.length))

    def heard_until(self, instant: int) -> int:
        """How much of the current entry has sounded until an instant, over all its anchors."""
        if self.status != "playing" or self.at is None or self.piece is None:
            return self.heard
        return self.heard + max(0, min(instant - self.at, self.piece.length - self.position))

    def start(self, piece: Piece, at: int, position: int = 0) -> None:
        """Let it sound from an instant on."""
        self.status, self.piece, self.at, self.position = "playing", piece, at, position
        self.until_ms = None

    def wait(self, piece: Piece, now_ms: int, position: int = 0) -> None:
        """Let people load it first."""
        self.status, self.piece, self.at, self.position = "waiting", piece, None, position
        self.until_ms, self.agreed = now_ms + WAIT_MS, False

    def begin(self, piece: Piece, now_ms: int, at: int, present: int, position: int = 0) -> None:
        """Wait for people to load, where there are any or where all sleep; else start."""
        if present or self.asleep:
            self.wait(piece, now_ms, position)
        else:
            self.start(piece, at, position)

    def leave(self, instant: int) -> int:
        """End what is current; how much of it was heard."""
        heard = self.heard_until(instant)
        self.status, self.piece, self.at, self.position = "idle", None, None, 0
        self.until_ms, self.heard = None, 0
        self.skips.clear()
        self.tally = None
        return heard

    def means(self, entry_id: str | None) -> set[E]:
        """What is wrong with naming this entry as the current one."""
        if self.piece is None:
            return {E.NOTHING_PLAYING}
        return {E.CONFLICT} if entry_id not in (None, self.piece.entry_id) else set()

    def overtakes(self, instant: int) -> bool:
        """Whether the current entry is over before an act at this instant."""
        end = self.end()
        return end is not None and instant > end

    def check(self, playback: Playback) -> None:
        """The real needle stands here, and moves so."""
        entry = playback.entry
        if self.piece is not None and self.piece.entry_id == "?" and entry is not None:
            self.piece.entry_id = entry.entry_id
        assert playback.status == self.status
        assert (entry and entry.entry_id) == (self.piece and self.piece.entry_id)
        assert samples(playback.position_ms) == self.position
        at = playback.started_at_ms
        assert (at is None) == (self.at is None)
        assert at is None or samples(at) == self.at
        assert playback.wait_until_ms == self.until_ms
        assert (playback.skip and (playback.skip.votes, playback.skip.needed)) == self.tally
