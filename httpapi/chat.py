"""Messages of a room over REST: the history; saying, editing and deleting something."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from httpapi.access import SEEN, RoomRow, open_room
from httpapi.bodies import Nothing
from httpapi.commands import REFUSALS, event_of, submit
from httpapi.endpoint import Call, Limit, Route, route
from httpapi.instants import read_ms, written_ms
from httpapi.lists import PageQuery, Query, page, start
from protocol.chat import (
    QUOTED_CHARACTERS,
    AnsweredMessage,
    ChatDelete,
    ChatEdit,
    ChatEditBody,
    ChatPage,
    ChatSend,
    ChatSendBody,
    ChatSent,
    Emoji,
    StoredMessage,
)
from protocol.errors import ErrorCode, Rejected
from protocol.users import Person, UserKind
from sql import queries

Place = tuple[Annotated[int, Meta(ge=0, le=2**53)]]


class MessagesQuery(PageQuery, frozen=True, kw_only=True):
    """`before`: only messages sent before that instant (RFC 3339)."""

    before: Annotated[str, Meta(max_length=64)] | None = None


class MessageRow(Struct, frozen=True):
    """A message as the database gives it."""

    message_id: str
    seq: int
    user_id: str
    display_name: str
    kind: UserKind
    content: str
    reply_to: str | None
    entry_id: str | None
    position_ms: float | None
    sent_at_ms: int
    mentions: str
    reactions: str
    edited_at_ms: int | None
    is_deleted: bool
    answered_user_id: str | None
    answered_display_name: str | None
    answered_kind: UserKind
    answered_content: str | None
    is_answered_deleted: bool

    def message(self) -> StoredMessage:
        """As an answer tells it."""
        counts = msgspec.json.decode(self.reactions, type=dict[Emoji, int])
        return StoredMessage(
            message_id=self.message_id,
            by=Person(user_id=self.user_id, display_name=self.display_name, kind=self.kind),
            content=self.content,
            reply_to=self.reply_to,
            answered=self.answered(),
            entry_id=self.entry_id,
            position_ms=self.position_ms,
            at_ms=self.sent_at_ms,
            mentions=msgspec.json.decode(self.mentions, type=list[str]),
            edited_at_ms=self.edited_at_ms,
            deleted=self.is_deleted,
            # A count of 0 is what is left of reactions that were taken back.
            reactions={emoji: count for emoji, count in counts.items() if count},
            sent_at=written_ms(self.sent_at_ms),
        )

    def answered(self) -> AnsweredMessage | None:
        """The message that this one answers."""
        if self.reply_to is None or self.answered_user_id is None:
            return None
        by = Person(
            user_id=self.answered_user_id,
            display_name=self.answered_display_name or "",
            kind=self.answered_kind,
        )
        return AnsweredMessage(
            message_id=self.reply_to,
            by=by,
            content=self.answered_content or "",
            deleted=self.is_answered_deleted,
        )


PAGE = queries.many("chat.page", MessageRow)
AT = queries.maybe("chat.at", MessageRow)
ONE = queries.maybe("chat.one", MessageRow)


async def messages(call: Call[None, MessagesQuery]) -> ChatPage:
    """The whole history of a room, the newest message first.

    A room's snapshot holds the last of them; `before` the oldest of those leads on from there.
    """
    query = call.query
    row = await open_room(call)
    scope = f"messages {row.room_id}"
    [before_seq] = start(query, scope, Place)
    rows = await PAGE(
        call.services.database,
        room_id=row.room_id,
        before_seq=before_seq,
        before_ms=None if query.before is None else read_ms(query.before, what="before"),
        most=query.limit + 1,
        quoted=QUOTED_CHARACTERS,
    )
    shown, cursor = page(rows, query, scope, lambda last: (last.seq,))
    return ChatPage(items=[each.message() for each in shown], next_cursor=cursor)


async def say(call: Call[ChatSendBody, Query]) -> StoredMessage:
    """Say something to the room."""
    row = await open_room(call)
    command = ChatSend(
        content=call.body.content, reply_to=call.body.reply_to, mentions=call.body.mentions
    )
    carried = await submit(call, row, command)
    if command.reply_to is None and call.idempotency_key is None:
        return _said(await event_of(call, row, carried, ChatSent))
    # With what it answers; or again, and it may read otherwise by now.
    quoted = QUOTED_CHARACTERS
    said = await AT(
        call.services.database, room_id=row.room_id, seq=carried.first_seq, quoted=quoted
    )
    return _found(said)


def _said(event: ChatSent) -> StoredMessage:
    """A message in its first moment; it answers none."""
    return StoredMessage(
        message_id=event.message_id,
        by=event.by,
        content=event.content,
        mentions=event.mentions,
        entry_id=event.entry_id,
        position_ms=event.position_ms,
        at_ms=event.at_ms,
        answered=None,
        sent_at=written_ms(event.at_ms),
    )


async def edit(call: Call[ChatEditBody, Query]) -> StoredMessage:
    """Say it in other words; only the author may."""
    row = await open_room(call)
    message_id = call.ids["message_id"]
    command = ChatEdit(
        message_id=message_id, content=call.body.content, mentions=call.body.mentions
    )
    await submit(call, row, command)
    return await _one(call, row, message_id)


async def delete(call: Call[Nothing, Query]) -> None:
    """Take a message back, everywhere; the author may, and who moderates. Again changes nothing."""
    row = await open_room(call)
    await submit(call, row, ChatDelete(message_id=call.ids["message_id"]))


async def _one(call: Call[ChatEditBody, Query], row: RoomRow, message_id: str) -> StoredMessage:
    return _found(
        await ONE(
            call.services.database,
            room_id=row.room_id,
            message_id=message_id,
            quoted=QUOTED_CHARACTERS,
        )
    )


def _found(row: MessageRow | None) -> StoredMessage:
    """What was just said or edited. Rejects: internal (the room says so, and it is not there)."""
    if row is None:
        raise Rejected(ErrorCode.INTERNAL)
    return row.message()


_MESSAGES: Final = "/api/rooms/{room_id}/messages"
_MESSAGE: Final = f"{_MESSAGES}/{{message_id}}"
_E: Final = ErrorCode

ROUTES: Final[tuple[Route, ...]] = (
    route("GET", _MESSAGES, messages, query=MessagesQuery, returns=ChatPage, limit=10,
          refuses=SEEN),
    route("POST", _MESSAGES, say, body=ChatSendBody, returns=StoredMessage, status=201,
          limit=Limit(5, 5_000), action="chat.send", command=True, anew=True,
          refuses=(*REFUSALS, _E.MUTED, _E.UNKNOWN_MESSAGE)),
    route("PATCH", _MESSAGE, edit, body=ChatEditBody, returns=StoredMessage, limit=10,
          action="chat.edit", command=True, anew=True,
          refuses=(*REFUSALS, _E.MUTED, _E.UNKNOWN_MESSAGE)),
    route("DELETE", _MESSAGE, delete, limit=10, action="chat.delete", command=True,
          refuses=(*REFUSALS, _E.UNKNOWN_MESSAGE)),
)  # fmt: skip
