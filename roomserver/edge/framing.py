"""WebSocket text frames from server to client, built once for any number of readers."""


def text_frame(payload: bytes) -> bytes:
    """Header and payload of one unmasked, final text frame (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        return b"\x81%c" % size + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload
