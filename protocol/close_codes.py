"""Why a server ends a connection, and what a client does then."""

from enum import IntEnum
from typing import NamedTuple


class CloseCode(IntEnum):
    """WebSocket close codes in use (RFC 6455, section 7.4, and our own from 4000)."""

    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    ABNORMAL = 1006
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TOO_SLOW = 4008
    CREDENTIALS = 4401
    ACCOUNT_BLOCKED = 4403
    NO_HELLO = 4408
    REPLACED = 4409
    RATE_LIMITED = 4429


class CloseAdvice(NamedTuple):
    """What a client does after a close."""

    reconnect: bool
    new_credentials: bool
    meaning: str


C, A = CloseCode, CloseAdvice
CLOSE_CODES: dict[CloseCode, CloseAdvice] = {
    C.GOING_AWAY: A(True, False, "the server stops"),
    C.PROTOCOL_ERROR: A(False, False, "the WebSocket protocol was broken"),
    C.UNSUPPORTED_DATA: A(False, False, "binary where text was agreed, or the other way round"),
    C.ABNORMAL: A(True, False, "the connection was lost"),
    C.INVALID_DATA: A(False, False, "text that is not UTF-8"),
    C.POLICY_VIOLATION: A(False, False, "three malformed frames"),
    C.TOO_BIG: A(False, False, "a frame above 32 KiB"),
    C.INTERNAL_ERROR: A(True, False, "a bug on our side"),
    C.SERVICE_RESTART: A(True, False, "the server restarts"),
    C.TOO_SLOW: A(True, False, "the client read too slowly"),
    C.CREDENTIALS: A(True, True, "the login is unknown, expired or was ended"),
    C.ACCOUNT_BLOCKED: A(False, False, "the account is blocked"),
    C.NO_HELLO: A(True, False, "no hello within 5 s"),
    C.REPLACED: A(False, False, "a newer connection of the same client_id took over"),
    C.RATE_LIMITED: A(True, False, "too many messages; wait retry_after_ms"),
}
del C, A
