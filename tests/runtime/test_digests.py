"""Digests of addresses."""

from roomserver.runtime.addresses import LOCAL
from roomserver.runtime.config import SigningKey
from roomserver.runtime.digests import Digests

KEY = SigningKey("k1", b"a" * 32)
NEXT_KEY = SigningKey("k2", b"b" * 32)


def test_an_address_has_the_same_digest_everywhere_and_another_address_another() -> None:
    digests = Digests([KEY])
    assert digests.of("192.0.2.1") == Digests([KEY]).of("192.0.2.1")
    assert digests.of("192.0.2.1") != digests.of("192.0.2.2")
    (digest,) = digests.of("192.0.2.1")
    assert len(digest) == 32


def test_after_a_rotation_the_digest_of_the_earlier_key_is_still_known() -> None:
    before = Digests([KEY]).of("192.0.2.1")
    after = Digests([NEXT_KEY, KEY]).of("192.0.2.1")
    assert after[0] not in before
    assert after[1:] == before


def test_a_socket_of_this_machine_has_none() -> None:
    assert Digests([KEY]).of(LOCAL) == ()
    assert Digests([KEY]).of("") == ()
