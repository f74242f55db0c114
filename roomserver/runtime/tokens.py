"""Access tokens (signed, short-lived) and opaque credentials (random, stored only as a hash).

One algorithm is pinned. Times are this machine's wall clock; the leeway covers its error.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from protocol.errors import ErrorCode, Rejected
from roomserver.runtime.clock import wall_ms
from roomserver.runtime.config import SIGNING_SECRET_MIN_BYTES, ConfigError, SigningKey
from roomserver.runtime.digests import Digests

ALGORITHM: Final = "HS256"
ISSUER: Final = "unisono"
AUDIENCE: Final = "unisono"
ACCESS: Final = "access"
ACCESS_LIFETIME_MS: Final = 15 * 60_000
LEEWAY_MS: Final = 30_000
BUS: Final = b"bus"
TOKEN_MAX_BYTES: Final = 4_096
TOKENS_KEPT: Final = 4_096
"""How many tokens are known again: checking a signature costs more than many a request does."""


class Claims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a valid access token says; `exp`, `iat`, `nbf` are seconds since 1970.

    Unknown claims are ignored, so that a newer node may add one.
    """

    iss: str
    aud: str
    sub: str
    exp: int
    iat: int
    jti: str
    lid: str
    kind: str
    name: str
    token_use: str
    nbf: int = 0

    @property
    def user_id(self) -> str:
        return self.sub

    @property
    def login_id(self) -> str:
        return self.lid

    @property
    def display_name(self) -> str:
        return self.name


class IssuedToken(msgspec.Struct, frozen=True):
    """A fresh access token and how long it is good for."""

    token: str
    expires_in_ms: int

    def __repr__(self) -> str:
        return f"IssuedToken(token=***, expires_in_ms={self.expires_in_ms})"


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alg: str
    kid: str
    typ: str


class Tokens:
    """Issues and verifies access tokens. The first key signs; every key given verifies."""

    def __init__(
        self, keys: Sequence[SigningKey], *, now_ms: Callable[[], float] = wall_ms
    ) -> None:
        self._now_ms = now_ms
        self.replace_keys(keys)

    def replace_keys(self, keys: Sequence[SigningKey]) -> None:
        """Rotate: the first key signs from now on; tokens of a key left out are refused.

        Raises ConfigError without a key or with one shorter than 32 bytes.
        """
        if not keys:
            raise ConfigError("UNISONO_SIGNING_KEYS", "at least one key is needed")
        for key in keys:
            if len(key.secret) < SIGNING_SECRET_MIN_BYTES:
                raise ConfigError(
                    "UNISONO_SIGNING_KEYS",
                    f"key {key.kid!r} is shorter than {SIGNING_SECRET_MIN_BYTES} bytes",
                )
        self._signing_kid = keys[0].kid
        self._keys = {key.kid: OctKey.import_key(key.secret) for key in keys}
        self.digests = Digests(keys)
        self.bus_keys = tuple(key.derived(BUS) for key in keys)
        """What the nodes seal with on the bus, in the same order: they all have these keys."""
        self._signed: dict[str, Claims] = {}

    def issue(self, user_id: str, login_id: str, kind: str, display_name: str) -> IssuedToken:
        """Sign an access token of 15 minutes for one login of a user."""
        now_s = int(self._now_ms() // 1000)
        claims = Claims(
            iss=ISSUER,
            aud=AUDIENCE,
            sub=user_id,
            exp=now_s + ACCESS_LIFETIME_MS // 1000,
            iat=now_s,
            jti=secrets.token_urlsafe(12),
            lid=login_id,
            kind=kind,
            name=display_name,
            token_use=ACCESS,
        )
        header = {"alg": ALGORITHM, "kid": self._signing_kid, "typ": "JWT"}
        key = self._keys[self._signing_kid]
        token = jws.serialize_compact(header, msgspec.json.encode(claims), key, [ALGORITHM])
        return IssuedToken(token, ACCESS_LIFETIME_MS)

    def verify(self, token: str) -> Claims:
        """The claims of a good access token. Raises Rejected(UNAUTHENTICATED) else."""
        claims = self._verified(token)
        if claims is None:
            raise Rejected(ErrorCode.UNAUTHENTICATED)
        return claims

    def _verified(self, token: str) -> Claims | None:
        # Which check failed is nobody's business but ours, so every one ends the same way.
        claims = self._signed.get(token) or self._signed_claims(token)
        if claims is None:
            return None
        now_s = self._now_ms() / 1000
        leeway_s = LEEWAY_MS / 1000
        good = (
            claims.iss == ISSUER
            and claims.aud == AUDIENCE
            and claims.token_use == ACCESS
            and now_s < claims.exp + leeway_s
            and max(claims.iat, claims.nbf) <= now_s + leeway_s
        )
        return claims if good else None

    def _signed_claims(self, token: str) -> Claims | None:
        """What one of our keys signed, good at the moment or not; a signature stays good."""
        if not token.isascii() or len(token) > TOKEN_MAX_BYTES:
            return None
        try:
            signed = jws.extract_compact(token.encode())
            header = msgspec.convert(signed.headers(), _Header)
            key = self._keys.get(header.kid)
            if key is None or header.alg != ALGORITHM:
                return None
            body = jws.deserialize_compact(token, key, [ALGORITHM]).payload
            claims = msgspec.json.decode(body, type=Claims)
        except (JoseError, ValueError, RecursionError):
            return None
        if len(self._signed) >= TOKENS_KEPT:
            # All of them are worthless within minutes anyway.
            self._signed.clear()
        self._signed[token] = claims
        return claims


def opaque() -> str:
    """A random credential of 256 bits (refresh token, ticket, cookie): shown once, never stored."""
    return secrets.token_urlsafe(32)


def hash_opaque(credential: str) -> bytes:
    """What is stored of an opaque credential: 32 bytes of SHA-256. It is random, so unsalted."""
    return hashlib.sha256(credential.encode(errors="surrogatepass")).digest()
