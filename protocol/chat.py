"""Chat."""

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta
from msgspec.structs import replace

from protocol.base import Body, Command, Content, Count, Entity, Event, PositionMs, WholeAtMs
from protocol.ids import EntryId, MessageId, UserId
from protocol.users import Instant, Person

if TYPE_CHECKING:
    from protocol.snapshot import Snapshot

QUOTED_CHARACTERS = 200
"""So much of a message is told with an answer to it."""
CHAT_IN_SNAPSHOT = 50
"""How many of the last messages a snapshot holds; older ones come page by page over REST."""

Mentions = Annotated[list[UserId], Meta(max_length=20)]
"""People whom a message names; a page writes them as `@name` and tells them."""
Emoji = Literal["👍", "👎", "❤️", "🔥", "😂", "😮", "😢", "👏", "🎉", "💃"]
"""What one can react with, to a message or to the music."""


Words = Annotated[str, Meta(max_length=2_000)]
"""What was said; empty once the message is deleted, in the log too."""


class ChatMessage(Entity, frozen=True, kw_only=True):
    """A message as it stands now."""

    message_id: MessageId
    by: Person
    content: Words
    mentions: Mentions = []
    reply_to: MessageId | None = None
    entry_id: EntryId | None = None
    """What was playing."""
    position_ms: PositionMs | None = None
    at_ms: WholeAtMs
    edited_at_ms: WholeAtMs | None = None
    deleted: bool = False
    reactions: dict[Emoji, Count] = {}


class ChatSend(Command, frozen=True, kw_only=True, tag="chat.send"):
    """Say something to the room.

    Rejects: unknown_message (`reply_to`), muted, not_allowed, banned, rate_limited, room_closed.
    """

    content: Content
    reply_to: MessageId | None = None
    mentions: Mentions = []


class ChatEdit(Command, frozen=True, kw_only=True, tag="chat.edit"):
    """Say it in other words; only the author may.

    Rejects: unknown_message, muted, not_allowed, banned, rate_limited, room_closed.
    """

    message_id: MessageId
    content: Content
    mentions: Mentions = []


class ChatDelete(Command, frozen=True, kw_only=True, tag="chat.delete"):
    """Take a message back: one's own (a muted author, too), or with the right to moderate.

    Deleting it again changes nothing. Rejects: unknown_message, not_allowed, banned, room_closed.
    """

    message_id: MessageId


class ChatReact(Command, frozen=True, kw_only=True, tag="chat.react"):
    """Put a reaction to one of the last messages, or (`on: false`) take it back.

    Rejects: unknown_message, muted, not_allowed, banned, rate_limited, room_closed.
    """

    message_id: MessageId
    emoji: Emoji
    on: bool = True


class ChatSent(Event, frozen=True, kw_only=True, tag="chat.sent"):
    """Somebody said something, at `position_ms` of `entry_id` if music was on."""

    message_id: MessageId
    by: Person
    content: Words
    reply_to: MessageId | None = None
    mentions: Mentions = []
    entry_id: EntryId | None = None
    position_ms: PositionMs | None = None


class ChatEdited(Event, frozen=True, kw_only=True, tag="chat.edited"):
    """A message reads differently now."""

    message_id: MessageId
    content: Words
    mentions: Mentions = []


class ChatDeleted(Event, frozen=True, kw_only=True, tag="chat.deleted"):
    """A message is gone; its place stays, empty, so that replies have something to point at.

    Whoever reads older events from now on finds them without its words.
    """

    message_id: MessageId
    by: Person


class ChatReacted(Event, frozen=True, kw_only=True, tag="chat.reacted"):
    """`count` people react to a message with this emoji; the last to change that is `by`."""

    message_id: MessageId
    emoji: Emoji
    count: Count
    by: UserId
    on: bool


def fold_chat_sent(snapshot: "Snapshot", event: ChatSent) -> None:
    """Keep the last messages."""
    chat = snapshot.chat
    chat.append(message_of(event))
    if len(chat) > CHAT_IN_SNAPSHOT:
        del chat[0]


def message_of(event: ChatSent) -> ChatMessage:
    """What was said, as a message."""
    return ChatMessage(
        message_id=event.message_id,
        by=event.by,
        content=event.content,
        mentions=event.mentions,
        reply_to=event.reply_to,
        entry_id=event.entry_id,
        position_ms=event.position_ms,
        at_ms=event.at_ms,
    )


def fold_chat_edited(snapshot: "Snapshot", event: ChatEdited) -> None:
    """Replace what it says."""
    index = find(snapshot.chat, event.message_id)
    if index is not None:
        snapshot.chat[index] = reworded(snapshot.chat[index], event)


def fold_chat_deleted(snapshot: "Snapshot", event: ChatDeleted) -> None:
    """Keep who spoke and when, not what was said."""
    index = find(snapshot.chat, event.message_id)
    if index is not None:
        snapshot.chat[index] = reworded(snapshot.chat[index], event)


def reworded(message: ChatMessage, event: ChatEdited | ChatDeleted) -> ChatMessage:
    """A message after it was edited or deleted."""
    if isinstance(event, ChatDeleted):
        return replace(message, content="", mentions=[], reactions={}, deleted=True)
    return replace(
        message, content=event.content, mentions=event.mentions, edited_at_ms=event.at_ms
    )


def fold_chat_reacted(snapshot: "Snapshot", event: ChatReacted) -> None:
    """Keep the number; none is no entry."""
    index = find(snapshot.chat, event.message_id)
    if index is None:
        return
    message = snapshot.chat[index]
    reactions = {**message.reactions, event.emoji: event.count}
    if event.count == 0:
        del reactions[event.emoji]
    snapshot.chat[index] = replace(message, reactions=reactions)


def find(chat: list[ChatMessage], message_id: MessageId) -> int | None:
    """The index of a message, or None; from the end, since the last are asked for most."""
    index = len(chat)
    for message in reversed(chat):
        index -= 1
        if message.message_id == message_id:
            return index
    return None


class ChatSendBody(Body, frozen=True, kw_only=True):
    """As in `chat.send`."""

    content: Content
    reply_to: MessageId | None = None
    mentions: Mentions = []


class ChatEditBody(Body, frozen=True, kw_only=True):
    """As in `chat.edit`."""

    content: Content
    mentions: Mentions = []


class AnsweredMessage(Entity, frozen=True, kw_only=True):
    """What an answer is about, as it stands now: the first 200 characters of it."""

    message_id: MessageId
    by: Person
    content: Words
    deleted: bool


class StoredMessage(ChatMessage, frozen=True, kw_only=True):
    """A message of the history."""

    answered: AnsweredMessage | None
    """The message of `reply_to`."""

    sent_at: Instant
    """The same instant as `at_ms`."""


class ChatPage(Entity, frozen=True, kw_only=True):
    """A page of the history, the newest message first."""

    items: list[StoredMessage]
    next_cursor: str | None
