"""The people and the music that the scenarios are played with."""

from typing import Final
from uuid import UUID

from protocol.tracks import Track
from protocol.users import Person


def uid(number: int) -> str:
    """A name that is easy to tell from another in a failed test."""
    return str(UUID(int=number))


ANN: Final = Person(user_id=uid(0xA1), display_name="Ann")
"""Owns the room."""
BOB: Final = Person(user_id=uid(0xB2), display_name="Bob", kind="guest")
EVE: Final = Person(user_id=uid(0xE3), display_name="Eve")
DAN: Final = Person(user_id=uid(0xD4), display_name="Dan")
ROB: Final = Person(user_id=uid(0x0B), display_name="Rob", kind="bot")
"""Listens to commands, not to music: never counted as present."""
VIC: Final = Person(user_id=uid(0x1C), display_name="Vic", kind="bot")
"""Another one."""


def track(samples: int, number: int = 1) -> Track:
    """A track of so many samples at 48 kHz."""
    return Track(
        track_id=uid(0x7000 + number),
        title=f"Track {number}",
        artist="The Sines",
        duration_ms=round(samples / 48),
        duration_samples=samples,
    )


def minutes(count: float, number: int = 1) -> Track:
    """A track of so many minutes."""
    return track(round(count * 60 * 48_000), number)
