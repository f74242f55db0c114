"""Changing a live room: the same command over the bus that a browser would send."""

from collections.abc import Sequence
from typing import Any, Final

from httpapi.access import RoomRow
from httpapi.addresses import client_address
from httpapi.endpoint import Call
from httpapi.idempotency import command_name
from httpapi.live import EVENTS
from protocol.catalog import RoomCommand
from protocol.codec import decode_event
from protocol.errors import ErrorCode, Rejected
from protocol.tokens import require_scope, scope_of
from protocol.users import Person
from roomserver.bus.calls import Carried

SYSTEM: Final = Person(
    user_id="00000000-0000-0000-0000-000000000000", display_name="Unisono", kind="bot"
)
"""The actor of commands that only the server itself may give."""

REFUSALS: Final = (
    ErrorCode.ROOM_NOT_FOUND,
    ErrorCode.ROOM_CLOSED,
    ErrorCode.ROOM_PASSWORD,
    ErrorCode.BANNED,
    ErrorCode.NOT_ALLOWED,
    ErrorCode.UNAVAILABLE,
)
"""What any command may be answered with."""


async def submit(
    call: Call[Any, Any], row: RoomRow, command: RoomCommand, *, actor: Person | None = None
) -> Carried:
    """Have the room carry out a command for the caller (or for `actor`).

    Under an Idempotency-Key the room itself knows the command again. Rejects: what the room says;
    scope_missing.
    """
    if call.caller is not None:
        # What the sidecar does for them (a place in a room, or none any more) is like joining.
        wanted = scope_of(type(command)) if actor is None else "read"
        require_scope(call.caller.scopes, wanted)
    key = call.idempotency_key
    name = command_name(call.request, f"{call.user_id} {key}") if key else None
    return await call.services.calls.submit(
        row.room_id,
        actor or call.person,
        command,
        client_id=name,
        id=1 if name else None,
        addresses=call.services.tokens.digests.of(
            client_address(call.request, call.services.config.trusted_proxies)
        ),
    )


async def event_of(call: Call[Any, Any], row: RoomRow, carried: Carried, kind: type[Any]) -> Any:
    """The event of a kind that a command led to. Rejects: internal (the room made none)."""
    bodies: Sequence[bytes | str] = carried.events
    if not bodies:
        rows = await EVENTS(
            call.services.database,
            room_id=row.room_id,
            after_seq=carried.first_seq - 1,
            most=carried.seq - carried.first_seq + 1,
        )
        bodies = [logged.public for logged in rows]
    for body in bodies:
        event = decode_event(body)
        if isinstance(event, kind):
            return event
    raise Rejected(ErrorCode.INTERNAL)
