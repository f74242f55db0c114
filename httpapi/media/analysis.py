"""The process `python -m httpapi.media.analysis` listens to one whole file of a stranger.

In one pass: loudness, outline, and the canonical rendition. Reads an `AnalysisTask` from stdin; it
opens the file and writes to stdout, and may do nothing else.
"""

import os
import sys
from typing import BinaryIO

import av.error
import msgspec

from httpapi.media.analysed import Analysed, AnalysisTask, SegmentMade
from httpapi.media.child import die_with, limit_to
from httpapi.media.loudness import LoudnessMeter
from httpapi.media.probed import Refused
from httpapi.media.segments import Segment, Segmenter
from httpapi.media.sound import blocks
from httpapi.media.waveform import Outline
from protocol.errors import ErrorCode


def analyse(task: AnalysisTask, out: BinaryIO) -> Analysed:
    """Write the segments to `out` as they are made. Raises av.error.FFmpegError."""
    meter, outline, segmenter = LoudnessMeter(), Outline(task.duration_samples), Segmenter()
    for block in blocks(task.path, task.duration_samples):
        meter.take(block)
        outline.take(block)
        for segment in segmenter.take(block):
            _write(out, segment)
    for segment in segmenter.finish():
        _write(out, segment)
    heard = meter.finish()
    return Analysed(
        integrated_lufs=heard.integrated_lufs,
        true_peak_db=heard.true_peak_db,
        outline=outline.finish(),
    )


def _write(out: BinaryIO, segment: Segment) -> None:
    made = SegmentMade(
        number=segment.number, flac_bytes=len(segment.flac), opus_bytes=len(segment.opus)
    )
    out.write(msgspec.json.encode(made) + b"\n" + segment.flac + segment.opus)


def main() -> None:
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=AnalysisTask)
    die_with(task.parent_pid)
    limit_to(cpu_s=task.cpu_s, memory_bytes=task.memory_bytes)
    os.nice(task.niceness)
    out = sys.stdout.buffer
    answer: Analysed | Refused
    try:
        answer = analyse(task, out)
    except av.error.FFmpegError:
        answer = Refused(code=ErrorCode.UNSUPPORTED_MEDIA, reason="it cannot be decoded any more")
    except MemoryError:
        answer = Refused(code=ErrorCode.UNSUPPORTED_MEDIA, reason="it takes too much memory")
    out.write(msgspec.json.encode(answer) + b"\n")


if __name__ == "__main__":
    main()
