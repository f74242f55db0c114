"""Reactions that wait to be counted together: a room tells of them at most once a second."""

from collections import Counter
from typing import Final, NamedTuple

from protocol.chat import Emoji
from protocol.cluster import Party
from protocol.ids import ConnectionId
from roomserver.home.recent import Key

MOST: Final = 500
"""So many are counted without waiting longer: one batch writes a row for each."""


class Asker(NamedTuple):
    """Where the answer to one of them goes."""

    to: Party
    conn: ConnectionId
    id: int


class Reactions:
    """What one room has let in and not yet counted. Lost with the home: nobody has an ack."""

    def __init__(self, every_ms: float) -> None:
        self.due_at_ms: float | None = None
        """When they are counted; None while there are none."""
        self._every_ms = every_ms
        self._counts: Counter[Emoji] = Counter()
        self._askers: dict[Key, list[Asker]] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._askers

    def add(self, key: Key, emoji: Emoji, asker: Asker, now_ms: float) -> None:
        """One more. Of the same command again only the asker is new."""
        askers = self._askers.setdefault(key, [])
        if not askers:
            self._counts[emoji] += 1
        if asker not in askers:
            askers.append(asker)
        if self.due_at_ms is None:
            self.due_at_ms = now_ms + self._every_ms
        if len(self._askers) >= MOST:
            self.due_at_ms = now_ms

    def take(self) -> tuple[dict[Emoji, int], dict[Key, list[Asker]]]:
        """What waits, and who asked for it; nothing waits then."""
        taken = dict(self._counts), self._askers
        self._counts, self._askers, self.due_at_ms = Counter(), {}, None
        return taken

    def parties(self) -> set[Party]:
        """Who waits for an answer."""
        return {asker.to for askers in self._askers.values() for asker in askers}
