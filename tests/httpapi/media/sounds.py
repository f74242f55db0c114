"""Makes the audio, the pictures and the bombs that the media tests feed on."""

import io
from collections.abc import Iterable
from functools import cache

import av
import numpy as np
from PIL import Image


def sound(
    container: str,
    codec: str,
    *,
    samples: int = 48_000,
    rate_hz: int = 48_000,
    channels: int = 2,
    tags: dict[str, str] | None = None,
) -> bytes:
    """A quiet tone, encoded."""
    layout = "stereo" if channels == 2 else "mono"
    tone = 0.2 * np.sin(np.arange(samples) * 2 * np.pi * 330 / rate_hz)
    out = io.BytesIO()
    with av.open(out, "w", format=container) as target:
        # FFmpeg calls its own encoder of Vorbis an experiment.
        strict = {"strict": "-2"} if codec == "vorbis" else {}
        stream = target.add_stream(codec, rate=rate_hz, options=strict)
        stream.layout = layout
        for place in (target.metadata, stream.metadata):
            place.update(tags or {})
        wide = np.repeat(tone.astype(np.float32), channels).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(wide, format="flt", layout=layout)
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(
            format=stream.format, layout=layout, rate=rate_hz, frame_size=stream.frame_size or 1_024
        )
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            target.mux(stream.encode(part))
        target.mux(stream.encode(None))
    return out.getvalue()


def film() -> bytes:
    """An MP4 with moving pictures only."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as target:
        stream = target.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        for shade in range(20):
            picture = np.full((64, 64, 3), shade * 10, np.uint8)
            target.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        target.mux(stream.encode(None))
    return out.getvalue()


def picture(width: int = 900, height: int = 600, format: str = "PNG", mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height), 1 if mode == "1" else "teal").save(out, format)
    return out.getvalue()


def moving_picture(format: str) -> bytes:
    """One of a hundred frames."""
    frames = [Image.new("RGB", (40, 40), (shade, 0, 0)) for shade in range(100)]
    out = io.BytesIO()
    frames[0].save(out, format, save_all=True, append_images=frames[1:])
    return out.getvalue()


def silent_flac(hours: float, *, told: bool) -> bytes:
    """Hours of silence in a few hundred KB, made by hand; `told`: the header admits its length."""
    block = 65_535
    blocks = int(hours * 3_600 * 48_000) // block
    total = blocks * block if told else 0
    packed = 48_000 << 44 | 1 << 41 | 15 << 36 | total
    info = block.to_bytes(2, "big") * 2 + bytes(6) + packed.to_bytes(8, "big") + bytes(16)
    head = b"fLaC" + b"\x80" + len(info).to_bytes(3, "big") + info
    return head + b"".join(_silent_blocks(blocks))


def _silent_blocks(blocks: int) -> Iterable[bytes]:
    for number in range(blocks):
        coded = _long_utf8(number)
        frame = b"\xff\xf8\x7a\x18" + coded + b"\xff\xfe"
        frame += bytes((_crc(frame, 0x07, 8),)) + bytes(6)
        yield frame + _crc(frame, 0x8005, 16).to_bytes(2, "big")


def _long_utf8(number: int) -> bytes:
    return chr(number).encode("utf-8", "surrogatepass")


@cache
def _table(polynomial: int, bits: int) -> list[int]:
    table = []
    for byte in range(256):
        rest = byte << (bits - 8)
        for _ in range(8):
            rest = rest << 1 ^ (polynomial if rest >> (bits - 1) & 1 else 0)
            rest &= (1 << bits) - 1
        table.append(rest)
    return table


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    table, rest = _table(polynomial, bits), 0
    for byte in data:
        rest = (rest << 8 ^ table[rest >> (bits - 8) ^ byte]) & ((1 << bits) - 1)
    return rest


def id3(frames: Iterable[tuple[bytes, bytes]]) -> bytes:
    """An ID3v2.3 tag of these raw frames."""
    body = b"".join(name + len(data).to_bytes(4, "big") + b"\0\0" + data for name, data in frames)
    size = len(body)
    sizes = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + sizes + body


def apic(data: bytes, media_type: bytes = b"image/png") -> tuple[bytes, bytes]:
    return b"APIC", b"\0" + media_type + b"\0\x03\0" + data


def text(name: bytes, value: str) -> tuple[bytes, bytes]:
    return name, b"\x01" + value.encode("utf-16", "surrogatepass")
