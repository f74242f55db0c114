"""The room as a whole: what it says about itself, and its end."""

from msgspec.structs import replace

from protocol.rooms import RoomClose, RoomClosed, RoomUpdate, RoomUpdated
from roomserver.room.context import Context
from roomserver.room.playback import leave
from roomserver.room.state import State, Step


def decide_update(state: State, command: RoomUpdate, ctx: Context) -> list[Step]:
    """Change what is given; what is so already is no event."""
    before = state.public.room
    room = replace(
        before,
        name=before.name if command.name is None else command.name,
        description=before.description if command.description is None else command.description,
        settings=before.settings if command.settings is None else command.settings,
    )
    return [Step(RoomUpdated(at_ms=ctx.now_ms, room=room, by=ctx.actor))] if room != before else []


def decide_close(state: State, command: RoomClose, ctx: Context) -> list[Step]:
    """End the music, then the room."""
    closed = Step(RoomClosed(at_ms=ctx.now_ms, by=ctx.actor))
    if state.public.playback.entry is None:
        return [closed]
    return [leave(state, "skipped", float(ctx.now_ms), ctx), closed]
