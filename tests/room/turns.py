"""Follows a room in the mode `fair`: who has been heard for how long, and who waits."""

from itertools import combinations
from typing import Final

from protocol.errors import ErrorCode
from protocol.playback import PlaybackEnded, PlaybackNext
from protocol.queue import QueueRemove
from protocol.rooms import RoomSettings
from protocol.users import Person
from roomserver.room.playback import heard_ms
from tests.room.people import ANN, BOB, DAN, EVE, track
from tests.room.scenario import Scenario

CROWD: Final = (ANN, BOB, EVE, DAN)
SECOND: Final = 48_000


class Evening:
    """A fair room that never sleeps, and its books."""

    def __init__(self, settings: RoomSettings | None = None) -> None:
        fair = settings or RoomSettings(queue_mode="fair", always_on=True)
        self.scene = Scenario(fair, present=0)
        self.longest = dict.fromkeys(CROWD, 0.0)
        self.turns: list[Person] = []
        """Whose entries have been current, in order."""
        self.books: list[tuple[dict[Person, float], frozenset[Person]]] = []
        """After every change: what each has been heard, ms, and who has entries waiting."""
        self._heard = dict.fromkeys(CROWD, 0.0)
        self._owners: dict[str, Person] = {}
        self._seen = 0

    def add(self, person: Person, samples: int) -> str:
        """Somebody queues a track."""
        self.longest[person] = max(self.longest[person], samples / 48)
        entry_id = self.scene.add(person, track(samples))
        self._owners[entry_id] = person
        self.write()
        return entry_id

    def skip(self) -> None:
        """What plays is left."""
        entry = self.scene.playback.entry
        if entry is not None:
            self.scene.do(ANN, PlaybackNext(entry_id=entry.entry_id))
            self.write()

    def leave(self, person: Person) -> int:
        """Somebody takes out all that does not start already; returns how many."""
        count = 0
        for entry in self.scene.room.public.queue[::-1]:
            if entry.added_by == person:
                code = self.scene.outcome(person, QueueRemove(entry_id=entry.entry_id))
                assert code in (None, ErrorCode.ENTRY_STARTING)
                count += code is None
        self.write()
        return count

    def listen(self, ms: int) -> None:
        """Let time pass, and keep the books at every boundary."""
        until_ms = self.scene.now_ms + ms
        while self.scene.now_ms < until_ms:
            due_ms = self.scene.room.next_wake()
            step_ms = until_ms if due_ms is None else min(until_ms, int(due_ms) + 1)
            self.scene.advance(step_ms - self.scene.now_ms)
            self.write()

    def write(self) -> None:
        """Write down who has been heard, and who waits."""
        public = self.scene.room.public
        for event in self.scene.log[self._seen :]:
            if isinstance(event, PlaybackEnded):
                owner = self._owners[event.entry_id]
                self._heard[owner] += event.heard_ms
                self.turns.append(owner)
        self._seen = len(self.scene.log)
        heard = dict(self._heard)
        if public.playback.entry is not None:
            owner = self._owners[public.playback.entry.entry_id]
            heard[owner] += heard_ms(self.scene.room.state, float(self.scene.now_ms))
        self.books.append((heard, frozenset(entry.added_by for entry in public.queue)))

    def check(self) -> None:
        """Of two who waited throughout, neither was heard too much longer than the other."""
        for one, two in combinations(CROWD, 2):
            least = most = None
            for heard, waiting in self.books:
                if one in waiting and two in waiting:
                    ahead = heard[one] - heard[two]
                    least = ahead if least is None else min(least, ahead)
                    most = ahead if most is None else max(most, ahead)
                    assert most - least <= self.longest[one] + self.longest[two] + 1e-6
                else:
                    least = most = None
