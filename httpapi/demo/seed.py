"""The demo room: made once, the same way as people make theirs."""

import logging
from collections.abc import AsyncIterator
from typing import Final
from uuid import uuid4

from httpapi.auth.people import ADD_ACCOUNT, NAMED, UserRow
from httpapi.demo.music import DEMO_TRACKS, DemoTrack, compose
from httpapi.ingest import ingest
from httpapi.rooms import MINE, make_room
from httpapi.services import Services
from httpapi.tracks import LIST
from protocol import names
from protocol.queue import QueueAdd
from protocol.rooms import RoomCreate, RoomSettings

OWNER_USERNAME: Final = "unisono-demo"
OWNER_NAME: Final = "Unisono"
ROOM: Final = RoomCreate(
    name="Demo room",
    description="Music that Unisono makes itself. Come in, listen, add your own.",
    settings=RoomSettings(repeat="all", always_on=True),
)
_MOST: Final = 100

_log: Final = logging.getLogger(__name__)


async def seed(services: Services) -> str:
    """Make what is missing of owner, room, tracks and queue; returns the room's id.

    The first start takes about three seconds a track; a later one makes nothing.
    """
    owner = await _owner(services)
    room_id, is_new = await _room(services, owner)
    have = {
        row.title: row.track_id
        for row in await LIST(
            services.database,
            user_id=owner.user_id,
            query="",
            uploaded_by=owner.user_id,
            in_room_id=None,
            before_us=None,
            before_track_id=None,
            most=_MOST,
        )
    }
    for track in DEMO_TRACKS:
        missing = track.title not in have
        track_id = await _made(services, owner, track) if missing else have[track.title]
        # Queued as soon as it is there, so that the first one plays while the others are made.
        if missing or is_new:
            add = QueueAdd(track_id=track_id)
            # The room knows the command again if an earlier start died right after it.
            await services.calls.submit(
                room_id, owner.person(), add, client_id=f"demo-{track_id}", id=1
            )
    return room_id


async def _owner(services: Services) -> UserRow:
    key = names.key(OWNER_USERNAME)
    row = await NAMED(services.database, username_key=key) or await ADD_ACCOUNT(
        services.database,
        user_id=str(uuid4()),
        kind="bot",
        username=OWNER_USERNAME,
        username_key=key,
        email=None,
        display_name=OWNER_NAME,
        # Nobody can sign in as it.
        password_hash=None,
    )
    if row is None or row.kind != "bot":
        raise RuntimeError(f"the name {OWNER_USERNAME} belongs to somebody else")
    return row


async def _room(services: Services, owner: UserRow) -> tuple[str, bool]:
    rooms = await MINE(
        services.database,
        user_id=owner.user_id,
        before_us=None,
        before_room_id=None,
        most=_MOST,
    )
    found = next((room.room_id for room in rooms if room.name == ROOM.name), None)
    if found is not None:
        return found, False
    return (await make_room(services, owner.person(), ROOM)).room_id, True


async def _made(services: Services, owner: UserRow, track: DemoTrack) -> str:
    data = await compose(track.name)
    async with services.storage.stage(_once(data), max_bytes=len(data)) as staged:
        made = await ingest(services, staged, name=track.file_name, owner_id=owner.user_id)
    _log.info("demo track made", extra={"track": track.name, "track_id": made.track_id})
    return made.track_id


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
