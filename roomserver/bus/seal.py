"""What keeps an envelope from being made, changed, led astray or said again by somebody else.

A sealed envelope is `magic(2) version(1) sender(8) number(8) at_ms(8) code(32) envelope`. The code
is HMAC-SHA256 over all of it and the party that it is for, under a key that only the nodes have.
`at_ms` is when it was sealed, in ms since 1970 by its sender's clock.
"""

import hashlib
import hmac
import itertools
import secrets
from collections.abc import Callable, Sequence
from struct import Struct
from typing import Final, Literal

from protocol.cluster import Party
from roomserver.runtime.clock import wall_ms

MAGIC: Final = b"Ub"
VERSION: Final = 1
SENDER_BYTES: Final = 8
CODE_BYTES: Final = 32
HEADER: Final = Struct(f">2sB{SENDER_BYTES}sQQ")
PREFIX_BYTES: Final = HEADER.size + CODE_BYTES
ENVELOPE_MAX_BYTES: Final = 8 << 20
SENDERS_KEPT: Final = 4_096
STALE_AFTER_MS: Final = 60_000
"""Either way: clocks that differ by more make nodes deaf to each other."""

Reason = Literal["garbage", "version", "forged", "stale", "replayed", "oversize"]
Keys = Callable[[], Sequence[bytes]]


class Unsealed(Exception):
    """An envelope that none of the nodes has sealed for this party, or not just now."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Seal:
    """One sender's seal. `keys` are asked each time: the first seals, all of them are known.

    `now_ms` is a clock that all senders share, within a minute: ms since 1970.
    """

    def __init__(self, keys: Keys, *, now_ms: Callable[[], float] = wall_ms) -> None:
        self._keys = keys
        self._now_ms = now_ms
        self._sender = secrets.token_bytes(SENDER_BYTES)
        self._numbers = itertools.count(1)
        self._seen: dict[bytes, int] = {}

    def seal(self, to: Party, envelope: bytes) -> bytes:
        """`envelope` as only `to` will take it, and only once."""
        at_ms = int(self._now_ms())
        header = HEADER.pack(MAGIC, VERSION, self._sender, next(self._numbers), at_ms)
        return b"".join((header, _code(self._keys()[0], to, header, envelope), envelope))

    def open(self, to: Party, data: bytes) -> bytes:
        """The envelope in what came for `to`. Raises Unsealed.

        A sender's numbers only rise, as a bus keeps the order: a lower one was said before. Of a
        sender that was never heard, or long ago, the numbers are not known; the instant is.
        """
        if len(data) > PREFIX_BYTES + ENVELOPE_MAX_BYTES:
            raise Unsealed("oversize")
        if len(data) < PREFIX_BYTES or not data.startswith(MAGIC):
            raise Unsealed("garbage")
        _, version, sender, number, at_ms = HEADER.unpack_from(data)
        if version != VERSION:
            raise Unsealed("version")
        header, code, envelope = _parts(data)
        if not any(
            hmac.compare_digest(code, _code(key, to, header, envelope)) for key in self._keys()
        ):
            raise Unsealed("forged")
        if abs(self._now_ms() - at_ms) > STALE_AFTER_MS:
            raise Unsealed("stale")
        if number <= self._seen.get(sender, 0):
            raise Unsealed("replayed")
        # To the end: the first is who was heard longest ago. Each start of a node is a new sender.
        self._seen.pop(sender, None)
        self._seen[sender] = number
        if len(self._seen) > SENDERS_KEPT:
            del self._seen[next(iter(self._seen))]
        return envelope


def _parts(data: bytes) -> tuple[bytes, bytes, bytes]:
    return data[: HEADER.size], data[HEADER.size : PREFIX_BYTES], data[PREFIX_BYTES:]


def _code(key: bytes, to: Party, header: bytes, envelope: bytes) -> bytes:
    # The header has a fixed size and a party no NUL, so no two things are written alike.
    return hmac.digest(key, b"".join((to.encode(), b"\0", header, envelope)), hashlib.sha256)
