"""Jobs: work that outlives the answer, the process and the machine that began it.

tracks.publish              adds one, in the statement that publishes its track
runner.Runner               takes them and does them
GET /api/jobs/{job_id}      how far one is
"""

from datetime import datetime
from typing import Final

from msgspec import Struct

from httpapi.endpoint import Call, Route, route
from httpapi.instants import written
from httpapi.lists import Query
from protocol.errors import ErrorCode, Rejected
from protocol.jobs import JobDetails, JobKind, JobState
from sql import queries


class JobRow(Struct, frozen=True):
    """A job as the database gives it."""

    job_id: str
    kind: JobKind
    track_id: str | None
    state: JobState
    progress: float
    error: str | None
    created_at: datetime
    ended_at: datetime | None


GET: Final = queries.maybe("jobs.get", JobRow)
FORGET: Final = queries.execute("jobs.forget")


async def get_job(call: Call[None, Query]) -> JobDetails:
    """How far a job of one's own is. Ask again every second or two while it is under way."""
    row = await GET(call.services.database, job_id=call.ids["job_id"], user_id=call.user_id)
    if row is None:
        raise Rejected(ErrorCode.NOT_FOUND)
    return JobDetails(
        job_id=row.job_id,
        kind=row.kind,
        track_id=row.track_id,
        state=row.state,
        progress=row.progress,
        error=row.error,
        created_at=written(row.created_at),
        ended_at=written(row.ended_at) if row.ended_at else None,
    )


ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "/api/jobs/{job_id}", get_job, returns=JobDetails, limit=60,
          refuses=(ErrorCode.NOT_FOUND,)),
)  # fmt: skip
