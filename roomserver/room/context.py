"""What a room is told with a command: who, when, and what only a shell can look up."""

from typing import Final

from msgspec import Struct

from protocol.chat import ChatMessage
from protocol.ids import UserId
from protocol.tracks import Track
from protocol.users import Person

SYSTEM: Final = Person(
    user_id="00000000-0000-0000-0000-000000000000", display_name="Unisono", kind="bot"
)
"""The actor of the home's own commands."""


class Context(Struct, frozen=True):
    """Time, chance and looked-up rows come from outside: the room has none of its own."""

    actor: Person
    now_ms: int
    """Cluster time. For a Wake: the instant that it was due, rounded up."""
    lead_ms: int = 250
    """How far ahead of now a common act lies; the home clamps it to 250..1500."""
    present: int = 0
    """How many people are here (bots are not)."""
    track: Track | None = None
    """The row that queue.add names, if there is one that the actor may use."""
    seed: int = 0
    """Chance, for the commands that need it (queue.shuffle)."""
    here: frozenset[UserId] = frozenset()
    """The people who are here, without bots and without somebody whom the command puts out: for
    the commands that count them (votes), and those that may change an open count."""
    target: Person | None = None
    """The person that the command names, if there is such an account. For owner.succeed, where an
    account was deleted: the longest-serving member who has one, the owner left out."""
    addresses: tuple[str, ...] = ()
    """Digests of the addresses that `target` is connected from (member.ban)."""
    message: ChatMessage | None = None
    """The message that the command names, where it is older than those in the snapshot."""
