"""Fairness: whose turn it is, by start-time fair queueing (Goyal, Vin and Cheng 1996).

Every waiting entry has a start tag: how much of its owner will have been heard before it, in
samples on a scale that all people share. The least tag comes next, and the tag of what plays is the
virtual time: somebody new starts there, so that nobody who comes later catches up on what was
before. What a person will have had is kept after the last of their entries, so that leaving pays
for nothing.

Of any two people whose entries wait throughout, one is heard at most as much longer than the other
as their two longest entries take together; see `docs/decisions/0083-fair-queueing.md`.
"""

from bisect import bisect_right
from collections.abc import Iterable

from msgspec import Struct

from protocol.ids import EntryId, UserId
from protocol.queue import Entry


class Turns(Struct, kw_only=True):
    """What the mode `fair` remembers. All figures are samples at 48 kHz."""

    virtual: int = 0
    """The least start tag of those who play or wait; never falls."""
    finish: dict[UserId, int] = {}
    """The tag that a person's next entry would get, where that is later than the virtual time."""
    tags: dict[EntryId, int] = {}
    """The start tags of the waiting entries and of the current one."""
    charged: int = 0
    """How much of the current entry its owner will have been heard, as it looks now."""

    def tag(self, entry: Entry) -> int:
        """An entry's start tag; a copy that the room loops has none and is nobody's turn."""
        return self.tags.get(entry.entry_id, 0)

    def place(self, queue: list[Entry], user_id: UserId, first: int) -> int:
        """Where a person's new entry goes, `first` at the earliest. Takes O(log n)."""
        floor = self.tag(queue[first - 1]) if first else 0
        return bisect_right(queue, self._next(user_id, floor), lo=first, key=self.tag)

    def add(self, entry: Entry, floor: int = 0) -> None:
        """An entry waits behind the other ones of its owner, and with no tag below `floor`."""
        user_id = entry.added_by.user_id
        tag = self._next(user_id, floor)
        self.tags[entry.entry_id] = tag
        self.finish[user_id] = tag + entry.track.duration_samples

    def remove(self, gone: list[Entry], queue: list[Entry]) -> bool:
        """Entries leave unheard: their owners' later ones move up. Whether any does."""
        names = {entry.entry_id for entry in gone} & self.tags.keys()
        if not names:
            return False
        saved = {entry.added_by.user_id: 0 for entry in gone if entry.entry_id in names}
        has_moved = False
        for entry in self._in_turn([e for e in queue if e.added_by.user_id in saved]):
            user_id = entry.added_by.user_id
            if entry.entry_id in names:
                saved[user_id] += entry.track.duration_samples
                del self.tags[entry.entry_id]
            elif saved[user_id]:
                self.tags[entry.entry_id] -= saved[user_id]
                has_moved = True
        for user_id, samples in saved.items():
            self.finish[user_id] -= samples
        return has_moved

    def restore(self, back: list[Entry], tags: dict[EntryId, int], queue: list[Entry]) -> None:
        """Entries are back, among those of their owners where they stood when they were taken.

        `tags` are those that they had then.
        """
        owners = {entry.added_by.user_id for entry in back}
        waiting = [e for e in self._in_turn(queue) if e.added_by.user_id in owners]
        following: dict[UserId, int] = {}
        for entry in waiting:
            following.setdefault(entry.added_by.user_id, self.tag(entry))
        for user_id in owners:
            following.setdefault(user_id, self._next(user_id, 0))
        last = max(self.finish.values(), default=self.virtual)
        before = {**self.tags, **{e.entry_id: tags.get(e.entry_id, last) for e in back}}
        for entry in sorted((*back, *waiting), key=lambda e: before[e.entry_id]):
            user_id = entry.added_by.user_id
            self.tags[entry.entry_id] = following[user_id]
            following[user_id] += entry.track.duration_samples
        self.finish.update(following)

    def start(self, entry: Entry, queue: list[Entry]) -> None:
        """A waiting entry becomes current: it is its owner's next, even if another would be."""
        tag = self.tags.get(entry.entry_id)
        if tag is None:
            return
        length = entry.track.duration_samples
        waiting = self._in_turn(queue)
        self.virtual = max(self.virtual, self.tag(waiting[0]))
        mine = [e for e in waiting if e.added_by.user_id == entry.added_by.user_id]
        first = self.tag(mine[0])
        for other in mine:
            if self.tag(other) < tag:
                self.tags[other.entry_id] += length
        self.tags[entry.entry_id] = first
        self.charged = length

    def charge(self, entry: Entry, heard: int, queue: list[Entry]) -> bool:
        """So much of the current entry will have been heard; whether that differs from before."""
        shift = heard - self.charged
        if shift == 0 or entry.entry_id not in self.tags:
            return False
        self.charged = heard
        user_id = entry.added_by.user_id
        self.finish[user_id] += shift
        for other in queue:
            if other.added_by.user_id == user_id and other.entry_id in self.tags:
                self.tags[other.entry_id] += shift
        return True

    def end(self, entry: Entry) -> None:
        """The current entry is over. Who is not ahead of the virtual time owes nothing."""
        self.tags.pop(entry.entry_id, None)
        self.charged = 0
        self.finish = {key: tag for key, tag in self.finish.items() if tag > self.virtual}

    def _next(self, user_id: UserId, floor: int) -> int:
        return max(self.virtual, self.finish.get(user_id, 0), floor)

    def _in_turn(self, queue: list[Entry]) -> list[Entry]:
        """The waiting entries that have a tag, the least first."""
        tagged = [entry for entry in queue if entry.entry_id in self.tags]
        return sorted(tagged, key=self.tag)


def begin(current: Entry | None, heard: int, queue: Iterable[Entry]) -> Turns:
    """Turns from now on: what was heard before the mode was chosen counts for nobody.

    But the current entry counts, with all that will have been heard of it.
    """
    turns = Turns()
    if current is not None:
        turns.add(current)
        turns.charged = current.track.duration_samples
        turns.charge(current, heard, [])
    for entry in queue:
        turns.add(entry)
    return turns
