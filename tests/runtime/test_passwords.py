"""Passwords: what is stored is read, or refused."""

from typing import Literal

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from argon2.low_level import error_to_str

from protocol.errors import ErrorCode, Rejected
from roomserver.runtime.passwords import NO_MEMORY, NO_THREAD, Passwords

WEAK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.mark.parametrize("stored", ["$argon2id$v=19$m=8,t=1,p=1$broken", "no hash at all", None])
async def test_what_is_no_hash_refuses_every_password(stored: str | None) -> None:
    passwords = Passwords(WEAK)
    assert await passwords.verify(stored, "secret") is False
    assert await passwords.verify(await passwords.hash("secret"), "secret") is True
    passwords.close()


@pytest.mark.parametrize("code", [NO_MEMORY, NO_THREAD])
async def test_without_memory_or_a_thread_nothing_is_said_of_the_password(code: int) -> None:
    class Starved(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            raise VerificationError(error_to_str(code))

    passwords = Passwords(Starved())
    with pytest.raises(Rejected) as refusal:
        await passwords.verify(WEAK.hash("secret"), "secret")
    assert refusal.value.code is ErrorCode.UNAVAILABLE
    passwords.close()
