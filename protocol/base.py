"""The bases of all messages and the scalars they are made of.

Client to server is strict (an unknown field is an error), server to client is lenient (readers
ignore what they do not know), so that a server may add fields without breaking older clients.
"""

from typing import Annotated

from msgspec import Meta, Struct

FEATURE_LEVEL = 2
"""Rises by one with each release that adds to the protocol; told in `welcome`."""

SAMPLE_RATE_HZ = 48_000
"""The rate of the canonical rendition; `duration_samples` counts at this rate."""

Title = Annotated[str, Meta(min_length=1, max_length=200)]
RoomName = Annotated[str, Meta(min_length=1, max_length=80)]
DisplayName = Annotated[str, Meta(min_length=1, max_length=40)]
Description = Annotated[str, Meta(max_length=1_000)]
Content = Annotated[str, Meta(min_length=1, max_length=2_000)]
Reason = Annotated[str, Meta(max_length=300)]
"""Why somebody was put out or silenced; everybody in the room reads it."""
Password = Annotated[str, Meta(min_length=1, max_length=1_024)]

Count = Annotated[int, Meta(ge=0, le=2**53)]
AtMs = Annotated[float, Meta(ge=0, le=2**53)]
"""An instant in cluster time, ms since 1970. The fraction is meant: at 48 kHz a boundary between
two tracks seldom falls on a whole millisecond, and a float64 keeps it to a quarter microsecond."""
WholeAtMs = Annotated[int, Meta(ge=0, le=2**53)]
"""An instant at which something was decided, ms since 1970, cluster time."""
PositionMs = Annotated[float, Meta(ge=0, le=86_400_000)]
"""A place in a track, ms from its first sample."""


class Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The body of a REST request: strict."""


class Command(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="type",
):
    """A wish. The room refuses it or answers with events."""


class Signal(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="type",
):
    """A passing message without a seq: lost if nobody is there, never stored."""


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """A fact with a seq, durable before anybody sees it."""

    at_ms: WholeAtMs
    """When the home decided it, cluster time."""


class ClientFrame(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="type",
):
    """What a client sends: one WebSocket message."""


class ServerFrame(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """What a server sends: one WebSocket message."""


class Entity(Struct, frozen=True, kw_only=True):
    """A value in a snapshot or in a REST answer: every field is written, defaults too."""


class State(Struct, kw_only=True):
    """A part of a snapshot that changes; only `protocol.fold` changes it."""
