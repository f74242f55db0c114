"""The log of the rooms as PostgreSQL has it, read once at the end of a run."""

from typing import NamedTuple

from protocol.catalog import RoomEvent
from protocol.chat import ChatDeleted
from protocol.codec import decode_event
from protocol.ids import MessageId
from sql.pool import connect


class Row(NamedTuple):
    """A row of room_events."""

    seq: int
    public: bytes

    @property
    def event(self) -> RoomEvent:
        event: RoomEvent = decode_event(self.public)
        return event


class Done(NamedTuple):
    """A row of room_commands."""

    user_id: str
    cmd_id: str
    first_seq: int
    last_seq: int


class Stored(NamedTuple):
    """A row of room_snapshots."""

    seq: int
    lineage: str
    public: bytes


class Message(NamedTuple):
    """A row of chat_messages; `reactions` is how many there are of all kinds."""

    message_id: str
    seq: int
    content: str
    reactions: int
    is_deleted: bool


class RoomLog(NamedTuple):
    """All there is of one room."""

    room_id: str
    lineage: str
    last_seq: int
    start: bytes
    """The snapshot at seq 0, as it was when the room was made."""
    rows: list[Row]
    done: list[Done]
    snapshots: list[Stored]
    messages: list[Message]
    places: dict[str, str]
    """Rows of room_members: user -> role of those who have a place."""

    def taken_back(self) -> set[MessageId]:
        """The messages that were deleted."""
        events = (row.event for row in self.rows if b"chat.deleted" in row.public)
        return {event.message_id for event in events if isinstance(event, ChatDeleted)}


async def read_start(database_url: str, room_id: str) -> bytes:
    """The snapshot at seq 0; read it early, the server does not keep it for ever."""
    connection = await connect(database_url)
    try:
        text: str = await connection.fetchval(
            "select public::text from room_snapshots where room_id = $1::text::uuid and seq = 0",
            room_id,
        )
        return text.encode()
    finally:
        await connection.close()


async def read_log(database_url: str, starts: dict[str, bytes]) -> list[RoomLog]:
    """The rooms of which a start is known."""
    connection = await connect(database_url)

    async def rows(query: str, room_id: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in await connection.fetch(query, room_id)]

    try:
        logs = []
        # One look at all of it, to the connection's end: the rooms play on meanwhile.
        await connection.execute("set idle_in_transaction_session_timeout = 0")
        await connection.execute("begin isolation level repeatable read, read only")
        for room_id, start in starts.items():
            ((lineage, last_seq),) = await rows(
                "select lineage::text, last_seq from room_homes where room_id = $1::text::uuid",
                room_id,
            )
            events = await rows(
                "select seq, public::text from room_events"
                " where room_id = $1::text::uuid order by seq",
                room_id,
            )
            done = await rows(
                "select user_id::text, cmd_id, first_seq, last_seq from room_commands"
                " where room_id = $1::text::uuid order by first_seq",
                room_id,
            )
            snapshots = await rows(
                "select seq, lineage::text, public::text from room_snapshots"
                " where room_id = $1::text::uuid order by seq",
                room_id,
            )
            messages = await rows(
                "select message_id::text, seq, content, (select coalesce(sum(value::int), 0)::int"
                " from jsonb_each_text(reactions)), deleted_at_ms is not null from chat_messages"
                " where room_id = $1::text::uuid order by seq",
                room_id,
            )
            places = await rows(
                "select user_id::text, role from room_members"
                " where room_id = $1::text::uuid and left_at_ms is null",
                room_id,
            )
            logs.append(
                RoomLog(
                    room_id,
                    str(lineage),
                    int(str(last_seq)),
                    start,
                    [Row(int(str(seq)), str(text).encode()) for seq, text in events],
                    [Done(*row) for row in done],  # type: ignore[arg-type]
                    [Stored(int(str(s)), str(li), str(text).encode()) for s, li, text in snapshots],
                    [Message(*row) for row in messages],  # type: ignore[arg-type]
                    {str(user_id): str(role) for user_id, role in places},
                )
            )
        return logs
    finally:
        await connection.close()
