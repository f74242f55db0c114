"""What is counted of starts that wait for those who load."""

import asyncio
from functools import partial
from itertools import pairwise

from protocol.cluster import Published
from protocol.playback import PlaybackNext, PlaybackStarted, PlaybackWaiting
from protocol.presence import Ready
from protocol.queue import QueueAdd
from roomserver.room.private import WAITED_FOR
from roomserver.runtime.metrics import REGISTRY
from sql.pool import Database
from tests.home.stage import make_room, make_track, person, stage


async def test_a_start_is_counted_once_it_is_durable_with_those_it_waited_for(
    database: Database, database_url: str
) -> None:
    def counted() -> list[float]:
        names = ("late_listeners_sum", "late_listeners_count", "wait_seconds_count")
        return [REGISTRY.get_sample_value(f"unisono_start_{name}") or 0 for name in names]

    def more_than(before: int, _: Published) -> bool:
        shown = on.edge.shown(room)
        return sum(isinstance(event, PlaybackStarted) for _, event in shown) > before

    people = [person(f"P{n}") for n in range(10)]
    room, track = await make_room(database, people[0]), await make_track(database)
    async with stage(database, database_url) as on:
        for who in people:
            await on.edge.join(room, who)
        seen = [counted()]
        entries: list[str] = []
        for start in range(WAITED_FOR + 1):
            if entries:
                await on.edge.ask(room, people[0], PlaybackNext(entry_id=entries[-1]))
            await on.edge.ask(room, people[0], QueueAdd(track_id=track))
            waits = [e for _, e in on.edge.shown(room) if isinstance(e, PlaybackWaiting)]
            entries = [event.entry_id for event in waits]
            async with database.acquire() as connection, connection.transaction():
                await connection.execute(
                    "select from room_homes where room_id = $1 for update", room
                )
                for who in people[:9]:
                    on.edge.signal(room, who, Ready(entry_id=entries[-1]))
                # Decided, and as long as the row is locked not durable.
                async with asyncio.timeout(10):
                    while True:
                        if on.home.committer.under_way:
                            break
                        await asyncio.sleep(0)
                assert counted() == seen[-1]
            await on.edge.until(Published, partial(more_than, start))
            seen.append(counted())
    grown = [[b - a for a, b in zip(*pair, strict=True)] for pair in pairwise(seen)]
    assert grown == [[1, 1, 1]] * WAITED_FOR + [[0, 1, 1]]
