"""A start that waits: who has loaded the entry, and who is still missing."""

from collections.abc import Callable, Iterable
from typing import Final

from protocol.ids import EntryId, UserId

ENTRIES_KEPT: Final = 16


class Loading:
    """Collects `ready` signals, for the current entry and for what is loaded ahead."""

    def __init__(self) -> None:
        self._ready: dict[EntryId, set[UserId]] = {}

    def ready(self, entry_id: EntryId, user_id: UserId) -> None:
        """Somebody can start the entry at any instant; before the room waits for it is fine."""
        self._ready.setdefault(entry_id, set()).add(user_id)
        if len(self._ready) > ENTRIES_KEPT:
            del self._ready[next(iter(self._ready))]

    def missing(self, entry_id: EntryId, present: Iterable[UserId]) -> list[UserId]:
        """Those present who have not loaded the entry, sorted."""
        ready = self._ready.get(entry_id, set())
        return sorted(user_id for user_id in present if user_id not in ready)

    def is_enough(
        self,
        missing: list[UserId],
        present: int,
        waits_for: Callable[[UserId], bool],
        share: float,
    ) -> bool:
        """Whether the room need not wait longer: `share` of those it waits for have loaded."""
        late = sum(1 for user_id in missing if waits_for(user_id))
        waited_for = present - (len(missing) - late)
        return waited_for - late >= share * waited_for
