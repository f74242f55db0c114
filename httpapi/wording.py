"""What the reference says of tags, parameters and headers: the words that no class has."""

from typing import Final

from httpapi.idempotency import REPLAYED

Json = dict[str, object]

TAGS: Final = {
    "auth": "Signing in and out: guests, accounts, logins, tickets for the WebSocket.",
    "users": "The caller's own account, tokens for bots, and what others see of a person.",
    "rooms": "Rooms and all that is in them. A change goes the way of a command from a browser: "
    "the same rules, the same refusals, one order.",
    "bans": "Bans that the caller gave and got.",
    "tracks": "Uploads, their files, their renditions.",
    "jobs": "Work that goes on after the answer.",
    "favorites": "Tracks that somebody likes.",
    "history": "What somebody listened to.",
    "service": "How the server does, and what it says of itself.",
}
"""A tag is the first part of a path; what is not below `/api/…/` is the service's own."""

PARAMETERS: Final = {
    "before": "Only what is older than this instant (RFC 3339, UTC).",
    "codec": "Which of the two renditions.",
    "cursor": "`next_cursor` of the page before; good for this list only.",
    "entry_id": "An entry of the room's queue.",
    "genre": "Only of this genre.",
    "job_id": "As the upload told it.",
    "limit": "How many items a page has at most.",
    "login_id": "One of the caller's logins.",
    "message_id": "A message of the room.",
    "name": "The whole name; upper and lower case are alike.",
    "number": "Counted from 0.",
    "query": "Text that is looked for; empty: everything.",
    "room_id": "A room that the caller may see.",
    "sort": "`active`: those with most listeners first; `new`: the youngest first.",
    "token_id": "One of the caller's tokens.",
    "track_id": "A track that the caller may use.",
    "uploaded_by": "Only of this person.",
    "user_id": "A person.",
    "which": "Its size.",
}
KEY_SAID: Final = (
    "The same write with the same key happens once and is answered alike, for 24 hours; the answer "
    f"then has `{REPLAYED}`. Another body with the same key is a conflict."
)

_WHOLE: Final[Json] = {"type": "integer", "minimum": 0}
_TEXT: Final[Json] = {"type": "string"}
HEADERS: Final[dict[str, Json]] = {
    "RateLimit-Limit": {"description": "Requests a window; absent without limits.",
                        "schema": _WHOLE, "example": 60},
    "RateLimit-Remaining": {"description": "What is left of them.",
                            "schema": _WHOLE, "example": 59},
    "RateLimit-Reset": {"description": "Seconds until all are there again.",
                        "schema": _WHOLE, "example": 12},
    "Retry-After": {"description": "Seconds after which another try is worth it.",
                    "schema": _WHOLE, "example": 3},
    REPLAYED: {"description": "`true`: kept from the first request with this Idempotency-Key.",
               "schema": {"type": "string", "const": "true"}, "example": "true"},
    "WWW-Authenticate": {"description": "How to say who calls.",
                         "schema": _TEXT, "example": 'Bearer realm="unisono"'},
    "ETag": {"description": "Strong; names the bytes.", "schema": _TEXT, "example": '"5f2c9a"'},
    "Cache-Control": {"description": "How long the bytes may be kept.",
                      "schema": _TEXT, "example": "private, max-age=60"},
    "Accept-Ranges": {"description": "`bytes`.", "schema": _TEXT, "example": "bytes"},
    "Content-Range": {"description": "Which part this is, of how much.",
                      "schema": _TEXT, "example": "bytes 0-9/4210688"},
}  # fmt: skip
COUNTED: Final = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
