"""Changing a live room: the same command over the bus that a browser would send."""

from typing import Any, Final

from httpapi.access import RoomRow
from httpapi.endpoint import Call
from httpapi.idempotency import command_name
from httpapi.live import EVENTS
from protocol.catalog import RoomCommand
from protocol.codec import decode_event
from protocol.errors import ErrorCode, Rejected
from protocol.frames import Ack
from protocol.users import Person

SYSTEM: Final = Person(
    user_id="00000000-0000-0000-0000-000000000000", display_name="Unisono", kind="bot"
)
"""The actor of commands that only the server itself may give."""

REFUSALS: Final = (
    ErrorCode.ROOM_NOT_FOUND,
    ErrorCode.ROOM_CLOSED,
    ErrorCode.ROOM_PASSWORD,
    ErrorCode.NOT_ALLOWED,
    ErrorCode.UNAVAILABLE,
)
"""What any command may be answered with."""


async def submit(
    call: Call[Any, Any], row: RoomRow, command: RoomCommand, *, actor: Person | None = None
) -> Ack:
    """Have the room carry out a command for the caller (or for `actor`).

    Under an Idempotency-Key the room itself knows the command again. Rejects: what the room says.
    """
    key = call.idempotency_key
    name = command_name(call.request, f"{call.user_id} {key}") if key else None
    return await call.services.calls.submit(
        row.room_id,
        actor or call.person,
        command,
        client_id=name,
        id=1 if name else None,
    )


async def event_of(call: Call[Any, Any], row: RoomRow, ack: Ack, kind: type[Any]) -> Any:
    """The event of a kind that a command led to. Rejects: internal (the room made none)."""
    rows = await EVENTS(
        call.services.database,
        room_id=row.room_id,
        after_seq=ack.first_seq - 1,
        most=ack.seq - ack.first_seq + 1,
    )
    for logged in rows:
        event = decode_event(logged.public)
        if isinstance(event, kind):
            return event
    raise Rejected(ErrorCode.INTERNAL)
