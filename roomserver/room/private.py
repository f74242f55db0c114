"""The private half of a room: what it must remember and nobody may read in a snapshot.

A `Fact` stands beside a public event in the same row of the log; `remember` folds it. Like the
public half, the private half is what its facts make of it, and nothing else changes it.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

from protocol.ids import UserId

WAITED_FOR: Final = 2
"""Who was missing at this many starts in a row is not waited for."""


class Private(Struct, kw_only=True):
    """What the room remembers for itself."""

    heard_ms: float = 0.0
    """What was heard of the current entry up to its anchor; after it the anchor tells."""
    misses: dict[UserId, int] = {}
    """At how many starts in a row somebody had not loaded the entry."""

    def waits_for(self, user_id: UserId) -> bool:
        """Whether a start waits until this person has loaded the entry."""
        return self.misses.get(user_id, 0) < WAITED_FOR


class Heard(Struct, frozen=True, kw_only=True, tag_field="type", tag="heard"):
    """The anchor changed: so much was heard of the current entry, none of one yet to come."""

    heard_ms: float


class Missed(Struct, frozen=True, kw_only=True, tag_field="type", tag="missed"):
    """A start was waited for; these had not loaded the entry, everybody else had."""

    user_ids: list[UserId]


Fact = Heard | Missed


def remember_heard(private: Private, fact: Heard) -> None:
    """Keep the sum."""
    private.heard_ms = fact.heard_ms


def remember_missed(private: Private, fact: Missed) -> None:
    """Count those who are missing again; whoever was there in time starts at none."""
    private.misses = {
        user_id: min(private.misses.get(user_id, 0) + 1, WAITED_FOR) for user_id in fact.user_ids
    }


REMEMBER: Final[dict[type[Fact], Callable[[Private, Any], None]]] = {
    Heard: remember_heard,
    Missed: remember_missed,
}


def remember(private: Private, fact: Fact) -> None:
    """Fold one fact in place. Total: never refuses."""
    REMEMBER[type(fact)](private, fact)


_encoder = msgspec.json.Encoder()
_private = msgspec.json.Decoder(Private)
_fact: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(Fact)


def encode_private(value: Private | Fact) -> bytes:
    """JSON bytes of the private half, or of one fact."""
    return _encoder.encode(value)


def decode_private(data: bytes | str) -> Private:
    """The private half that was stored with a snapshot."""
    return _private.decode(data)


def decode_fact(data: bytes | str) -> Fact:
    """The private body of a row of the log."""
    return _fact.decode(data)
