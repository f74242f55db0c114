"""The room as a whole: what it says about itself, and its end."""

from typing import Final

from msgspec import UNSET
from msgspec.structs import asdict, replace

from protocol import names
from protocol.rooms import (
    RoomClose,
    RoomClosed,
    RoomRelock,
    RoomSettings,
    RoomUpdate,
    RoomUpdated,
    SettingsChange,
)
from roomserver.room.context import Context
from roomserver.room.playback import leave
from roomserver.room.state import State, Step

ROOM_NAME_MAX_LENGTH: Final = 80


def decide_update(state: State, command: RoomUpdate, ctx: Context) -> list[Step]:
    """Change what is given; what is so already is no event. Rejects: bad_request (a bad name)."""
    before = state.public.room
    name = before.name
    if command.name is not None:
        name = names.clean(command.name, what="name", max_length=ROOM_NAME_MAX_LENGTH)
    room = replace(
        before,
        name=name,
        description=before.description if command.description is None else command.description,
        visibility=before.visibility if command.visibility is None else command.visibility,
        settings=changed(before.settings, command.settings),
    )
    return [Step(RoomUpdated(at_ms=ctx.now_ms, room=room, by=ctx.actor))] if room != before else []


def decide_relock(state: State, command: RoomRelock, ctx: Context) -> list[Step]:
    """The room itself knows no password; its home does."""
    return []


def changed(settings: RoomSettings, change: SettingsChange | None) -> RoomSettings:
    """The settings with what the change names; the rest as it was."""
    if change is None:
        return settings
    given = {key: value for key, value in asdict(change).items() if value is not UNSET}
    if "permissions" in given:
        given["permissions"] = replace(settings.permissions, **given["permissions"])
    return replace(settings, **given)


def decide_close(state: State, command: RoomClose, ctx: Context) -> list[Step]:
    """Close it for good."""
    return close(state, ctx)


def close(state: State, ctx: Context) -> list[Step]:
    """End the music, then the room."""
    closed = Step(RoomClosed(at_ms=ctx.now_ms, by=ctx.actor))
    if state.public.playback.entry is None:
        return [closed]
    return [leave(state, "skipped", float(ctx.now_ms), ctx), closed]
