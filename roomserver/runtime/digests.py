"""Digests of addresses: equal for equal addresses, and no way back without the server's keys."""

import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from roomserver.runtime.addresses import LOCAL
from roomserver.runtime.config import SigningKey

PURPOSE: Final = b"address"
DIGEST_BYTES: Final = 16
REMEMBERED: Final = 4_096


class Digests:
    """Digests under every key that still verifies, the signing one's first.

    What was written under an earlier key is known again as long as that key is listed.
    """

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self._keys = [key.derived(PURPOSE) for key in keys]
        # People come back and ask again from the same few addresses.
        self.of = lru_cache(REMEMBERED)(self._of)

    def _of(self, address: str) -> tuple[str, ...]:
        """Of an address as `client_address` tells it (IPv6: the /64); none for a local socket."""
        if address in ("", LOCAL):
            return ()
        return tuple(
            hmac.digest(key, address.encode(), hashlib.sha256)[:DIGEST_BYTES].hex()
            for key in self._keys
        )
