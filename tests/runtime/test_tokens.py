"""Access tokens: one algorithm, all claims, rotation; opaque credentials."""

import base64
import hmac
import json
from collections.abc import Callable
from typing import Final

import pytest

from protocol.errors import ErrorCode, Rejected
from roomserver.runtime import tokens
from roomserver.runtime.config import ConfigError, SigningKey
from roomserver.runtime.tokens import Tokens

KEY: Final = SigningKey("k1", b"a" * 32)
NEXT_KEY: Final = SigningKey("k2", b"b" * 32)
NOW_MS: Final = 1_790_000_000_000.0
NOW_S: Final = int(NOW_MS // 1000)
Json = dict[str, object]

GOOD: Final[Json] = {
    "iss": "unisono",
    "aud": "unisono",
    "sub": "u-1",
    "exp": NOW_S + 900,
    "iat": NOW_S,
    "jti": "j-1",
    "lid": "l-1",
    "kind": "person",
    "name": "Ann",
    "token_use": "access",
}
HEADER: Final[Json] = {"alg": "HS256", "kid": "k1", "typ": "JWT"}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forge(claims: Json, header: Json = HEADER, secret: bytes = KEY.secret) -> str:
    """A token made by hand, with a right HMAC-SHA256 signature over whatever it says."""
    signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{signed}.{b64(hmac.digest(secret, signed.encode(), 'sha256'))}"


def at(ms: float, *keys: SigningKey) -> Tokens:
    return Tokens(keys or (KEY,), now_ms=lambda: ms)


def refuses(verifier: Tokens, token: str) -> bool:
    try:
        verifier.verify(token)
    except Rejected as rejected:
        return rejected.code is ErrorCode.UNAUTHENTICATED
    return False


def test_an_issued_token_says_who_and_which_login_for_15_minutes() -> None:
    issued = at(NOW_MS).issue("u-1", "l-1", "guest", "Ann 🎵")
    claims = at(NOW_MS).verify(issued.token)
    assert (claims.user_id, claims.login_id) == ("u-1", "l-1")
    assert (claims.kind, claims.display_name) == ("guest", "Ann 🎵")
    assert issued.expires_in_ms == 900_000 and claims.exp - claims.iat == 900
    assert issued.token not in repr(issued)


def test_two_tokens_of_one_login_have_different_jti() -> None:
    issuer = at(NOW_MS)
    first, second = (issuer.verify(issuer.issue("u", "l", "bot", "b").token) for _ in range(2))
    assert first.jti != second.jti


def test_a_token_made_by_hand_with_every_claim_is_good() -> None:
    assert at(NOW_MS).verify(forge(GOOD)).sub == "u-1"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "HS512", "RS256", "hs256", ""])
def test_j1_only_the_pinned_algorithm_is_accepted(alg: str) -> None:
    assert refuses(at(NOW_MS), forge(GOOD, HEADER | {"alg": alg}))
    unsigned = forge(GOOD, HEADER | {"alg": alg}).rpartition(".")[0] + "."
    assert refuses(at(NOW_MS), unsigned)


@pytest.mark.parametrize("kid", ["../../x", "https://evil.example/key", "' OR 1=1 --", "", None, 1])
def test_j1_a_foreign_kid_is_only_looked_up_and_not_found(kid: object) -> None:
    assert refuses(at(NOW_MS), forge(GOOD, HEADER | {"kid": kid}))


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk", "x5c", "crit", "b64"])
def test_j1_headers_that_name_keys_or_change_rules_are_refused(name: str) -> None:
    assert refuses(at(NOW_MS), forge(GOOD, HEADER | {name: "https://evil.example"}))


def test_j1_a_token_signed_with_another_key_is_refused() -> None:
    assert refuses(at(NOW_MS), forge(GOOD, secret=b"-----BEGIN PUBLIC KEY-----" + b"x" * 32))


@pytest.mark.parametrize(
    "claim", ["exp", "iat", "sub", "aud", "iss", "jti", "lid", "kind", "name", "token_use"]
)
def test_j2_every_claim_is_required(claim: str) -> None:
    assert refuses(at(NOW_MS), forge({k: v for k, v in GOOD.items() if k != claim}))


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "other"},
        {"aud": ["unisono", "other"]},
        {"iss": "other"},
        {"token_use": "refresh"},
        {"token_use": "ticket"},
        {"exp": "soon"},
        {"exp": None},
        {"exp": NOW_S - 31},
        {"nbf": NOW_S + 31},
        {"iat": NOW_S + 31},
        {"sub": 7},
    ],
)
def test_j3_a_wrong_claim_is_refused(change: Json) -> None:
    assert refuses(at(NOW_MS), forge(GOOD | change))


