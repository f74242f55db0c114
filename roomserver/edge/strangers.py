"""How many connections of one address have not said yet who they are."""

from collections import Counter


class Strangers:
    """Counts, with a bound for each address; None: no bound."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._count: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many there are, of all addresses."""
        return self._count.total()

    def enter(self, address: str) -> bool:
        """One more; False if there are too many already."""
        if self._most is not None and self._count[address] >= self._most:
            return False
        self._count[address] += 1
        return True

    def leave(self, address: str) -> None:
        """One less."""
        self._count[address] -= 1
        if self._count[address] <= 0:
            del self._count[address]
