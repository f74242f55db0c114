"""What goes wrong with a PostgreSQL: each is a fault that bots go through, and that is judged."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final, NamedTuple

import aiohttp
import psutil

from protocol.bot import Rejected, Room, guest
from protocol.bot import connect as connect_bot
from protocol.chat import ChatSend
from sql.faults import FAULTS
from sql.pool import ANSWER_WITHIN_MS, Connection, connect
from tests.cluster.database_wire import DatabaseWire
from tests.cluster.load import Load
from tests.cluster.rest import new_room, register
from tests.cluster.server import Served

POOL: Final = 10
"""Connections of a server's pool."""
BUSY_WITHIN_S: Final = 2.0
MARGIN_S: Final = 1.0
"""What a busy machine may add."""
DOUBTS: Final = 6
ACKS_WITHIN_S: Final = 15

TROUBLED: Final = """
create function trouble() returns trigger language plpgsql as $$
begin
    if random() < 0.1 then
        raise exception 'trouble' using errcode = '40001';
    elsif random() < 0.1 then
        raise exception 'trouble' using errcode = '40P01';
    end if;
    return null;
end $$;
create trigger trouble before insert on room_events execute function trouble();
create trigger trouble before update on rooms execute function trouble();
"""
END_ALL: Final = """
select pg_terminate_backend(pid) from pg_stat_activity
where application_name in ('unisono', 'committer')
    and datname = current_database() and pid <> pg_backend_pid()
"""


class Took(NamedTuple):
    """How a request was answered, and after how long."""

    status: int
    s: float


async def ask(client: aiohttp.ClientSession, url: str) -> Took:
    """One GET."""
    begun = time.monotonic()
    async with client.get(url) as answer:
        await answer.read()
        return Took(answer.status, time.monotonic() - begun)


@asynccontextmanager
async def asked(
    load: Load, path: str, times: int, *, token: str = ""
) -> AsyncIterator[list[asyncio.Task[Took]]]:
    """So many GETs at once; what has no answer at the end of the block is given up."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(connector=connector, headers=headers) as client,
        asyncio.TaskGroup() as tasks,
    ):
        url = f"{load.served.url}/api{path}"
        asking = [tasks.create_task(ask(client, url)) for _ in range(times)]
        yield asking
        for one in asking:
            one.cancel()


async def is_alive(load: Load) -> None:
    """The process says at once that it runs."""
    async with aiohttp.ClientSession() as client:
        health = await ask(client, f"{load.served.url}/healthz")
    assert health.status == 200
    assert health.s < MARGIN_S


@contextmanager
def stopped(served: Served) -> Iterator[None]:
    """All of the server's PostgreSQL stands still: it takes connections, and says nothing."""
    postmaster = psutil.Process(served.postgres_pid())
    processes = [postmaster, *postmaster.children(recursive=True)]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)


