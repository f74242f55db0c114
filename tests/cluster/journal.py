"""A bot's own account of what it sent and heard, to be held against the log."""

from typing import NamedTuple

from protocol.frames import AnyClientFrame, AnyServerFrame


class Connected(NamedTuple):
    """A socket was open."""

    at_ns: int


class Sent(NamedTuple):
    """A frame went out, or was about to."""

    at_ns: int
    frame: AnyClientFrame


class Received(NamedTuple):
    """A frame came in."""

    at_ns: int
    frame: AnyServerFrame


class Lost(NamedTuple):
    """The socket was gone."""

    at_ns: int
    code: int


Line = Connected | Sent | Received | Lost


class Journal:
    """Everything one client sent and heard, in order. Implements `protocol.bot_journal.Journal`."""

    def __init__(self, user_id: str = "", client_id: str = "") -> None:
        """Whose it is is told once the bot is welcome."""
        self.user_id = user_id
        self.client_id = client_id
        self.lines: list[Line] = []

    def so_far(self) -> "Journal":
        """A copy that grows no more."""
        copy = Journal(self.user_id, self.client_id)
        copy.lines = list(self.lines)
        return copy

    def connected(self, at_ns: int) -> None:
        self.lines.append(Connected(at_ns))

    def sent(self, at_ns: int, frame: AnyClientFrame) -> None:
        self.lines.append(Sent(at_ns, frame))

    def received(self, at_ns: int, frame: AnyServerFrame) -> None:
        self.lines.append(Received(at_ns, frame))

    def lost(self, at_ns: int, code: int) -> None:
        self.lines.append(Lost(at_ns, code))
