"""What the bus promises. Memory and Redis keep the same contract (tests/bus/contract.py)."""

from collections.abc import Callable
from typing import Protocol

from protocol.cluster import Party

Receive = Callable[[bytes], None]


class Bus(Protocol):
    """Carries bytes from party to party.

    - At most once: an envelope may be lost, with its receiver or on the way, and nobody is told.
      Whoever needs more numbers what is sent (see `Channel`) and asks again.
    - In order for each pair of sender and receiver; between different pairs nothing is promised.
    - `receive` runs on the event loop, one call at a time, never inside `publish`. If it raises,
      that is logged, and the next envelope comes all the same.
    - `publish` never blocks and never raises for a receiver that is not there.
    """

    async def open(self, party: Party, receive: Receive) -> None:
        """Be `party` from now on: what is published to it after this returned goes to `receive`.

        Opening a party again replaces its receiver.
        """
        ...

    def publish(self, to: Party, envelope: bytes) -> None:
        """Send `envelope` to `to`. Nothing happens after `close`."""
        ...

    async def echo(self) -> None:
        """Hear a word of one's own, said as others' words are. Waits for ever if it is lost."""
        ...

    async def close(self) -> None:
        """Receive nothing more, for all parties opened here. A second call does nothing."""
        ...
