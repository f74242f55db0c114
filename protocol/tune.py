"""How well those who listen are in tune: what each reports, and what the room is told of it."""

from typing import Annotated, Literal

from msgspec import Meta

from protocol.base import Count, Entity, Signal
from protocol.ids import UserId

NAMED_IN_TUNE = 100
"""Where more listeners report, they are counted and not named."""
SPREAD_MS = (1, 2, 5, 10, 20, 50)
"""The upper bounds, in ms, of the counts in `Spread.errors`; one more count is for all above."""
REPORT_EVERY_MS = 5_000
"""How often a client says how well it is in tune."""
AWAY_AFTER_MS = 12_000
"""Who has not reported for so long is `away`."""

IN_TUNE_MS = 3
"""Who is no further off is `in_tune`, where the client does not say; else `catching_up`."""
RTT_MAX_MS = 60_000
"""A longer way to the server is told as this."""

Reported = Literal["in_tune", "catching_up", "loading", "silent"]
"""What a listener says of its own sound. `loading`: samples are missing. `silent`: the browser does
not let it sound. Only of the first two is the error measured."""
Tuning = Literal["in_tune", "catching_up", "loading", "silent", "away"]
"""`silent`: the browser does not let it sound. `away`: no report for a while; nobody reports it."""


class ClockReport(Signal, frozen=True, kw_only=True, tag="clock_report"):
    """How well the sender is in tune. Goes to the home only."""

    rtt_ms: Count
    error_ms: float
    """Measured distance of the sound from the schedule; positive: too late."""
    state: Reported | None = None
    """Without it the error tells. Since level 2."""


class Listening(Entity, frozen=True, kw_only=True):
    """How well one listener is in tune, as reported last."""

    user_id: UserId
    state: Tuning
    error_ms: float
    rtt_ms: Count


class Spread(Entity, frozen=True, kw_only=True):
    """How well a crowd is in tune."""

    errors: list[Count]
    """How many who sound are within each of `SPREAD_MS`, and above all of them."""
    loading: Count
    """How many have samples missing."""
    silent: Count
    """How many have a browser that does not let it sound."""
    away: Count
    """How many have not reported for a while."""


class Clicks(Signal, frozen=True, kw_only=True, tag="clicks"):
    """Everybody hears a click at each whole second of cluster time, for `for_ms` from now on: to
    compare loudspeakers in one place by ear. Passed on only for who may control the playback."""

    for_ms: Annotated[int, Meta(ge=0, le=60_000)]
