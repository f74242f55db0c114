"""Passwords: argon2id, two at a time in threads, and never a hint whether somebody exists."""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from protocol.errors import ErrorCode, Rejected

T = TypeVar("T")

THREADS: Final = 2
MAX_WAITING: Final = 64
"""At ~150 ms each, the last one waits about 5 s."""
PASSWORD_MAX_BYTES: Final = 1_024


class Passwords:
    """Hashes and verifies. Rejects: unavailable (temporary) when too many wait."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._waiting = 0
        # Verified where there is no user, so that both take the same time.
        self._nobodys = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """An encoded argon2id hash. Rejects: bad_request (too long)."""
        return await self._run(partial(self._hasher.hash, _prepared(password)))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is right; without a hash: no, after the same work."""
        try:
            prepared = _prepared(password)
        except Rejected:
            return False
        right = await self._run(partial(self._verify, password_hash or self._nobodys, prepared))
        return right and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the parameters have risen since it was made."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password_hash: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: "partial[T]") -> T:
        if self._waiting >= MAX_WAITING:
            raise Rejected(ErrorCode.UNAVAILABLE, retry_after_ms=5_000)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _prepared(password: str) -> bytes:
    """The bytes to hash: two keyboards may write one character in two ways (RFC 8265)."""
    data = unicodedata.normalize("NFKC", password).encode()
    if len(data) > PASSWORD_MAX_BYTES:
        raise Rejected(
            ErrorCode.BAD_REQUEST,
            f"A password has at most {PASSWORD_MAX_BYTES} bytes.",
            path="password",
        )
    return data
