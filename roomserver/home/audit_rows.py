"""What moderators did, as they read it later: rows of `room_audit`."""

from typing import Final, get_args

from msgspec import Struct

from protocol.audit import Audited
from protocol.chat import ChatDeleted
from protocol.codec import encode
from protocol.ids import MessageId, UserId
from protocol.members import MemberRoleChanged
from protocol.moderation import MemberBanned, MemberKicked, MemberMuted
from protocol.owner import OwnerChanged
from protocol.rooms import RoomUpdated
from roomserver.home.chat_rows import ChatRows

AUDITED: Final = frozenset(get_args(Audited))


class AuditRow(Struct, frozen=True):
    """One thing that was done. `message_id`: whose message it was, the database knows."""

    seq: int
    at_ms: int
    by_user_id: UserId | None
    user_id: UserId | None
    message_id: MessageId | None
    event: str


class AuditRows:
    """Rows of one batch."""

    __slots__ = ("rows",)

    def __init__(self) -> None:
        self.rows: list[AuditRow] = []

    def add(self, seq: int, event: Audited, chat: ChatRows) -> None:
        """Take an event; `chat` has the messages of this batch, which the database has not."""
        message_id = event.message_id if isinstance(event, ChatDeleted) else None
        said = chat.sent.get(message_id) if message_id is not None else None
        whom = _whom(event) if said is None else said.user_id
        by = _by(event)
        if said is None or whom != by:
            body = encode(event).decode()
            self.rows.append(AuditRow(seq, event.at_ms, by, whom, message_id, body))


def _by(event: Audited) -> UserId | None:
    if isinstance(event, OwnerChanged):
        return event.before if event.reason == "transferred" else None
    return event.by.user_id


def _whom(event: Audited) -> UserId | None:
    if isinstance(event, RoomUpdated | ChatDeleted):
        return None
    if isinstance(event, OwnerChanged):
        return event.owner.user_id
    if isinstance(event, MemberKicked | MemberMuted | MemberBanned | MemberRoleChanged):
        return event.person.user_id
    return event.user_id
