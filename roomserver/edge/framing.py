"""WebSocket frames from server to client, built once for any number of readers."""

from typing import Final

from protocol.encodings import JSON, Encoding, repacked

TEXT: Final = 0x81
"""The last and only frame of a text message (RFC 6455, section 5.2)."""
BINARY: Final = 0x82
"""The same of a binary message."""
DEFLATED: Final = 0x40
"""Added to either: the payload is compressed (RFC 7692, section 6)."""


def framed(payload: bytes, encoding: Encoding, deflated: int = 0) -> bytes:
    """Header and payload of one unmasked, final frame; `deflated` is `DEFLATED` or 0."""
    return _header((BINARY if encoding.is_binary else TEXT) | deflated, len(payload)) + payload


def _header(kind: int, size: int) -> bytes:
    if size < 126:
        return bytes((kind, size))
    if size < 65_536:
        return b"%c\x7e" % kind + size.to_bytes(2, "big")
    return b"%c\x7f" % kind + size.to_bytes(8, "big")


class Shared:
    """One message for many readers, framed once in each encoding that one of them speaks."""

    __slots__ = ("_packed", "_payload", "text")

    def __init__(self, payload: bytes) -> None:
        """`payload` is JSON."""
        self._payload = payload
        self._packed: bytes | None = None
        self.text = framed(payload, JSON)

    def of(self, encoding: Encoding) -> bytes:
        """The frame for a reader of that encoding."""
        if not encoding.is_binary:
            return self.text
        if self._packed is None:
            self._packed = framed(repacked(self._payload), encoding)
        return self._packed
