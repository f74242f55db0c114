"""Exactly once: the answers to the last commands, and what can be known of older ones."""

from collections import OrderedDict
from typing import Final, NamedTuple

from protocol.ids import UserId

KEPT: Final = 1_000
ASKERS_KEPT: Final = 4_096

Key = tuple[UserId, str]
"""(user, cmd_id): names a command for ever."""


class Done(NamedTuple):
    """What became of a command: its events are `first_seq`..`last_seq`."""

    first_seq: int
    last_seq: int


class Recent:
    """Remembers the last commands of one room.

    A command that is not among them is surely new only if its number is above all that its client
    used before; that highest number is read once for a client that nothing is known of, and then
    kept up to date. So a look-up is needed at a client's first command and at a late retry only.
    """

    def __init__(self, *, complete: bool = False) -> None:
        self._done: OrderedDict[Key, Done] = OrderedDict()
        self._highest: dict[tuple[UserId, str], int] = {}
        self._complete = complete
        """Nothing was ever forgotten: the room is as young as this object."""

    def find(self, key: Key) -> Done | None:
        """What became of a command, if it is remembered."""
        return self._done.get(key)

    def is_new(self, key: Key) -> bool:
        """Whether the command was surely never carried out; False: look it up."""
        if key in self._done:
            return False
        if self._complete:
            return True
        client, number = _split(key)
        highest = self._highest.get(client)
        return highest is not None and number > highest

    def learn(self, key: Key, highest: int) -> None:
        """The log says: `highest` is the highest number that this command's client used."""
        client, _ = _split(key)
        if len(self._highest) >= ASKERS_KEPT:
            self._highest.clear()
        self._highest[client] = max(highest, self._highest.get(client, 0))

    def add(self, key: Key, done: Done) -> None:
        """Remember a command that was carried out."""
        self._done[key] = done
        client, number = _split(key)
        if number > self._highest.get(client, number):
            self._highest[client] = number
        if len(self._done) > KEPT:
            self._done.popitem(last=False)
            self._complete = False

    def drop(self, key: Key) -> None:
        """It was not carried out after all."""
        self._done.pop(key, None)


def _split(key: Key) -> tuple[tuple[UserId, str], int]:
    client_id, _, number = key[1].rpartition(":")
    return (key[0], client_id), int(number)
