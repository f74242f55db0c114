"""Whose names the people in a room are told: of all present, or of 200 where there are more.

In a crowd, each coming and going told by name to everybody would be people times people. So
everybody is told the same names, of those who came first; of the others only how many there are.
"""

from protocol.ids import UserId
from protocol.presence import PRESENT_AT_JOIN
from protocol.users import Person


class Roll:
    """Of one room."""

    def __init__(self) -> None:
        self._names: dict[UserId, Person] = {}
        self._others: dict[UserId, Person] = {}
        """In the order in which they will take the places of those who go."""
        self._told: dict[UserId, Person] = {}
        self._told_count = 0
        self._seen: set[UserId] = set()
        """What newcomers were told since; they must hear of it if one of these goes."""
        self._is_changed = False

    @property
    def has_news(self) -> bool:
        """Whether there is something to tell. Who came and went between two tellings is no news,
        unless a newcomer saw it."""
        if self._is_changed and not self._seen:
            count = len(self._names) + len(self._others)
            is_same = count == self._told_count and self._names.keys() == self._told.keys()
            self._is_changed = not is_same
        return self._is_changed

    def add(self, person: Person) -> None:
        """Somebody came."""
        there = self._names if len(self._names) < PRESENT_AT_JOIN else self._others
        there[person.user_id] = person
        self._is_changed = True

    def remove(self, user_id: UserId) -> None:
        """Somebody went. Who has been here longest among the others gets a name instead."""
        self._is_changed = True
        if self._others.pop(user_id, None) is None:
            del self._names[user_id]
            if self._others:
                other_id = next(iter(self._others))
                self._names[other_id] = self._others.pop(other_id)

    def names(self) -> list[Person]:
        """What a newcomer is told."""
        if self._is_changed:
            self._seen.update(self._names)
        return list(self._names.values())

    def news(self) -> tuple[list[Person], list[UserId]]:
        """Which names came and which went since this was asked last."""
        before, self._told = self._told, dict(self._names)
        self._told_count = len(self._names) + len(self._others)
        came = [person for user_id, person in self._told.items() if user_id not in before]
        gone = [user_id for user_id in before.keys() | self._seen if user_id not in self._told]
        self._seen.clear()
        self._is_changed = False
        return came, gone
