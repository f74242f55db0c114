"""Large frames, compressed once for any number of readers (RFC 7692, permessage-deflate).

No connection keeps a compression context: a message is a run of deflate blocks that refer to
nothing outside of it, so a part that many messages share is compressed once and joined with what
is one reader's own. Live events go uncompressed: they are too short to gain anything.
"""

import zlib
from typing import Final

from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)

LEVEL: Final = 1
"""200 KB of snapshot in 3 ms, to a quarter; level 6 takes twice as long for 15 % less."""
DEFLATE_FROM_BYTES: Final = 8 * 1024
_SYNC_END: Final = b"\x00\x00\xff\xff"

EXTENSION: Final = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True,
    client_no_context_takeover=True,
    compress_settings={"level": LEVEL},
)
"""What a handshake agrees to; what a client compresses, the library inflates under its cap."""


def is_wide(extension: Extension) -> bool:
    """Whether its reader can inflate what `deflated` makes: it kept the full window."""
    return (
        isinstance(extension, PerMessageDeflate)
        and extension.local_max_window_bits == zlib.MAX_WBITS
    )


def deflated(part: bytes) -> bytes:
    """A part of a message as deflate blocks, ended on a byte; parts can be joined."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH)


def message(*parts: bytes) -> bytes:
    """The payload of one compressed message made of deflated parts (section 7.2.1)."""
    return b"".join(parts).removesuffix(_SYNC_END)
