"""Being there: presence and the signals that people present send. Nothing here is durable."""

from protocol.base import Signal
from protocol.ids import EntryId

PRESENT_AT_JOIN = 200
"""How many of those present are told by name; the count is always exact."""
GRACE_MS = 20_000
"""How long a person whose connection was lost still counts as present."""


class Typing(Signal, frozen=True, kw_only=True, tag="typing"):
    """The sender is writing a message."""


class Buffering(Signal, frozen=True, kw_only=True, tag="buffering"):
    """The sender's player waits for data, or no longer does."""

    entry_id: EntryId
    buffering: bool


class Ready(Signal, frozen=True, kw_only=True, tag="ready"):
    """The sender has loaded the entry and can start it at any instant. Goes to the home only."""

    entry_id: EntryId
