"""Ogg Opus with tags and a picture: every browser plays it, and it is small."""

import base64
import io
import struct
from typing import Final

import av
import numpy as np
from av.audio.stream import AudioStream

from httpapi.demo.instruments import Audio
from protocol.base import SAMPLE_RATE_HZ

BIT_RATE: Final = 128_000
_BLOCK: Final = 960
"""One Opus packet: 20 ms."""
_FRONT_COVER: Final = 3


def opus(audio: Audio, tags: dict[str, str], cover: bytes, cover_edge: int) -> bytes:
    """Encode (2, samples) at 48 kHz. Equal input gives equal bytes.

    `cover`: a square JPEG with `cover_edge` pixels a side.
    """
    out = io.BytesIO()
    # bitexact: the stream's serial number is not left to chance.
    with av.open(out, "w", format="ogg", options={"fflags": "+bitexact"}) as target:
        stream = target.add_stream("libopus", rate=SAMPLE_RATE_HZ)
        assert isinstance(stream, AudioStream)
        stream.layout = "stereo"
        stream.format = "flt"
        stream.bit_rate = BIT_RATE
        # Half the effort of the encoder: nobody hears it, and the first start is sooner.
        stream.options = {"compression_level": "5"}
        picture = base64.b64encode(_picture_block(cover, cover_edge)).decode()
        stream.metadata.update({**tags, "METADATA_BLOCK_PICTURE": picture})
        for at in range(0, audio.shape[1], _BLOCK):
            mixed = np.ascontiguousarray(audio[:, at : at + _BLOCK].T).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(mixed, format="flt", layout="stereo")
            frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, at
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return out.getvalue()


def _picture_block(cover: bytes, edge: int) -> bytes:
    """FLAC's picture block, which Ogg puts in a comment: type, MIME type, sizes, data."""
    media_type = b"image/jpeg"
    return b"".join(
        (
            struct.pack(">II", _FRONT_COVER, len(media_type)),
            media_type,
            # No description; width, height, bits a pixel, no palette; the data.
            struct.pack(">6I", 0, edge, edge, 24, 0, len(cover)),
            cover,
        )
    )
