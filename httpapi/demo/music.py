"""The demo tracks, as files that go the same way as a person's upload.

python -m httpapi.demo.music NAME > track.ogg
"""

import os
import sys
from typing import Final

from msgspec import Struct

from httpapi.media.child import die_with, run_child

ALBUM: Final = "Music for Opening a Room"
DEADLINE_S: Final = 120.0


class DemoTrack(Struct, frozen=True, kw_only=True):
    """What the tags of a demo track say."""

    name: str
    title: str
    artist: str
    album: str = ALBUM

    @property
    def file_name(self) -> str:
        return f"{self.name}.ogg"


DEMO_TRACKS: Final = (
    DemoTrack(name="slow_harbour", title="Slow Harbour", artist="Unisono Tide Ensemble"),
    DemoTrack(name="night_tram", title="Last Tram, Light Rain", artist="Unisono Night Trio"),
    DemoTrack(name="lantern_waltz", title="Lantern Waltz", artist="Unisono Paper Orchestra"),
    DemoTrack(name="glass_clockwork", title="Glass Clockwork", artist="Unisono Machine Choir"),
)


async def compose(name: str) -> bytes:
    """The finished Ogg Opus file of a track of `DEMO_TRACKS`, made in a process of its own.

    Takes about three seconds of one core. Raises ChildFailed, and KeyError for another name.
    """
    track = _by_name(name)
    return await run_child(
        "httpapi.demo.music", track.name, str(os.getpid()), deadline_s=DEADLINE_S
    )


def synthesise(name: str) -> bytes:
    """What `compose` returns, made in this process."""
    # Only the process that plays needs numpy's and FFmpeg's weight.
    from httpapi.demo import covers, encode, score

    track = _by_name(name)
    tags = {"title": track.title, "artist": track.artist, "album": track.album}
    return encode.opus(score.PIECES[name](), tags, covers.paint(name), covers.EDGE)


def _by_name(name: str) -> DemoTrack:
    return {track.name: track for track in DEMO_TRACKS}[name]


def main() -> None:
    if len(sys.argv) > 2:
        die_with(int(sys.argv[2]))
    sys.stdout.buffer.write(synthesise(sys.argv[1]))


if __name__ == "__main__":
    main()