async def killed_and_stopped(load: Load) -> None:
    """F10: `kill -9`, and later SIGSTOP for longer than an answer may take."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(load.run(for_s=9))
        await load.wait(0.7)
        killed = load.served.postgres_pid()
        os.kill(killed, signal.SIGKILL)
        await acks(load, 30)
        assert load.served.postgres_pid() != killed
        with stopped(load.served):
            async with asked(load, "/rooms", 2 * POOL) as answers:
                await is_alive(load)
                # What was under way has arrived.
                await load.wait(0.5)
                before = load.acks
                await asyncio.wait(answers, timeout=ANSWER_WITHIN_MS / 1_000 + MARGIN_S)
                assert all(answer.done() for answer in answers), "somebody waits for ever"
                took = sorted(answer.result() for answer in answers)
                assert {answer.status for answer in took} == {503}
                # Only those who had a connection waited for what does not come.
                assert took[POOL - 1].s < BUSY_WITHIN_S + MARGIN_S
                assert load.acks == before, "something was acknowledged"


async def exhausted(load: Load) -> None:
    """F11: all connections of the pool wait for something."""
    connection = await connect(load.served.database_url)
    url = load.served.url
    token, owner = await guest(url, "Reader"), await register(url, "talker")
    try:
        async with connect_bot(url, token=owner) as me, asyncio.TaskGroup() as tasks:
            # The rooms of the load may all wait for tracks that were added; this one never does.
            room = await me.join(await new_room(url, owner, "Talk"))
            tasks.create_task(load.run(for_s=3))
            await load.wait(0.5)
            async with connection.transaction():
                await connection.execute("set local idle_in_transaction_session_timeout = 0")
                await connection.execute("lock table favorites in access exclusive mode")
                async with asked(load, "/favorites/me", 3 * POOL, token=token) as answers:
                    await is_alive(load)
                    # What needs no connection of the pool goes on, before anybody gets one.
                    async with asyncio.timeout(BUSY_WITHIN_S):
                        await room.chat("still here")
                    # Who gets a connection in the last moment waits once more, for the lock.
                    await asyncio.wait(answers, timeout=2 * BUSY_WITHIN_S + MARGIN_S)
                    assert all(answer.done() for answer in answers), "somebody waits for ever"
                assert {answer.result().status for answer in answers} == {503}
    finally:
        await connection.close()
    async with asked(load, "/favorites/me", 1, token=token) as answers:
        assert (await answers[0]).status == 200


async def refused(load: Load) -> None:
    """F12: serialization failures, deadlocks, connections ended from outside, none to be had."""
    connection = await connect(load.served.database_url, application_name="operator")
    crowd: list[Connection] = []
    try:
        await connection.execute(TROUBLED)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(load.run(for_s=3))
            for _ in range(3):
                await load.wait(0.4)
                await connection.execute(END_ALL)
            with suppress(*FAULTS):
                while True:
                    crowd.append(await connect(load.served.database_url, application_name="crowd"))
            await connection.execute(END_ALL)
            with suppress(*FAULTS):
                while True:
                    crowd.append(await connect(load.served.database_url, application_name="crowd"))
            await load.wait(0.5)
            await is_alive(load)
            for one in crowd:
                one.terminate()
        await connection.execute("drop function trouble cascade")
    finally:
        for one in crowd:
            one.terminate()
        await connection.close()


async def in_doubt(load: Load, wire: DatabaseWire) -> None:
    """F13: the committer's connection is lost after it has said what PostgreSQL gets to hear all
    the same: at once, or when the room was read again."""
    room_id = load.rooms[0].room_id
    # Without patience: what she is told first is what is judged.
    eve = await load.enter("Eve", load.served.url, room_id)
    told = []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(load.run(for_s=6))
        for doubt in range(DOUBTS):
            await acks(load, 5)
            wire.hold()
            saying = tasks.create_task(is_said(eve, f"doubt {doubt}"))
            await wire.until_held()
            await load.wait(0.1)
            wire.cut_committer()
            if doubt % 2:
                await load.wait(0.4)
            await wire.deliver()
            told.append(await saying)
        # Before the others have said so much that the first is forgotten; the log is judged later.
        await eve.chat("after")
        said = [message.content for message in eve.snapshot.chat]
    assert set(told) == {True, False}, "it was no doubt"
    for doubt, acknowledged in enumerate(told):
        assert said.count(f"doubt {doubt}") == acknowledged, f"doubt {doubt}: {told}"


async def is_said(room: Room, content: str) -> bool:
    """Whether the room says that it has it."""
    try:
        await room.do(ChatSend(content=content), patience_ms=0)
    except Rejected as refusal:
        assert refusal.kind.temporary, refusal
        return False
    return True


async def acks(load: Load, more: int) -> None:
    """Wait for so many more acks."""
    wanted = load.acks + more
    async with asyncio.timeout(ACKS_WITHIN_S):
        while load.acks < wanted:
            await load.wait(0.02)
