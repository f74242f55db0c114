"""What a bot can be asked to write down: everything that goes over its wire."""

from typing import Protocol

from protocol.frames import AnyClientFrame, AnyServerFrame


class Journal(Protocol):
    """Told of each frame as it goes, with the machine's clock in ns since 1970."""

    def connected(self, at_ns: int) -> None:
        """A socket is open."""

    def sent(self, at_ns: int, frame: AnyClientFrame) -> None:
        """A frame is about to be written."""

    def received(self, at_ns: int, frame: AnyServerFrame) -> None:
        """A frame was read, as it came: overlaps and repetitions are still in it."""

    def lost(self, at_ns: int, code: int) -> None:
        """The socket is gone."""
