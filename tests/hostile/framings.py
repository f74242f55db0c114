"""Messages as WebSocket frames: in any lawful way, and in every unlawful one."""

import zlib
from random import Random
from typing import Final

from protocol.encodings import Encoding

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN: Final = 0x80
DEFLATED: Final = 0x40
NO_MASK: Final = bytes(4)
"""A key that changes nothing: masking in Python would cost more than all the rest."""
EVIL_DEFLATE: Final = (
    b"",
    b"\xff" * 20,
    zlib.compress(b"{}"),
    zlib.compressobj(9, wbits=-15).compress(b" " * 2**20),
    b"\x00\x00\x00\xff\xff" * 50,
)


def one_frame(first: int, payload: bytes, width: int = 0) -> bytes:
    """`first` as it is; a length of at least `width` bytes, also where fewer would do."""
    size = len(payload)
    if size > 65_535 or width == 8:
        length = b"\xff" + size.to_bytes(8, "big")
    elif size > 125 or width == 2:
        length = b"\xfe" + size.to_bytes(2, "big")
    else:
        length = bytes((0x80 | size,))
    return bytes((first,)) + length + NO_MASK + payload


def lawful(rng: Random, payload: bytes, encoding: Encoding) -> bytes:
    """A message, whole or in pieces, perhaps with a ping in between."""
    opcode = BINARY if encoding.is_binary else TEXT
    if rng.random() < 0.8 or not payload:
        return one_frame(FIN | opcode, payload)
    cuts = sorted(rng.randrange(len(payload)) for _ in range(rng.choice((1, 2, 20))))
    pieces = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
    out = one_frame(opcode, pieces[0])
    for piece in pieces[1:-1]:
        out += one_frame(CONTINUATION, piece)
        if rng.random() < 0.3:
            out += one_frame(FIN | rng.choice((PING, PONG)), b"in between")
    return out + one_frame(FIN | CONTINUATION, pieces[-1])


def unlawful(rng: Random, payload: bytes, encoding: Encoding) -> bytes:
    """Something after which a WebSocket ends, or that it must bear."""
    opcode = BINARY if encoding.is_binary else TEXT
    match rng.randrange(10):
        case 0:
            return one_frame(rng.randrange(256), payload[: rng.choice((0, 10, 130, 70_000))])
        case 1:
            return bytes((FIN | opcode, min(125, len(payload)))) + payload  # Unmasked.
        case 2:
            return one_frame(FIN | opcode, payload, width=rng.choice((2, 8)))
        case 3:
            size = rng.choice((32_769, 2**31, 2**63 - 1, 2**63, 2**64 - 1))
            return bytes((FIN | opcode, 0xFF)) + size.to_bytes(8, "big") + NO_MASK + payload
        case 4:
            return one_frame(FIN | CLOSE, rng.randbytes(rng.choice((0, 1, 2, 2, 10, 125, 126))))
        case 5:
            # Not 1011: a lawful code comes back, and that one is what nobody may provoke.
            code = rng.choice((999, 1000, 1005, 1006, 1012, 1015, 3000, 4401, 65_535))
            return one_frame(FIN | CLOSE, code.to_bytes(2, "big") + rng.randbytes(3))
        case 6:
            return one_frame(FIN | DEFLATED | opcode, rng.choice(EVIL_DEFLATE))
        case 7:
            return one_frame(opcode, payload) + one_frame(FIN | opcode, payload)
        case 8:
            return one_frame(opcode, b"") + one_frame(CONTINUATION, b"") * 100
        case _:
            return rng.randbytes(rng.choice((1, 20, 500)))
