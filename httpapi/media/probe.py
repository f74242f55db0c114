"""The worker process: `python -m httpapi.media.probe` decodes one file of a stranger.

Reads a `ProbeTask` from stdin and writes an `Outcome` to stdout. Whatever the file does to the
decoder happens here, under limits, and not in the server.
"""

import sys
from fractions import Fraction
from typing import Final

import av
import av.error
import msgspec
from av.container import InputContainer
from av.stream import Disposition

from httpapi.media.child import die_with, limit_to
from httpapi.media.formats import OPEN_OPTIONS, Kind, kind_of
from httpapi.media.picture import SMALL_EDGE_MAX, BadPicture, remake
from httpapi.media.probed import Outcome, Probed, ProbeTask, Refused
from httpapi.media.tags import read_tags
from protocol.base import SAMPLE_RATE_HZ
from protocol.errors import ErrorCode

MIN_SAMPLES: Final = SAMPLE_RATE_HZ // 10
MAX_CHANNELS: Final = 8
RATES_HZ: Final = range(8_000, 192_001)
BAD_PACKETS_MAX: Final = 20
TOLD_SHARE: Final = Fraction(95, 100)
"""How much of the length told by the headers must be there; less is a truncated file."""


class BadFile(Exception):
    """Not audio that is accepted; says why."""


def probe(task: ProbeTask) -> Outcome:
    """Decode the whole file and read its tags. Never raises for what is in the file."""
    try:
        return _probe(task)
    except BadFile as error:
        reason = str(error)
    except av.error.FFmpegError:
        reason = "this is not an audio file of a kind that is accepted"
    except MemoryError:
        reason = "it takes too much memory"
    return Refused(code=ErrorCode.UNSUPPORTED_MEDIA, reason=reason)


def _probe(task: ProbeTask) -> Probed:
    with open(task.path, "rb") as file:
        head = file.read(16)
    if not head:
        raise BadFile("it is empty")
    with av.open(task.path, options=OPEN_OPTIONS, metadata_errors="replace") as container:
        assert isinstance(container, InputContainer)
        kind = _kind(container, head)
        length, codec, rate_hz, channels = _decode(container, kind, task.max_duration_ms)
    tags = read_tags(task.path, task.name)
    try:
        cover = remake(tags.picture) if tags.picture else None
        cover_small = remake(cover, edge_max=SMALL_EDGE_MAX) if cover else None
    except BadPicture:
        cover = cover_small = None
    samples = round(length * SAMPLE_RATE_HZ)
    return Probed(
        media_type=kind.media_type,
        codec=codec,
        sample_rate_hz=rate_hz,
        channels=channels,
        duration_samples=samples,
        duration_ms=round(Fraction(samples * 1_000, SAMPLE_RATE_HZ)),
        title=tags.title,
        artist=tags.artist,
        album=tags.album,
        genre=tags.genre,
        cover=cover,
        cover_small=cover_small,
    )


def _kind(container: InputContainer, head: bytes) -> Kind:
    if len(container.streams.audio) != 1:
        raise BadFile("it must hold exactly one audio stream")
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            raise BadFile("it holds moving pictures")
    codec = container.streams.audio[0].codec_context.codec.canonical_name
    kind = kind_of(container.format.name, codec, head)
    if kind is None:
        raise BadFile("this kind of file is not accepted")
    return kind


def _decode(
    container: InputContainer, kind: Kind, max_duration_ms: int
) -> tuple[Fraction, str, int, int]:
    """Length in seconds, codec, sample rate and channels as they came out of the decoder."""
    stream = container.streams.audio[0]
    stream.codec_context.thread_count = 1
    cap = Fraction(max_duration_ms, 1_000)
    told = Fraction(0)
    if kind.length_is_told and stream.duration is not None and stream.time_base is not None:
        told = stream.duration * stream.time_base
    if told > cap:
        raise BadFile("it is too long")
    samples = rate_hz = channels = bad_packets = 0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            bad_packets += 1
            if bad_packets > BAD_PACKETS_MAX:
                raise BadFile("it is damaged") from None
            continue
        for frame in frames:
            if not rate_hz:
                rate_hz, channels = frame.sample_rate, len(frame.layout.channels)
            elif rate_hz != frame.sample_rate:
                raise BadFile("its sample rate changes")
            samples += frame.samples
        if rate_hz and samples > cap * rate_hz:
            raise BadFile("it is too long")
    if rate_hz not in RATES_HZ or not 1 <= channels <= MAX_CHANNELS:
        raise BadFile("its sample rate or its channels are not accepted")
    length = Fraction(samples, rate_hz)
    if length * SAMPLE_RATE_HZ < MIN_SAMPLES:
        raise BadFile("it is too short")
    if length < told * TOLD_SHARE:
        raise BadFile("it is cut off")
    return length, stream.codec_context.codec.canonical_name, rate_hz, channels


def main() -> None:
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=ProbeTask)
    die_with(task.parent_pid)
    limit_to(cpu_s=task.cpu_s, memory_bytes=task.memory_bytes)
    sys.stdout.buffer.write(msgspec.json.encode(probe(task)) + b"\n")


if __name__ == "__main__":
    main()
