"""Messages of a room over REST: the history, and saying something."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from httpapi.access import open_room
from httpapi.commands import REFUSALS, event_of, submit
from httpapi.endpoint import Call, Limit, Route, route
from httpapi.instants import read_ms, written_ms
from httpapi.lists import PageQuery, Query, decode_cursor, encode_cursor
from protocol.chat import ChatMessage, ChatPage, ChatSend, ChatSendBody, ChatSent
from protocol.errors import ErrorCode
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

    def message(self) -> ChatMessage:
        """As an answer tells it."""
        return ChatMessage(
            message_id=self.message_id,
            by=Person(user_id=self.user_id, display_name=self.display_name, kind=self.kind),
            content=self.content,
            reply_to=self.reply_to,
            entry_id=self.entry_id,
            position_ms=self.position_ms,
            at_ms=self.sent_at_ms,
            sent_at=written_ms(self.sent_at_ms),
        )


MESSAGES = queries.many("rooms.messages", MessageRow)


async def messages(call: Call[None, MessagesQuery]) -> ChatPage:
    """The history of a room, the newest message first."""
    query = call.query
    row = await open_room(call)
    scope = f"messages {row.room_id}"
    rows = await MESSAGES(
        call.services.database,
        room_id=row.room_id,
        before_seq=decode_cursor(query.cursor, scope, Place)[0] if query.cursor else None,
        before_ms=None if query.before is None else read_ms(query.before, what="before"),
        most=query.limit + 1,
    )
    shown = rows[: query.limit]
    more = len(rows) > len(shown)
    return ChatPage(
        items=[each.message() for each in shown],
        next_cursor=encode_cursor(scope, shown[-1].seq) if more else None,
    )


async def say(call: Call[ChatSendBody, Query]) -> ChatMessage:
    """Say something to the room."""
    row = await open_room(call)
    command = ChatSend(content=call.body.content, reply_to=call.body.reply_to)
    ack = await submit(call, row, command)
    sent: ChatSent = await event_of(call, row, ack, ChatSent)
    return ChatMessage(
        message_id=sent.message_id,
        by=sent.by,
        content=sent.content,
        reply_to=sent.reply_to,
        entry_id=sent.entry_id,
        position_ms=sent.position_ms,
        at_ms=sent.at_ms,
        sent_at=written_ms(sent.at_ms),
    )


_MESSAGES: Final = "/api/rooms/{room_id}/messages"
_E: Final = ErrorCode

ROUTES: Final[tuple[Route, ...]] = (
    route("GET", _MESSAGES, messages, query=MessagesQuery, returns=ChatPage, limit=10,
          refuses=(_E.ROOM_NOT_FOUND, _E.ROOM_CLOSED, _E.ROOM_PASSWORD)),
    route("POST", _MESSAGES, say, body=ChatSendBody, returns=ChatMessage, status=201,
          limit=Limit(5, 5_000), action="chat.send", command=True,
          refuses=(*REFUSALS, _E.UNKNOWN_MESSAGE)),
)  # fmt: skip
