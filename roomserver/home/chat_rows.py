"""Messages as people search and read them: rows of `chat_messages`."""

from msgspec import Struct
from msgspec.structs import replace

from protocol.chat import ChatDeleted, ChatEdited, ChatReacted, ChatSent, Emoji
from protocol.ids import EntryId, MessageId, UserId


class ChatRow(Struct, frozen=True):
    """A message that was said in this batch; `mentions` and `reactions` are written as JSON."""

    message_id: MessageId
    seq: int
    user_id: UserId
    display_name: str
    content: str
    reply_to: MessageId | None
    entry_id: EntryId | None
    position_ms: float | None
    sent_at_ms: int
    mentions: list[UserId]
    reactions: dict[Emoji, int] = {}
    edited_at_ms: int | None = None
    deleted_at_ms: int | None = None


class ChatChange(Struct, frozen=True):
    """What changes in a message of an earlier batch. None: that stays.

    `reactions` has only what changed; a count of 0 takes the entry away.
    """

    message_id: MessageId
    content: str | None = None
    mentions: list[UserId] | None = None
    reactions: dict[Emoji, int] = {}
    edited_at_ms: int | None = None
    deleted_at_ms: int | None = None


class ChatRows:
    """Rows of one batch: a message is either new or changed, never both."""

    __slots__ = ("changes", "edits", "sent", "taken_back")

    def __init__(self) -> None:
        self.sent: dict[MessageId, ChatRow] = {}
        self.changes: dict[MessageId, ChatChange] = {}
        self.edits: dict[MessageId, list[int]] = {}
        """The seqs at which other words were found for a message."""
        self.taken_back: set[MessageId] = set()

    @property
    def are_reworded(self) -> bool:
        """Whether something was said in other words, or taken back."""
        return bool(self.edits or self.taken_back)

    def say(self, seq: int, event: ChatSent) -> None:
        """A message."""
        self.sent[event.message_id] = ChatRow(
            event.message_id,
            seq,
            event.by.user_id,
            event.by.display_name,
            event.content,
            event.reply_to,
            event.entry_id,
            event.position_ms,
            event.at_ms,
            event.mentions,
        )

    def edit(self, seq: int, event: ChatEdited) -> None:
        """Other words."""
        self.edits.setdefault(event.message_id, []).append(seq)
        self._change(
            event.message_id,
            content=event.content,
            mentions=event.mentions,
            edited_at_ms=event.at_ms,
        )

    def delete(self, event: ChatDeleted) -> None:
        """Nothing of it stays but that there was a message."""
        self.taken_back.add(event.message_id)
        self.edits.pop(event.message_id, None)
        self._change(
            event.message_id, content="", mentions=[], reactions={}, deleted_at_ms=event.at_ms
        )

    def react(self, event: ChatReacted) -> None:
        """A count."""
        row = self.sent.get(event.message_id) or self.changes.get(event.message_id)
        counts = row.reactions if row else {}
        self._change(event.message_id, reactions={**counts, event.emoji: event.count})

    def _change(self, message_id: MessageId, **fields: object) -> None:
        if (sent := self.sent.get(message_id)) is not None:
            self.sent[message_id] = replace(sent, **fields)
        else:
            change = self.changes.get(message_id) or ChatChange(message_id)
            self.changes[message_id] = replace(change, **fields)
