"""A track is deleted: every room that has it hears of it, whoever is up when it happens."""

import asyncio

from protocol.cluster import Published
from protocol.codec import decode_server_frame
from protocol.frames import Ack, Events
from protocol.playback import PlaybackEnded, PlaybackWaiting
from protocol.queue import QueueAdd, QueueClear, QueueRemoved, QueueRestored, QueueUndo
from protocol.rooms import RoomSettings
from sql.pool import Database
from tests.home.stage import Stage, WatchedEdge, make_room, make_track, person, stage, state_of

ADA = person("Ada")
QUICK_MS = 10


async def delete(database: Database, track_id: str) -> None:
    async with database.acquire() as connection:
        await connection.execute(
            "update tracks set deleted_at = now() where track_id = $1", track_id
        )


async def queue(on: Stage, room: str, *tracks: str) -> None:
    for track_id in tracks:
        assert isinstance(await on.sidecar.ask(room, ADA, QueueAdd(track_id=track_id)), Ack)


async def heard(edge: WatchedEdge, kind: type) -> object:
    """The first event of a kind that an edge hears of."""

    def fits(message: Published) -> bool:
        frame = decode_server_frame(message.frame)
        assert isinstance(frame, Events)
        return any(isinstance(event, kind) for event in frame.events)

    frame = decode_server_frame((await edge.until(Published, fits)).frame)
    assert isinstance(frame, Events)
    return next(event for event in frame.events if isinstance(event, kind))


async def test_rooms_that_have_it_let_go_of_it_and_others_hear_nothing(
    database: Database, database_url: str
) -> None:
    rooms = [await make_room(database, ADA) for _ in range(3)]
    lost, kept = await make_track(database), await make_track(database)
    async with stage(database, database_url, tracks_every_ms=QUICK_MS) as on:
        for room, tracks in zip(rooms, ((lost, kept), (kept, lost), (kept, kept)), strict=True):
            await on.edge.join(room, ADA)
            await queue(on, room, *tracks)
        await delete(database, lost)
        ended = await heard(on.edge, PlaybackEnded)
        assert isinstance(ended, PlaybackEnded) and ended.reason == "skipped"
        removed = await heard(on.edge, QueueRemoved)
        assert isinstance(removed, QueueRemoved) and removed.reason == "track_gone"
        states = [state_of(await on.edge.join(room, ADA, f"again-{room}")) for room in rooms]
        current = [state.playback.entry for state in states]
        assert [entry and entry.track.track_id for entry in current] == [kept] * 3
        assert [len(state.queue) for state in states] == [0, 0, 1]
        assert not any(
            isinstance(e, QueueRemoved | PlaybackEnded) for _, e in on.edge.shown(rooms[2])
        )


async def test_a_home_that_was_down_learns_it_when_the_room_is_loaded(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA, settings=RoomSettings(always_on=True))
    lost, kept = await make_track(database), await make_track(database)
    async with stage(database, database_url, node_id="11111111-0000-4000-8000-000000000001") as on:
        await queue(on, room, lost, lost, kept)
    await delete(database, lost)
    async with database.acquire() as connection:
        # Long before anybody asks.
        await connection.execute(
            "update tracks set deleted_at = now() - interval '1 day' where track_id = $1", lost
        )
    async with stage(database, database_url, node_id="11111111-0000-4000-8000-000000000001") as on:
        state = state_of(await on.edge.join(room, ADA))
        while state.playback.entry is None or state.playback.entry.track.track_id != kept:
            await asyncio.sleep(0)
            state = state_of(await on.edge.join(room, ADA))
        assert state.queue == []


async def test_what_an_undo_brings_back_is_looked_at_again(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    lost, kept = await make_track(database), await make_track(database)
    async with stage(database, database_url, tracks_every_ms=1e9) as on:
        await on.edge.join(room, ADA)
        await queue(on, room, kept, lost, kept)
        await heard(on.edge, PlaybackWaiting)
        await on.sidecar.ask(room, ADA, QueueClear())
        await delete(database, lost)
        assert isinstance(await on.sidecar.ask(room, ADA, QueueUndo()), Ack)
        restored = await heard(on.edge, QueueRestored)
        assert isinstance(restored, QueueRestored) and len(restored.entries) == 2
        removed = await heard(on.edge, QueueRemoved)
        assert isinstance(removed, QueueRemoved)
        assert (removed.reason, removed.entry_id) == ("track_gone", restored.entries[0].entry_id)
