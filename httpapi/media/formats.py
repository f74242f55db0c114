"""Which kinds of audio are accepted, and how each is recognised."""

from typing import Final

from msgspec import Struct


class Kind(Struct, frozen=True):
    """A container with the codecs accepted in it."""

    media_type: str
    demuxer: str
    """The name that FFmpeg gives the format."""
    codecs: tuple[str, ...]
    starts: tuple[tuple[int, bytes], ...]
    """(offset, bytes) one of which the file must begin with: no page or archive in front."""
    length_is_told: bool = True
    """Its headers say how long it is; else the length is a guess until all is decoded."""


_PCM: Final = ("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le")
_ID3: Final = (0, b"ID3")
_MPEG_FRAME: Final = tuple((0, bytes((0xFF, second))) for second in range(0xE0, 0x100))

KINDS: Final = (
    Kind("audio/mpeg", "mp3", ("mp3",), (_ID3, *_MPEG_FRAME), length_is_told=False),
    Kind("audio/ogg", "ogg", ("vorbis", "opus"), ((0, b"OggS"),)),
    Kind("audio/flac", "flac", ("flac",), ((0, b"fLaC"), _ID3)),
    Kind("audio/wav", "wav", _PCM, ((0, b"RIFF"), (0, b"RF64"))),
    Kind("audio/mp4", "mov,mp4,m4a,3gp,3g2,mj2", ("aac",), ((4, b"ftyp"),)),
    Kind("audio/aac", "aac", ("aac",), (_ID3, *_MPEG_FRAME), length_is_told=False),
    Kind("audio/webm", "matroska,webm", ("opus", "vorbis"), ((0, b"\x1a\x45\xdf\xa3"),)),
)

OPEN_OPTIONS: Final = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join(kind.demuxer for kind in KINDS),
    "codec_whitelist": ",".join(
        ("mp3float", "mp3", "vorbis", "opus", "libopus", "flac", "aac", *_PCM)
    ),
}
"""Given to FFmpeg: no network, no playlist or concat demuxer, no decoder but these."""


def kind_of(demuxer: str, codec: str, head: bytes) -> Kind | None:
    """The accepted kind, or None. `head`: at least the first 8 bytes of the file."""
    for kind in KINDS:
        begins = any(head[at : at + len(mark)] == mark for at, mark in kind.starts)
        if kind.demuxer == demuxer and codec in kind.codecs and begins:
            return kind
    return None
