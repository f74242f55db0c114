"""A job: work that the server does for a person after it has answered."""

from typing import Annotated, Literal

from msgspec import Meta

from protocol.base import Entity
from protocol.ids import JobId, TrackId
from protocol.users import Instant

JobKind = Literal["analysis"]
JobState = Literal["waiting", "running", "done", "failed"]
"""`waiting`: for its turn, or for another try; `failed`: will not be tried again."""
Progress = Annotated[float, Meta(ge=0, le=1)]


class JobDetails(Entity, frozen=True, kw_only=True):
    """A job, as the person it is done for sees it."""

    job_id: JobId
    kind: JobKind
    track_id: TrackId | None
    """What it works on."""
    state: JobState
    progress: Progress
    """0..1; exactly 1 when it is done."""
    error: str | None
    """Why it failed."""
    created_at: Instant
    ended_at: Instant | None
