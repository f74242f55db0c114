"""The queue of a room over REST."""

from typing import Annotated, Final

from msgspec import Meta

from httpapi.access import SEEN, live_state, open_room
from httpapi.bodies import Nothing
from httpapi.commands import REFUSALS, event_of, submit
from httpapi.endpoint import Call, Route, route
from httpapi.lists import PageQuery, Query, decode_cursor, encode_cursor
from protocol.errors import ErrorCode
from protocol.ids import EntryId
from protocol.queue import (
    Entry,
    QueueAdd,
    QueueAddBody,
    QueueAdded,
    QueueMove,
    QueueMoveBody,
    QueuePage,
    QueueRemove,
    place,
)

Place = tuple[Annotated[int, Meta(ge=0, le=500)], EntryId]


async def read_queue(call: Call[None, PageQuery]) -> QueuePage:
    """The entries that wait, in their order, and the current one."""
    query = call.query
    row = await open_room(call)
    scope = f"queue {row.room_id}"
    last = decode_cursor(query.cursor, scope, Place) if query.cursor else None
    state = await live_state(call, row)
    start = 0
    if last is not None:
        # The entry may have been played or moved since: then its old place has to do.
        index = place(state.queue, last[1])
        start = last[0] if index is None else index + 1
    shown = state.queue[start : start + query.limit]
    end = start + len(shown)
    more = end < len(state.queue)
    return QueuePage(
        items=shown,
        next_cursor=encode_cursor(scope, end, shown[-1].entry_id) if more and shown else None,
        current=state.playback.entry,
    )


async def add(call: Call[QueueAddBody, Query]) -> Entry:
    """Queue a track."""
    row = await open_room(call)
    command = QueueAdd(track_id=call.body.track_id, after=call.body.after)
    added: QueueAdded = await event_of(call, row, await submit(call, row, command), QueueAdded)
    return added.entry


async def move(call: Call[QueueMoveBody, Query]) -> None:
    """Put an entry behind another, or first."""
    row = await open_room(call)
    await submit(call, row, QueueMove(entry_id=call.ids["entry_id"], after=call.body.after))


async def remove(call: Call[Nothing, Query]) -> None:
    """Take an entry out."""
    row = await open_room(call)
    await submit(call, row, QueueRemove(entry_id=call.ids["entry_id"]))


_QUEUE: Final = "/api/rooms/{room_id}/queue"
_ENTRY: Final = f"{_QUEUE}/{{entry_id}}"
_E: Final = ErrorCode
_PLACES: Final = (*REFUSALS, _E.UNKNOWN_ENTRY, _E.ENTRY_STARTING, _E.FIXED_ORDER)

ROUTES: Final[tuple[Route, ...]] = (
    route("GET", _QUEUE, read_queue, query=PageQuery, returns=QueuePage, limit=30,
          refuses=SEEN),
    route("POST", _QUEUE, add, body=QueueAddBody, returns=Entry, status=201, limit=10,
          action="queue.add", command=True, refuses=(
              *_PLACES, _E.UNKNOWN_TRACK, _E.QUEUE_FULL, _E.ENTRY_LIMIT, _E.DUPLICATE_ENTRY)),
    route("PATCH", _ENTRY, move, body=QueueMoveBody, limit=10, action="queue.move", command=True,
          refuses=_PLACES),
    route("DELETE", _ENTRY, remove, limit=10, action="queue.remove", command=True,
          refuses=_PLACES),
)  # fmt: skip
