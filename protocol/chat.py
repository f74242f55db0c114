"""Chat."""

from typing import TYPE_CHECKING

from protocol.base import Body, Command, Content, Entity, Event, PositionMs, WholeAtMs
from protocol.ids import EntryId, MessageId
from protocol.users import Instant, Person

if TYPE_CHECKING:
    from protocol.snapshot import Snapshot

CHAT_IN_SNAPSHOT = 50
"""How many of the last messages a snapshot holds; older ones come page by page over REST."""


class ChatSend(Command, frozen=True, kw_only=True, tag="chat.send"):
    """Say something to the room.

    Rejects: unknown_message (`reply_to` is not among the last messages), not_allowed, rate_limited,
    room_closed.
    """

    content: Content
    reply_to: MessageId | None = None


class ChatSent(Event, frozen=True, kw_only=True, tag="chat.sent"):
    """Somebody said something, at `position_ms` of `entry_id` if music was on."""

    message_id: MessageId
    by: Person
    content: Content
    reply_to: MessageId | None = None
    entry_id: EntryId | None = None
    position_ms: PositionMs | None = None


def fold_chat_sent(snapshot: "Snapshot", event: ChatSent) -> None:
    """Keep the last messages; the event is the message."""
    chat = snapshot.chat
    chat.append(event)
    if len(chat) > CHAT_IN_SNAPSHOT:
        del chat[0]


class ChatSendBody(Body, frozen=True, kw_only=True):
    """As in `chat.send`."""

    content: Content
    reply_to: MessageId | None = None


class ChatMessage(Entity, frozen=True, kw_only=True):
    """A message of the history."""

    message_id: MessageId
    by: Person
    content: Content
    reply_to: MessageId | None
    entry_id: EntryId | None
    position_ms: PositionMs | None
    at_ms: WholeAtMs
    sent_at: Instant
    """The same instant as `at_ms`."""


class ChatPage(Entity, frozen=True, kw_only=True):
    """A page of the history, the newest message first."""

    items: list[ChatMessage]
    next_cursor: str | None
