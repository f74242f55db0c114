"""A small room to hold the real one against: queue, playback, roles and votes.

Written from the docstrings of the messages and from the docs, not from the rules. `do` tells why a
command must be refused, or does it; what the real room shows must then be the same.
"""

from math import ceil

from protocol.snapshot import Snapshot
from protocol.users import Person
from roomserver.room.context import Context
from tests.room.model_chat import Chat
from tests.room.model_line import NOT_NAMED_YET, Line
from tests.room.model_music import PER_MS, Music, Piece
from tests.room.model_people import People

AHEAD = 15_000 * PER_MS
"""So much of what repeats stands ready behind it."""


class Model:
    """One room, told in as few words as it takes."""

    def __init__(self, owner: Person, now_ms: int, names: dict[str, Person]) -> None:
        self.names = names
        """Everybody whom a command may name."""
        self.people = People(owner.user_id, {owner.user_id: now_ms})
        self.music = Music(asleep=True)
        self.line = Line()
        self.chat = Chat()
        self.shown: Snapshot
        """What the real room shows: the names that it gives, and the outcome of chance."""
        self.repeat, self.share, self.always_on, self.closed = "off", 0.5, False, False

    # -- what follows by itself ----------------------------------------------------------------

    def pass_time(self, now_ms: int, told: Context) -> None:
        """Let everything happen that falls due until now, each at its own instant."""
        music = self.music
        while not music.asleep:
            end = music.end()
            if music.status == "waiting" and music.until_ms is not None:
                if music.until_ms > now_ms:
                    return
                assert music.piece is not None
                music.start(music.piece, music.act(music.until_ms, told.lead_ms), music.position)
            elif end is not None and end <= now_ms * PER_MS:
                woken_ms = ceil(end / PER_MS)
                following = self.line.pieces[0] if self.line.pieces else None
                self.move_on(end, following, True, woken_ms, told)
                self.settle(woken_ms, told)
            else:
                return

    def move_on(
        self, at: int, following: Piece | None, is_loaded: bool, now_ms: int, told: Context
    ) -> None:
        """End what is current, begin what follows, queue the old one again if that is set."""
        music, line, before = self.music, self.line, self.music.piece
        act = music.act(now_ms, told.lead_ms)
        if before is not None:
            music.leave(at)
        if following is not None:
            line.pieces.remove(following)
            following.loops = False
            if is_loaded:
                music.start(following, at)
            else:
                music.begin(following, now_ms, act, told.present)
        if before is not None and self.repeat == "all":
            line.pieces.append(copy(before))

    def close(self, now_ms: int) -> None:
        """The end."""
        self.closed = True
        self.music.leave(now_ms * PER_MS)
        self.line.pieces.clear()

    def settle(self, now_ms: int, told: Context) -> None:
        """What follows: loops end and begin, the mode orders, a silent room plays what waits."""
        if self.closed:
            return
        music, line = self.music, self.line
        starting = line.starting(music, now_ms, told.lead_ms)
        line.pieces[starting:] = [p for p in line.pieces[starting:] if not self.is_stale(p)]
        line.put_in_order(line.fixed(music, now_ms, told.lead_ms), self.shown.queue)
        if music.asleep and self.always_on:
            self.wake_up(now_ms, told)
        if not music.asleep and music.status == "idle" and line.pieces:
            self.play_first(now_ms, told)
        loop = line.loop()
        is_free = line.starting(music, now_ms, told.lead_ms) <= loop
        if self.repeat == "one" and music.piece and is_free and not music.asleep:
            missing = ceil(AHEAD / music.piece.length) - loop
            line.pieces[loop:loop] = [copy(music.piece, loops=True) for _ in range(missing)]
        music.agreed = music.end() is not None

    def is_stale(self, piece: Piece) -> bool:
        """Whether it is a copy of what no longer plays, or no longer repeats."""
        current = self.music.piece
        is_repeated = (
            self.repeat == "one"
            and current is not None
            and (current.track_id, current.length) == (piece.track_id, piece.length)
            and current.owner == piece.owner
        )
        return piece.loops and not is_repeated

    def play_first(self, now_ms: int, told: Context) -> None:
        """Begin what waits first."""
        piece = self.line.pieces.pop(0)
        piece.loops = False
        self.music.begin(piece, now_ms, self.music.act(now_ms, told.lead_ms), told.present)

    def wake_up(self, now_ms: int, told: Context) -> None:
        """Go on where it rested."""
        music = self.music
        music.asleep = False
        if music.piece is None:
            return
        if music.status == "playing" or (music.status == "waiting" and not told.present):
            music.start(music.piece, (now_ms + told.lead_ms) * PER_MS, music.position)
        elif music.status == "waiting":
            music.wait(music.piece, now_ms, music.position)

    # -- comparing -----------------------------------------------------------------------------

    def check(self, public: Snapshot, now_ms: int) -> None:
        """The real room shows what the model has."""
        assert public.room.closed == self.closed
        assert public.suspended == self.music.asleep or self.closed
        self.chat.check(public)
        self.people.check(public, now_ms)
        self.line.check(public.queue)
        self.music.check(public.playback)


def copy(piece: Piece, loops: bool = False) -> Piece:
    """What the room queues again by itself."""
    track_id, length, owner = piece.track_id, piece.length, piece.owner
    return Piece(NOT_NAMED_YET, track_id, length, owner, again=True, loops=loops)
