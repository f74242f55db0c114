"""How many of something each address has: an IPv4 address, or an IPv6 /64."""

from collections import Counter


class Headcount:
    """Counts, with a bound for each address and one for all together; None: no bound."""

    def __init__(self, of_address: int | None, in_all: int | None = None) -> None:
        self._of_address = of_address
        self._in_all = in_all
        self._all = 0
        self._count: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many there are, of all addresses."""
        return self._all

    def enter(self, address: str) -> bool:
        """One more; False if there are too many already."""
        if self._of_address is not None and self._count[address] >= self._of_address:
            return False
        if self._in_all is not None and self._all >= self._in_all:
            return False
        self._count[address] += 1
        self._all += 1
        return True

    def leave(self, address: str) -> None:
        """One less."""
        self._all -= 1
        self._count[address] -= 1
        if self._count[address] <= 0:
            del self._count[address]
