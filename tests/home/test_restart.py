"""The database is killed and comes back: nothing acknowledged is lost, and the room goes on."""

import os
import signal
from pathlib import Path
from typing import TypeVar

from protocol.chat import ChatSend
from protocol.cluster import Answer
from protocol.errors import ErrorCode
from protocol.frames import Ack, Reject
from sql.embedded import EmbeddedPostgres
from sql.migrate import migrate
from sql.pool import Database
from tests.home.stage import Stage, make_room, person, stage, state_of

ADA, BEN = person("Ada"), person("Ben")


A = TypeVar("A", Ack, Reject)


def answers(on: Stage, kind: type[A]) -> list[A]:
    """The answers that were heard."""
    heard = (message.answer for message in on.edge.heard if isinstance(message, Answer))
    return [answer for answer in heard if isinstance(answer, kind)]


def count(on: Stage) -> int:
    return len(answers(on, Ack)) + len(answers(on, Reject))


async def more_than(on: Stage, heard: int) -> None:
    await on.edge.until(Answer, lambda _: count(on) > heard)


async def test_a_home_outlives_its_database(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(tmp_path)
    url = await postgres.start()
    await migrate(url)
    database = await Database.open(url)
    room = await make_room(database, ADA)
    async with stage(database, url) as on:
        await on.edge.join(room, ADA)
        for n in range(5):
            await on.edge.say(room, ADA, f"{n}")
        os.kill(postgres.pid, signal.SIGKILL)
        # The server's children take a moment to notice that their parent is gone. What is under
        # way when they do stays pending, for nobody knows; what waits behind it is refused.
        sent: list[int] = []
        while not (refused := answers(on, Reject)):
            heard = count(on)
            sent += [on.edge.send(room, ADA, ChatSend(content="x")) for _ in range(100)]
            await more_than(on, heard)
        assert {(answer.code, answer.temporary) for answer in refused} == {
            (ErrorCode.UNAVAILABLE, True)
        }
        assert count(on) < len(sent) + 5
        copy = state_of(await on.edge.join(room, BEN))
        assert copy.seq == on.edge.shown(room)[-1][0]
        await postgres.stop()
        assert await postgres.start() == url
        while isinstance(answer := await on.edge.ask(room, ADA, ChatSend(content="back")), Reject):
            assert answer.temporary
        for frame_id in sent:
            await on.edge.answer(room, frame_id)
        async with database.acquire() as connection:
            stored = [
                row[0]
                for row in await connection.fetch(
                    "select seq from room_events where room_id = $1 order by seq", room
                )
            ]
        assert stored == list(range(1, answer.seq + 1))
        # Nothing that was acknowledged is lost, and nothing happened twice.
        acked = [ack.seq for ack in answers(on, Ack)]
        assert len(acked) == len(set(acked))
        assert set(acked) <= set(stored)
        # Chat and nothing else happened, so what was shown is the log, each event once.
        assert [seq for seq, _ in on.edge.shown(room)] == stored
    await database.close()
    await postgres.stop()