def test_j3_a_token_ends_at_its_exp_with_at_most_30_s_of_leeway() -> None:
    token = at(NOW_MS).issue("u", "l", "person", "Ann").token
    end_ms = NOW_MS + tokens.ACCESS_LIFETIME_MS
    assert not refuses(at(end_ms - 1_000), token)
    assert not refuses(at(end_ms + 29_000), token)
    assert refuses(at(end_ms + 30_000), token)


def test_j3_a_token_that_was_good_before_is_looked_at_again() -> None:
    now_ms = [NOW_MS]
    verifier = Tokens([KEY], now_ms=lambda: now_ms[0])
    issued = [
        verifier.issue("u", str(n), "person", "Ann").token for n in range(tokens.TOKENS_KEPT + 1)
    ]
    assert [verifier.verify(token).login_id for token in issued] == [
        verifier.verify(token).login_id for token in issued
    ]
    now_ms[0] += tokens.ACCESS_LIFETIME_MS + tokens.LEEWAY_MS
    assert all(refuses(verifier, token) for token in (issued[0], issued[-1]))


def test_j3_an_opaque_credential_is_no_access_token() -> None:
    assert refuses(at(NOW_MS), tokens.opaque())


@pytest.mark.parametrize("secret", [b"", b"x" * 31])
def test_j4_a_short_key_is_refused(secret: bytes) -> None:
    with pytest.raises(ConfigError, match="shorter than 32 bytes"):
        Tokens([SigningKey("k1", secret)])


def test_j4_no_key_at_all_is_refused() -> None:
    with pytest.raises(ConfigError):
        Tokens([])


def test_j5_after_a_rotation_old_tokens_hold_until_their_key_is_dropped() -> None:
    verifier = at(NOW_MS, KEY)
    old = verifier.issue("u", "l", "person", "Ann").token
    verifier.replace_keys([NEXT_KEY, KEY])
    new = verifier.issue("u", "l", "person", "Ann").token
    assert verifier.verify(old).sub == verifier.verify(new).sub == "u"
    assert refuses(at(NOW_MS, KEY), new)
    verifier.replace_keys([NEXT_KEY])
    assert refuses(verifier, old) and verifier.verify(new).sub == "u"


def _nested(depth: int) -> str:
    signed = f"{b64(json.dumps(HEADER).encode())}.{b64(b'[' * depth)}"
    return f"{signed}.{b64(hmac.digest(KEY.secret, signed.encode(), 'sha256'))}"


@pytest.mark.parametrize(
    "text",
    [
        lambda: "",
        lambda: "...",
        lambda: "a.b.c",
        lambda: "é.é.é",
        lambda: "\ud800",
        lambda: "=.=.=",
        lambda: "x" * 100_000,
        lambda: forge(GOOD) + "x",
        lambda: forge(GOOD)[:-4],
        lambda: f"{b64(b'[]')}.{b64(b'{}')}.{b64(b'x')}",
        lambda: f"{b64(b'nonsense')}.{b64(b'{}')}.{b64(b'x')}",
        lambda: f"{b64(bytes([0xFF, 0xFE]))}.{b64(b'{}')}.{b64(b'x')}",
        lambda: f"{b64(b'[' * 300)}.{b64(b'{}')}.{b64(b'x')}",
        lambda: _nested(2_500),
    ],
)
def test_garbage_is_refused_and_never_raises_anything_else(text: Callable[[], str]) -> None:
    assert refuses(at(NOW_MS), text())


def test_opaque_credentials_are_random_and_stored_as_a_hash() -> None:
    first, second = tokens.opaque(), tokens.opaque()
    assert first != second and len(first) >= 43
    assert tokens.hash_opaque(first) == tokens.hash_opaque(first) != tokens.hash_opaque(second)
    assert len(tokens.hash_opaque(first)) == 32 and first.encode() not in tokens.hash_opaque(first)
    assert len(tokens.hash_opaque("\ud800é")) == 32
