"""Letters that wait for their room's turn, in order; of a command that is sent again, one."""

from collections import deque
from collections.abc import Iterator

from protocol.cluster import Submit
from roomserver.home.enrich import Letter, key_of
from roomserver.home.recent import Key


class Mailbox:
    """What one room has not decided yet.

    Edges ask again what is unanswered. Were a command in here twice, the first could be refused
    and the second, a moment later, be carried out, with nobody to hear of it."""

    def __init__(self) -> None:
        self.taken: list[Letter] = []
        """Out for a turn: being looked up, or being decided."""
        self._waiting: deque[Letter] = deque()
        self._commands: set[Key] = set()

    def __len__(self) -> int:
        """How many wait, without what is taken."""
        return len(self._waiting)

    def __iter__(self) -> Iterator[Letter]:
        return iter(self._waiting)

    def put(self, letter: Letter) -> None:
        """Let it wait behind the others."""
        if isinstance(letter.message, Submit):
            self._commands.add(key_of(letter.message))
        self._waiting.append(letter)

    def replace(self, letter: Letter) -> bool:
        """Have whoever sends a command again answered instead, if it is in here."""
        if not isinstance(letter.message, Submit):
            return False
        key = key_of(letter.message)
        if key not in self._commands:
            return False
        for letters in (self.taken, self._waiting):
            for at, other in enumerate(letters):
                if isinstance(other.message, Submit) and key_of(other.message) == key:
                    letters[at] = letter
        return True

    def take(self, most: int) -> list[Letter]:
        """The next letters, for a turn; `decided` ends it."""
        self.taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        return self.taken

    def decided(self, count: int) -> None:
        """So many of the taken ones are dealt with; the others wait again, before all else."""
        self._forget(self.taken[:count])
        self._waiting.extendleft(reversed(self.taken[count:]))
        self.taken = []

    def drop_commands(self) -> list[Letter]:
        """Take the commands out of what is taken."""
        self._forget(self.taken)
        dropped = [x for x in self.taken if isinstance(x.message, Submit)]
        self.taken = [x for x in self.taken if not isinstance(x.message, Submit)]
        return dropped

    def clear(self) -> list[Letter]:
        """Take out all that wait."""
        letters = list(self._waiting)
        self._forget(letters)
        self._waiting.clear()
        return letters

    def _forget(self, letters: list[Letter]) -> None:
        for letter in letters:
            if isinstance(letter.message, Submit):
                self._commands.discard(key_of(letter.message))
