"""Bot tokens: a long-lived credential for a program, bound to a few scopes.

Each opens a user of its own, of kind `bot`, that belongs to the person who made it. Scopes bound
what the token may ask for; what the bot may do in a room is the matter of its role there.
"""

from typing import Annotated, Final, Literal, get_args

from msgspec import Meta

from protocol.base import Body, Command, DisplayName, Entity
from protocol.errors import ErrorCode, Rejected
from protocol.ids import LoginId, UserId
from protocol.users import Instant, Person

BOT_TOKEN_PREFIX: Final = "unb_"
"""What every bot token begins with: scanners for leaked secrets know it, and so do we."""
TOKENS_PER_MAKER: Final = 10

TokenId = LoginId
"""A bot token is a login that needs no renewal, and has its id."""
Scope = Literal["read", "chat", "queue", "playback", "moderate"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
"""`read`: look at things, join rooms, listen. `chat`: talk, react. `queue`: upload, queue, move,
take out. `playback`: play, pause, seek, next. `moderate`: kick, mute, ban, roles, settings."""

_OF_COMMANDS: Final[dict[str, Scope | None]] = {
    "chat": "chat",
    "reaction": "chat",
    "slash": "chat",
    "queue": "queue",
    "votes": "queue",
    "playback": "playback",
    "member": "moderate",
    "room": "moderate",
    # To end a room or to give it away is for people.
    "room.close": None,
    "owner": None,
}

LifetimeMs = Annotated[int, Meta(ge=60_000, le=366 * 86_400_000)]


class BotTokenCreate(Body, frozen=True, kw_only=True):
    """Make a token, and a bot of that name with it; with `bot_id`, for a bot that one has made."""

    name: DisplayName
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=len(SCOPES))]
    expires_in_ms: LifetimeMs | None = None
    """Without it the token is good until it is deleted."""
    bot_id: UserId | None = None


class BotToken(Entity, frozen=True, kw_only=True):
    """What its maker sees of a token."""

    token_id: TokenId
    name: DisplayName
    bot: Person
    scopes: list[Scope]
    created_at: Instant
    expires_at: Instant | None = None
    last_used_at: Instant | None = None
    """To the minute; null for one that was never used."""


class NewBotToken(BotToken, frozen=True, kw_only=True):
    """A token just made. The text is told this once: only its hash is stored."""

    token: str

    def __repr__(self) -> str:
        return f"NewBotToken(token_id={self.token_id!r}, ***)"


class BotTokenPage(Entity, frozen=True, kw_only=True):
    """A page of one's tokens, the newest first."""

    items: list[BotToken]
    next_cursor: str | None = None


def scopes_of(text: str) -> frozenset[Scope]:
    """The scopes that a text names, as OAuth writes them: with a space between."""
    return frozenset(scope for scope in SCOPES if scope in text.split())


def scope_of(command: type[Command]) -> Scope | None:
    """The scope that a command takes; None: no token may give it."""
    tag = str(command.__struct_config__.tag)
    if tag in _OF_COMMANDS:
        return _OF_COMMANDS[tag]
    return _OF_COMMANDS.get(tag.partition(".")[0])


def require_scope(scopes: frozenset[Scope] | None, wanted: Scope | None) -> None:
    """Whether a caller with `scopes` (None: a person, who has them all) may do what takes `wanted`.

    Rejects: scope_missing.
    """
    if scopes is None or wanted in scopes:
        return
    if wanted is None:
        raise Rejected(ErrorCode.SCOPE_MISSING, "No bot token allows this.")
    raise Rejected(ErrorCode.SCOPE_MISSING, scope=wanted)
