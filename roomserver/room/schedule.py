"""The plan: which entries follow the current one, and at which exact instants.

Instants lie on the sample grid of cluster time (n / 48 ms, n whole). A float64 keeps them to a
quarter microsecond, a hundredth of a sample, so n can be read back from it: sums are made in whole
samples and no error adds up, however many tracks follow each other.
"""

from typing import Final

from protocol.errors import ErrorCode, Rejected
from protocol.playback import SAMPLES_PER_MS, Playback, PlaybackScheduled, Start
from protocol.queue import Entry
from roomserver.room.context import Context
from roomserver.room.state import State, Step

AHEAD_MS: Final = 15_000
"""The plan reaches at least this far beyond the end of the current entry, if the queue does."""
AHEAD_SAMPLES: Final = round(AHEAD_MS * SAMPLES_PER_MS)
"""The same in samples."""


def on_grid(instant_ms: float) -> float:
    """The instant or position of the sample that is nearest."""
    return round(instant_ms * SAMPLES_PER_MS) / SAMPLES_PER_MS


def act_at_ms(playback: Playback, ctx: Context) -> float:
    """When what is decided now happens for everybody: a lead from now.

    Never before an act that is already agreed: a lead that has just become shorter does not
    overtake it.
    """
    at_ms = float(ctx.now_ms + ctx.lead_ms)
    anchor_ms = playback.started_at_ms
    return at_ms if anchor_ms is None or anchor_ms <= at_ms else anchor_ms


def count_starting(playback: Playback, ctx: Context) -> int:
    """How many entries at the head of the queue start within the lead: too late to touch them."""
    count = 0
    for start in playback.upcoming:
        if start.started_at_ms > ctx.now_ms + ctx.lead_ms:
            break
        count += 1
    return count


def require_before_end(playback: Playback, at_ms: float) -> None:
    """Refuse an act that would come after the current entry. Rejects: entry_starting."""
    ends_at_ms = playback.ends_at_ms()
    if ends_at_ms is not None and at_ms > ends_at_ms:
        raise Rejected(ErrorCode.ENTRY_STARTING)


def plan(queue: list[Entry], ends_at_ms: float) -> list[Start]:
    """The starts that follow, each where the one before it ends."""
    sample = round(ends_at_ms * SAMPLES_PER_MS)
    horizon = sample + AHEAD_SAMPLES
    upcoming = []
    for entry in queue:
        if sample >= horizon:
            break
        upcoming.append(Start(entry_id=entry.entry_id, started_at_ms=sample / SAMPLES_PER_MS))
        sample += entry.track.duration_samples
    return upcoming


def is_planned(playback: Playback, queue: list[Entry], ends_at_ms: float) -> bool:
    """Whether the agreed starts are those that `plan` would make; looks no further than they go."""
    sample = round(ends_at_ms * SAMPLES_PER_MS)
    horizon = sample + AHEAD_SAMPLES
    upcoming = playback.upcoming
    if len(upcoming) > len(queue):
        return False
    for start, entry in zip(upcoming, queue, strict=False):
        if (
            sample >= horizon
            or start.entry_id != entry.entry_id
            or start.started_at_ms != sample / SAMPLES_PER_MS
        ):
            return False
        sample += entry.track.duration_samples
    return sample >= horizon or len(upcoming) == len(queue)


def follow_schedule(state: State, ctx: Context) -> list[Step]:
    """Agree on what follows, if it is not agreed already; at rest nothing follows."""
    public = state.public
    ends_at_ms = public.playback.ends_at_ms()
    if ends_at_ms is None:
        upcoming: list[Start] = []
        is_agreed = not public.playback.upcoming
    else:
        is_agreed = is_planned(public.playback, public.queue, ends_at_ms)
        upcoming = [] if is_agreed else plan(public.queue, ends_at_ms)
    if is_agreed:
        return []
    return [Step(PlaybackScheduled(at_ms=ctx.now_ms, upcoming=upcoming))]
