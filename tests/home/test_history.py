"""What people heard is written once, and survives the home."""

import asyncio
from uuid import uuid4

from msgspec import structs

from protocol.frames import Ack
from protocol.queue import QueueAdd
from roomserver.runtime.clock import ClusterClock, monotonic_ns
from sql.pool import Database
from tests.home.stage import QUICK, Stage, add_user, make_room, make_track, person, stage

ADA, BEN, CAT, ROB = person("Ada"), person("Ben"), person("Cat"), person("Rob", "bot")
WAIT_S = 20
LISTENS = "select user_id, play_id, heard_ms from listens order by played_at_ms, user_id"


class Skipper:
    """A monotonic clock that a test pushes ahead."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return monotonic_ns() + self.ahead_ms * 1_000_000

    async def skip(self, on: Stage, room: str, ms: int) -> None:
        """Let time pass; the word that is said then makes the room look."""
        self.ahead_ms += ms
        await on.edge.say(room, ADA, "later")


async def listens(database: Database, count: int) -> list[tuple[str, str, int]]:
    """What is written, once there are so many rows."""
    async with asyncio.timeout(WAIT_S), database.acquire() as connection:
        while len(rows := await connection.fetch(LISTENS)) < count:
            pass
    return [(str(row[0]), str(row[1]), row[2]) for row in rows]


async def test_a_play_counts_once_for_each_person_though_the_home_dies(
    database: Database, database_url: str
) -> None:
    for who in (ADA, BEN, CAT, ROB):
        await add_user(database, who)
    room, node_id, skipper = await make_room(database, ADA), str(uuid4()), Skipper()
    pace = structs.replace(QUICK, vacant_ms=1e12)
    on = Stage(database, database_url, node_id, pace, ClusterClock(skipper))
    await on.open()
    for who in (ADA, BEN, ROB):
        await on.edge.join(room, who)
    for _ in range(2):
        command = QueueAdd(track_id=await make_track(database, 40_000))
        assert isinstance(await on.edge.ask(room, ADA, command), Ack)
    for ms in (4_000, 21_000):  # Loading takes 3 s at most.
        await skipper.skip(on, room, ms)
    await on.edge.join(room, CAT)
    first = await listens(database, 2)
    assert {user_id for user_id, *_ in first} == {ADA.user_id, BEN.user_id}
    assert all(20_000 <= heard_ms < 30_000 for *_, heard_ms in first)
    await skipper.skip(on, room, 21_000)
    # The second has begun; of the first Ada and Ben heard all, Cat less than half.
    for ms in (5_000, 16_000):
        await skipper.skip(on, room, ms)
    rows = await listens(database, 5)
    assert {heard_ms for *_, heard_ms in rows[:2]} == {40_000}
    assert [play_id for _, play_id, _ in rows] == [rows[0][1]] * 2 + [rows[4][1]] * 3
    # It dies before the second ends: nothing is flushed, nobody says goodbye.
    await on.home._tasks.close()
    await on.bus.close()
    on = Stage(database, database_url, node_id, pace, ClusterClock(skipper))
    await on.open()
    for who in (ADA, BEN):
        await on.edge.join(room, who)
    await skipper.skip(on, room, 25_000)
    async with database.acquire() as connection, asyncio.timeout(WAIT_S):
        while await connection.fetchval("select count(*) from plays where ended_at_ms is null"):
            pass
    # Closed in order, it writes all that it has: less than was heard before it.
    await on.close()
    assert await listens(database, 5) == rows


async def test_a_home_that_is_closed_writes_what_was_heard_so_far(
    database: Database, database_url: str
) -> None:
    for who in (ADA, BEN):
        await add_user(database, who)
    room, skipper = await make_room(database, ADA), Skipper()
    async with stage(database, database_url, clock=ClusterClock(skipper)) as on:
        await on.edge.join(room, ADA)
        command = QueueAdd(track_id=await make_track(database, 40_000))
        assert isinstance(await on.edge.ask(room, ADA, command), Ack)
        await skipper.skip(on, room, 4_000)
        await skipper.skip(on, room, 10_000)
        await on.edge.join(room, BEN)
        await skipper.skip(on, room, 12_000)
        assert [row[0] for row in await listens(database, 1)] == [ADA.user_id]
        await skipper.skip(on, room, 10_000)
    assert {user_id for user_id, *_ in await listens(database, 2)} == {ADA.user_id, BEN.user_id}
