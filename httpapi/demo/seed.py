"""The demo room: made once, the same way as people make theirs."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import uuid4

from httpapi.auth.people import ADD_ACCOUNT, NAMED, UserRow
from httpapi.demo.music import DEMO_TRACKS, DemoTrack, compose
from httpapi.ingest import ingest
from httpapi.rooms import MINE, make_room
from httpapi.services import Services
from httpapi.tracks import LIST
from protocol import names
from protocol.errors import Rejected
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


class Demo(NamedTuple):
    """What a start of the demo gives."""

    room_id: str
    rest: "asyncio.Task[None]"
    """Makes and queues what is still missing; owned by the services' tasks."""


async def seed(services: Services) -> Demo:
    """Make what is missing of owner, room, tracks and queue. Returns as soon as one track plays.

    A track takes about three seconds of one core; a start that finds everything makes nothing.
    One that was cut off anywhere is completed by the next.
    """
    owner = await demo_owner(services)
    room_id = await _room(services, owner)
    have = {
        row.title: row.track_id
        for row in await LIST(
            services.database,
            caller_id=owner.user_id,
            query="",
            genre="",
            uploaded_by=owner.user_id,
            in_room_id=None,
            before_us=None,
            before_track_id=None,
            most=_MOST,
        )
    }

    async def bring(tracks: Sequence[DemoTrack]) -> None:
        for track in tracks:
            track_id = have.get(track.title) or await store(services, owner, track)
            # Said at every start: the room knows the command again if it was carried out, and
            # a track that somebody has taken out since then stays out.
            add, client_id = QueueAdd(track_id=track_id), f"demo-{track_id}"
            try:
                await services.calls.submit(room_id, owner.person(), add, client_id=client_id, id=1)
            except Rejected as refusal:
                # The room is there all the same; the next start tries again.
                _log.warning("demo track refused", extra={"track": track.name, "why": str(refusal)})

    await bring(DEMO_TRACKS[:1])
    return Demo(room_id, services.tasks.spawn("demo tracks", bring(DEMO_TRACKS[1:])))


async def demo_owner(services: Services) -> UserRow:
    """Whose room and tracks these are; made when there is none. Raises RuntimeError."""
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


async def _room(services: Services, owner: UserRow) -> str:
    rooms = await MINE(
        services.database,
        user_id=owner.user_id,
        before_us=None,
        before_room_id=None,
        most=_MOST,
    )
    found = next((room.room_id for room in rooms if room.name == ROOM.name), None)
    if found is not None:
        return found
    return (await make_room(services, owner.person(), ROOM)).room_id


async def store(services: Services, owner: UserRow, track: DemoTrack) -> str:
    """Make a track and store it as an upload of the owner; returns its id."""
    data = await compose(track.name)
    async with services.storage.stage_bytes(data) as staged:
        made = await ingest(services, staged, name=track.file_name, owner_id=owner.user_id)
    _log.info("demo track made", extra={"track": track.name, "track_id": made.track_id})
    return made.track_id
