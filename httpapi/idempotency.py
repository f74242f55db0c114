"""Idempotency-Key: the same write with the same key happens once and is answered alike, for 24 h.

A key is claimed before the work and holds the answer afterwards. A refused write gives the key
back: its retry is decided anew. A claim whose process died is taken over after a minute.
"""

import hashlib
from types import TracebackType
from typing import Final

from aiohttp import web
from msgspec import Struct

from protocol.errors import ErrorCode, Rejected
from protocol.ids import UserId
from sql import queries
from sql.pool import Database

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
KEY_MAX_LENGTH: Final = 200
LOOKS: Final = 3
UNDER_WAY: Final = 0
"""The status of a claim without an answer."""


class Kept(Struct, frozen=True):
    """What is stored under a key, and whether this request just put it there."""

    ours: bool
    body_hash: bytes
    status: int
    media_type: str
    answer: bytes


CLAIM = queries.maybe("idempotency.claim", Kept)
KEEP = queries.execute("idempotency.keep")
GIVE_BACK = queries.execute("idempotency.give_back")
FORGET = queries.execute("idempotency.forget")


class Claim:
    """A key that belongs to this request; `async with` it around the work."""

    def __init__(
        self, database: Database, user_id: UserId, key: str, *, anew: bool = False
    ) -> None:
        self._database = database
        self._user_id = user_id
        self._key = key
        self._anew = anew
        self._kept = False

    async def keep(self, response: web.StreamResponse) -> web.StreamResponse:
        """Store the answer of the work that was done; of one that is made anew, its status."""
        body = response.body if isinstance(response, web.Response) and not self._anew else b""
        await KEEP(
            self._database,
            user_id=self._user_id,
            key=self._key,
            status=response.status,
            media_type=response.content_type,
            answer=body if isinstance(body, bytes) else b"",
        )
        self._kept = True
        return response

    async def __aenter__(self) -> "Claim":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Only a refusal says that nothing was done; anything else leaves the claim to run out.
        if isinstance(error, Rejected) and error.code is not ErrorCode.UNAVAILABLE:
            await GIVE_BACK(self._database, user_id=self._user_id, key=self._key)


def key_of(request: web.Request) -> str | None:
    """The key of a request, if it has one. Rejects: bad_request, one that is not usable."""
    key = request.headers.get(HEADER)
    if key is None or (0 < len(key) <= KEY_MAX_LENGTH and key.isascii() and key.isprintable()):
        return key
    raise Rejected(ErrorCode.BAD_REQUEST, f"{HEADER}: 1 to {KEY_MAX_LENGTH} ASCII characters.")


def digest_of(request: web.Request, content: bytes) -> bytes:
    """Equal for the same write. `content`: its body, or what differs if the body does."""
    return hashlib.sha256(f"{request.method} {request.path}\n".encode() + content).digest()


async def claim(
    database: Database, user_id: UserId, key: str, digest: bytes, *, retry: bool, anew: bool = False
) -> Claim | web.Response:
    """Claim a key for a write, or get the answer that it already has.

    `retry`: a write that is under way may be done a second time, since the room knows its id.
    `anew`: so may one that was answered, for its answer is not stored.
    Rejects: idempotency_conflict (another body, or under way).
    """
    kept = None
    # No row: another request took the key in the same instant, too late for our statement to see
    # what it wrote; the next look does.
    for _ in range(LOOKS):
        kept = kept or await CLAIM(
            database,
            user_id=user_id,
            key=key,
            body_hash=digest,
            under_way=UNDER_WAY,
        )
    if kept is None:
        raise Rejected(ErrorCode.UNAVAILABLE, retry_after_ms=1_000)
    if kept.ours:
        return Claim(database, user_id, key, anew=anew)
    if kept.body_hash != digest:
        raise Rejected(ErrorCode.IDEMPOTENCY_CONFLICT)
    if kept.status == UNDER_WAY or anew:
        if retry:
            return Claim(database, user_id, key, anew=anew)
        raise Rejected(
            ErrorCode.IDEMPOTENCY_CONFLICT, "The first request with this key is under way."
        )
    return web.Response(
        body=kept.answer or None,
        status=kept.status,
        headers={REPLAYED: "true"} | ({"Content-Type": kept.media_type} if kept.answer else {}),
    )


def command_name(request: web.Request, key: str) -> str:
    """The client id under which a room knows a command that carried this key."""
    digest = hashlib.sha256(f"{request.method} {request.path}\n{key}".encode(errors="replace"))
    return f"key-{digest.hexdigest()[:40]}"
