"""Every refusal there is: its code, HTTP status, whether a retry may help, and what it says.

    Rejected            a refusal by a rule, a limit or a check; carries one code of this table

A shell turns `Rejected` into a `reject` or `error` frame, or into an RFC 9457 problem. Any other
exception that reaches a shell is a bug.
"""

from enum import StrEnum
from typing import NamedTuple


class ErrorCode(StrEnum):
    """The codes, as they stand on the wire."""

    BAD_REQUEST = "bad_request"
    UNAUTHENTICATED = "unauthenticated"
    WRONG_CREDENTIALS = "wrong_credentials"
    NOT_ALLOWED = "not_allowed"
    FOREIGN_ORIGIN = "foreign_origin"
    ACCOUNT_REQUIRED = "account_required"
    SCOPE_MISSING = "scope_missing"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NAME_TAKEN = "name_taken"
    TOO_MANY_TOKENS = "too_many_tokens"
    REFRESH_RACED = "refresh_raced"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    UNSUPPORTED_MEDIA = "unsupported_media"
    RANGE_NOT_SATISFIABLE = "range_not_satisfiable"
    QUOTA_EXCEEDED = "quota_exceeded"
    NOT_READY = "not_ready"
    RATE_LIMITED = "rate_limited"
    STORAGE_FULL = "storage_full"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"

    ROOM_NOT_FOUND = "room_not_found"
    ROOM_CLOSED = "room_closed"
    ROOM_PASSWORD = "room_password"
    TOO_MANY_ROOMS = "too_many_rooms"
    NOT_MEMBER = "not_member"
    OWNER_STAYS = "owner_stays"
    OUTRANKED = "outranked"
    MUTED = "muted"
    BANNED = "banned"
    UNKNOWN_PERSON = "unknown_person"
    QUEUE_FULL = "queue_full"
    ENTRY_LIMIT = "entry_limit"
    DUPLICATE_ENTRY = "duplicate_entry"
    FIXED_ORDER = "fixed_order"
    NOTHING_TO_UNDO = "nothing_to_undo"
    NO_VOTING = "no_voting"
    UNKNOWN_TRACK = "unknown_track"
    UNKNOWN_ENTRY = "unknown_entry"
    ENTRY_STARTING = "entry_starting"
    NOTHING_PLAYING = "nothing_playing"
    CONFLICT = "conflict"
    UNKNOWN_MESSAGE = "unknown_message"
    SLASH_FULL = "slash_full"


class ErrorKind(NamedTuple):
    """What a code means to the one who gets it."""

    status: int
    """HTTP status of the problem document."""
    temporary: bool
    """The same request may succeed later, unchanged."""
    title: str


E, K = ErrorCode, ErrorKind
ERRORS: dict[ErrorCode, ErrorKind] = {
    E.BAD_REQUEST: K(400, False, "The request is not well formed."),
    E.UNAUTHENTICATED: K(401, False, "Sign in first."),
    E.WRONG_CREDENTIALS: K(401, False, "Name or password is wrong."),
    E.NOT_ALLOWED: K(403, False, "Your role here does not allow this."),
    E.FOREIGN_ORIGIN: K(403, False, "The request comes from a foreign page."),
    E.ACCOUNT_REQUIRED: K(403, False, "This needs an account; guests may not do it."),
    E.SCOPE_MISSING: K(403, False, "This bot token lacks a scope."),
    E.NOT_FOUND: K(404, False, "There is no such thing, or you may not see it."),
    E.METHOD_NOT_ALLOWED: K(405, False, "This path does not know that method."),
    E.NAME_TAKEN: K(409, False, "This name is taken."),
    E.TOO_MANY_TOKENS: K(409, False, "You have as many bot tokens as one may have."),
    E.REFRESH_RACED: K(409, True, "This refresh token was used a moment ago; use its successor."),
    E.IDEMPOTENCY_CONFLICT: K(409, False, "This Idempotency-Key was used with another body."),
    E.PAYLOAD_TOO_LARGE: K(413, False, "The body is too large."),
    E.UNSUPPORTED_MEDIA: K(415, False, "This kind of content is not accepted."),
    E.RANGE_NOT_SATISFIABLE: K(416, False, "The range lies outside the file."),
    E.QUOTA_EXCEEDED: K(413, False, "Your storage is used up."),
    E.NOT_READY: K(409, True, "This is still being made."),
    E.RATE_LIMITED: K(429, True, "Too many requests; wait a little."),
    E.STORAGE_FULL: K(507, True, "The server has no room left for this."),
    E.UNAVAILABLE: K(503, True, "The server cannot do this right now."),
    E.INTERNAL: K(500, True, "Something went wrong on our side."),
    E.ROOM_NOT_FOUND: K(404, False, "There is no such room, or you may not see it."),
    E.ROOM_CLOSED: K(410, False, "This room has been closed."),
    E.ROOM_PASSWORD: K(403, False, "This room asks for a password."),
    E.TOO_MANY_ROOMS: K(409, False, "You are in too many rooms at once."),
    E.NOT_MEMBER: K(403, False, "Join the room first."),
    E.OWNER_STAYS: K(409, False, "The owner cannot leave; hand the room over or close it."),
    E.OUTRANKED: K(403, False, "You cannot do this to somebody of your own rank or above."),
    E.MUTED: K(403, False, "You are muted in this room."),
    E.BANNED: K(403, False, "You are banned from this room."),
    E.UNKNOWN_PERSON: K(404, False, "There is no such person here."),
    E.QUEUE_FULL: K(409, True, "The queue is full."),
    E.ENTRY_LIMIT: K(409, True, "You have as many entries waiting as this room allows."),
    E.DUPLICATE_ENTRY: K(409, True, "This track is in the queue already."),
    E.FIXED_ORDER: K(409, False, "In this mode the room decides the order of the queue."),
    E.NOTHING_TO_UNDO: K(409, False, "There is no change of the queue that you could undo."),
    E.NO_VOTING: K(409, False, "In this mode entries have no votes."),
    E.UNKNOWN_TRACK: K(404, False, "There is no such track, or you may not use it."),
    E.UNKNOWN_ENTRY: K(404, False, "There is no such entry in the queue."),
    E.ENTRY_STARTING: K(409, True, "This entry is just about to start."),
    E.NOTHING_PLAYING: K(409, False, "Nothing is playing."),
    E.CONFLICT: K(409, False, "Another entry is playing than the one you mean."),
    E.UNKNOWN_MESSAGE: K(404, False, "There is no such message."),
    E.SLASH_FULL: K(409, False, "This room has as many slash commands as it can."),
}
del E, K


class Rejected(Exception):
    """A refusal with a code from the table.

    `details` are small, public facts for the one who is refused (`limit=500`);
    `retry_after_ms` says when a temporary refusal is worth another try.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str | None = None,
        *,
        retry_after_ms: int | None = None,
        **details: str | int,
    ) -> None:
        super().__init__(message or ERRORS[code].title)
        self.code = code
        self.retry_after_ms = retry_after_ms
        self.details = details

    @property
    def kind(self) -> ErrorKind:
        """The row of the table."""
        return ERRORS[self.code]
