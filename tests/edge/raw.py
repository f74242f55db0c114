"""Bare bytes to a socket: frames as no library would send them."""

import asyncio
from typing import Final, Protocol


class Port(Protocol):
    """What has a port to connect to."""

    async def wire(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]: ...


MASK: Final = b"\x01\x02\x03\x04"
HANDSHAKE: Final = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def header(first: int, size: int, *, masked: bool = True) -> bytes:
    bit = 0x80 if masked else 0
    if size < 126:
        length = bytes([bit | size])
    elif size < 65_536:
        length = bytes([bit | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([bit | 127]) + size.to_bytes(8, "big")
    return bytes([first]) + length + (MASK if masked else b"")


def masked(payload: bytes) -> bytes:
    return bytes(byte ^ MASK[n % 4] for n, byte in enumerate(payload))


def frame(first: int, payload: bytes) -> bytes:
    return header(first, len(payload)) + masked(payload)


async def raw(on: Port) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """An open WebSocket of bare bytes."""
    reader, writer = await on.wire()
    writer.write(HANDSHAKE)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    return reader, writer


async def close_code(reader: asyncio.StreamReader) -> int:
    """The code of the close frame that ends what the server says; pongs before it are dropped."""
    async with asyncio.timeout(10):
        data = await reader.read()
    where = 0
    while where < len(data):
        size = data[where + 1]
        start = where + 2
        if size == 126:
            size, start = int.from_bytes(data[start : start + 2], "big"), start + 2
        if data[where] == 0x88:
            return int.from_bytes(data[start : start + 2], "big")
        where = start + size
    raise AssertionError(data)
