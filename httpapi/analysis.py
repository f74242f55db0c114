"""The job that listens to a whole track: its rendition, loudness and outline."""

from typing import Final

from msgspec import Struct

from httpapi.files import LET_GO, hold
from httpapi.media.analyst import analyse
from httpapi.media.listening import Stored
from httpapi.media.segments import SEGMENT_SAMPLES, Segment
from httpapi.runner import Finish, Job, JobFailed, Tell
from httpapi.services import Services
from protocol.errors import ErrorCode, Rejected
from sql import queries
from sql.pool import Connection


class Subject(Struct, frozen=True):
    """What is to be analysed."""

    storage_key: str
    content_hash: str
    duration_samples: int
    is_made: bool


TRACK: Final = queries.maybe("renditions.track", Subject)
ADD: Final = queries.execute("renditions.add")
ADD_SEGMENTS: Final = queries.execute("renditions.add_segments")


async def analyse_track(services: Services, job: Job, tell: Tell) -> Finish:
    """Make what all tracks of the same content share; nothing to do where it is there.

    Raises JobFailed for a file that cannot be decoded or is gone; ChildFailed and Rejected where
    another try may help.
    """
    subject = await TRACK(services.database, track_id=job.track_id)
    if subject is None:
        raise JobFailed("The track has been deleted.")
    if subject.is_made:
        return _nothing
    stored: list[Stored] = []

    async def keep(segment: Segment) -> None:
        stored.append(await _kept(services, job, segment))
        tell(len(stored) * SEGMENT_SAMPLES / subject.duration_samples)

    try:
        async with services.storage.local(subject.storage_key) as path:
            heard = await analyse(
                path,
                duration_samples=subject.duration_samples,
                niceness=services.config.media_niceness,
                keep=keep,
            )
    except Rejected as refusal:
        if refusal.code in (ErrorCode.UNSUPPORTED_MEDIA, ErrorCode.NOT_FOUND):
            raise JobFailed(str(refusal)) from refusal
        raise

    async def finish(connection: Connection) -> None:
        await ADD(
            connection,
            content_hash=subject.content_hash,
            integrated_lufs=heard.integrated_lufs,
            true_peak_db=heard.true_peak_db,
            outline=heard.outline,
        )
        await ADD_SEGMENTS(
            connection,
            content_hash=subject.content_hash,
            flac_keys=[segment.flac_key for segment in stored],
            flac_sizes=[segment.flac_bytes for segment in stored],
            opus_keys=[segment.opus_key for segment in stored],
            opus_sizes=[segment.opus_bytes for segment in stored],
        )
        await LET_GO(connection, job_id=job.job_id)

    return finish


async def _nothing(connection: Connection) -> None:
    """Another track of the same content has it already."""


async def _kept(services: Services, job: Job, segment: Segment) -> Stored:
    stage = services.storage.stage_bytes
    async with stage(segment.flac) as flac, stage(segment.opus) as opus:
        await hold(services.database, job.job_id, flac, opus)
        return Stored(
            flac_key=await flac.keep(),
            flac_bytes=flac.size_bytes,
            opus_key=await opus.keep(),
            opus_bytes=opus.size_bytes,
        )
