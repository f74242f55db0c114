"""Has a file analysed by a process of its own, and passes on the segments as they come."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec

from httpapi.media.analysed import Analysed, AnalysisTask, Answer, SegmentMade
from httpapi.media.child import ChildFailed, running_child
from httpapi.media.probed import Refused
from httpapi.media.segments import SEGMENT_SAMPLES, Segment
from protocol.base import SAMPLE_RATE_HZ
from protocol.errors import Rejected

MEMORY_BYTES: Final = 1536 * 2**20
CPU_BASE_S: Final = 30
CPU_SHARE: Final = 0.25
"""Seconds of the processor for one of music; a small machine takes 0.03 to 0.1."""
DEADLINE_FACTOR: Final = 8
"""It runs behind everybody else: a busy machine may let it wait."""
SEGMENT_MAX_BYTES: Final = 4 * 2**20

Keep = Callable[[Segment], Awaitable[None]]
_answers: Final[msgspec.json.Decoder[Answer]] = msgspec.json.Decoder(Answer)


async def analyse(path: Path, *, duration_samples: int, niceness: int, keep: Keep) -> Analysed:
    """Listen to the whole file; `keep` gets each segment, in order, before the next is made.

    Rejects: unsupported_media for a file that cannot be decoded. Raises ChildFailed for a process
    that died, hung or passed its limits, and whatever `keep` raises.
    """
    cpu_s = CPU_BASE_S + int(CPU_SHARE * duration_samples / SAMPLE_RATE_HZ)
    task = AnalysisTask(
        path=str(path),
        duration_samples=duration_samples,
        parent_pid=os.getpid(),
        cpu_s=cpu_s,
        memory_bytes=MEMORY_BYTES,
        niceness=niceness,
    )
    awaited = -(-duration_samples // SEGMENT_SAMPLES)
    async with running_child(
        "httpapi.media.analysis",
        task=msgspec.json.encode(task),
        deadline_s=DEADLINE_FACTOR * cpu_s,
        # One segment is made while another is kept.
        ahead_bytes=SEGMENT_MAX_BYTES // 2,
    ) as output:
        count = 0
        while isinstance(answer := await _next(output), SegmentMade):
            segment = await _segment(output, answer)
            if segment.number != count:
                raise ChildFailed("it left out a segment")
            count += 1
            await keep(segment)
    if isinstance(answer, Refused):
        raise Rejected(answer.code, f"The file is not accepted: {answer.reason}.")
    if count != awaited:
        raise ChildFailed(f"it made {count} segments of {awaited}")
    return answer


async def _next(output: asyncio.StreamReader) -> Answer:
    try:
        if not (line := await output.readline()):
            raise ChildFailed("it ended before it was done")
        return _answers.decode(line)
    except ValueError as error:
        # msgspec's errors are ValueErrors too; so is a line that is too long.
        raise ChildFailed("it answered nonsense") from error


async def _segment(output: asyncio.StreamReader, made: SegmentMade) -> Segment:
    for size_bytes in (made.flac_bytes, made.opus_bytes):
        if not 0 < size_bytes <= SEGMENT_MAX_BYTES:
            raise ChildFailed("it made a segment of no sensible size")
    flac = await output.readexactly(made.flac_bytes)
    return Segment(made.number, flac, await output.readexactly(made.opus_bytes))
