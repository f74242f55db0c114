"""Passwords: argon2id, two at a time in threads, and never a hint whether somebody exists."""

import asyncio
import logging
import os
import threading
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property, partial
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import (
    HashingError,
    InvalidHashError,
    VerificationError,
    VerifyMismatchError,
)
from argon2.low_level import error_to_str

from protocol.errors import ErrorCode, Rejected

T = TypeVar("T")

_log: Final = logging.getLogger(__name__)

THREADS: Final = 2
MAX_WAITING: Final = 64
"""At ~150 ms each, the last one waits about 5 s."""
NICENESS: Final = 19
"""Rooms come first: they have both cores the moment they want them."""
PASSWORD_MAX_BYTES: Final = 1_024
NO_MEMORY_WAIT_MS: Final = 5_000
NO_MEMORY: Final = -22
"""ARGON2_MEMORY_ALLOCATION_ERROR of argon2.h, which the library does not export."""
NO_THREAD: Final = -33
"""ARGON2_THREAD_FAIL."""
NOT_TO_BE_HAD: Final = {error_to_str(NO_MEMORY), error_to_str(NO_THREAD)}
"""What argon2 says where the system gave no memory or no thread."""


class Passwords:
    """Hashes and verifies. Rejects: unavailable (temporary) when too many wait, or where the
    system does not give the memory."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(
            THREADS, thread_name_prefix="argon2", initializer=_step_back
        )
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """An encoded argon2id hash. Rejects: bad_request (too long)."""
        return await self._run(partial(self._hasher.hash, _prepared(password)))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is right; without a hash: no, after the same work."""
        try:
            prepared = _prepared(password)
        except Rejected:
            return False
        right = await self._run(partial(self._verify, password_hash, prepared))
        return right and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the parameters have risen since it was made."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    @cached_property
    def _nobodys(self) -> str:
        """Verified where there is no password, so that both take the same time."""
        return self._hasher.hash("nobody has this password")

    def _verify(self, password_hash: str | None, password: bytes) -> bool:
        try:
            return self._hasher.verify(password_hash or self._nobodys, password)
        except (VerifyMismatchError, InvalidHashError):
            return False
        except VerificationError as error:
            if str(error) in NOT_TO_BE_HAD:
                raise
            # What is stored is no hash: no password is right, now or later.
            _log.exception("a stored password hash cannot be read")
            return False

    async def _run(self, work: "partial[T]") -> T:
        if self._waiting >= MAX_WAITING:
            raise Rejected(ErrorCode.UNAVAILABLE, retry_after_ms=5_000)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except (HashingError, VerificationError, MemoryError) as error:
            # No memory, or no thread, was to be had: nothing is known of the password.
            _log.warning("a password cannot be worked on", extra={"error": repr(error)})
            raise Rejected(ErrorCode.UNAVAILABLE, retry_after_ms=NO_MEMORY_WAIT_MS) from None
        finally:
            self._waiting -= 1


def _step_back() -> None:
    # On Linux niceness is a thread's own, and the threads that argon2 starts for its lanes have
    # their maker's. Elsewhere logins just compete.
    with suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


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
