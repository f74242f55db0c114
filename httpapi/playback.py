"""Playback of a room over REST."""

from typing import Final

from httpapi.access import live_state, open_room
from httpapi.commands import REFUSALS, submit
from httpapi.endpoint import Call, Route, route
from httpapi.lists import Query
from protocol.catalog import RoomCommand
from protocol.errors import ErrorCode, Rejected
from protocol.playback import (
    Playback,
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackPut,
    PlaybackSeek,
)


async def put_playback(call: Call[PlaybackPut, Query]) -> Playback:
    """Play, pause, seek, skip to the next or play an entry; answers what holds then."""
    row = await open_room(call)
    ack = await submit(call, row, _command(call.body))
    return (await live_state(call, row, at_least=ack.seq)).playback


def _command(body: PlaybackPut) -> RoomCommand:
    if (body.position_ms is not None) != (body.action == "seek"):
        raise Rejected(
            ErrorCode.BAD_REQUEST, "A position is for seek, and only for it.", path="position_ms"
        )
    if body.action == "play":
        return PlaybackPlay(entry_id=body.entry_id)
    if body.entry_id is None:
        raise Rejected(
            ErrorCode.BAD_REQUEST, f"{body.action} needs the entry it means.", path="entry_id"
        )
    if body.position_ms is not None:
        return PlaybackSeek(entry_id=body.entry_id, position_ms=body.position_ms)
    if body.action == "pause":
        return PlaybackPause(entry_id=body.entry_id)
    if body.action == "next":
        return PlaybackNext(entry_id=body.entry_id)
    return PlaybackPlayEntry(entry_id=body.entry_id)


_E: Final = ErrorCode

ROUTES: Final[tuple[Route, ...]] = (
    route("PUT", "/api/rooms/{room_id}/playback", put_playback, body=PlaybackPut, returns=Playback,
          limit=10, action="playback", command=True,
          refuses=(*REFUSALS, _E.NOTHING_PLAYING, _E.CONFLICT, _E.ENTRY_STARTING,
                   _E.UNKNOWN_ENTRY)),
)  # fmt: skip
