"""How fast a home does what it does. Tests give their own numbers instead of waiting."""

from msgspec import Struct

from protocol.presence import GRACE_MS
from protocol.reactions import REACTIONS_EVERY_MS


class Pace(Struct, frozen=True, kw_only=True):
    """Durations in ms and sizes of one home."""

    mailbox: int = 1_000
    """Commands and arrivals that may wait in a room; one more is refused as unavailable."""
    batch_events: int = 64
    batch_letters: int = 64
    batch_rooms: int = 128
    grace_ms: float = GRACE_MS
    vacant_ms: float = 60_000
    """How long a room plays on after the last person left."""
    presence_every_ms: float = 100
    """Who came and who went is told at most this often in a room."""
    linger_ms: float = 10_000
    """How long a resting room with nobody in it stays loaded after it was last used."""
    ready_share: float = 0.9
    snapshot_events: int = 200
    snapshot_ms: float = 60_000
    """A room with events since its last snapshot gets one after so long."""
    fresh_ms: float = 250
    """How old the encoded snapshot that newcomers get may be; what came since follows as events."""
    ring_events: int = 512
    ring_bytes: int = 256 * 1024
    tail_events: int = 64
    """So many events from before the stored snapshot are in the ring of a room that was loaded."""
    gap_events: int = 2_000
    """The longest gap that is read from the log for a client that comes back."""
    reactions_ms: float = REACTIONS_EVERY_MS
    """How long reactions to the music are gathered before they are counted."""
    list_every_ms: float = 1_000
    tracks_every_ms: float = 1_000
    """How often it is asked which tracks were deleted."""
    beat_every_ms: float = 1_000
    retry_ms: float = 200
    """How soon a database that did not answer is asked again."""
    stale_ms: float = 5_000
    """A node without a new beat for so long, by our own clock, has lost its rooms."""
    commit_timeout_ms: float = 10_000
