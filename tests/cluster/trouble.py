"""Four troubles in a row, each of which one mistake of a server would turn into a broken promise.

a lost answer        a command is done, its ack is swallowed, and it is sent again
a late batch         a batch is lost on its way to PostgreSQL, and arrives after the recovery
a lost batch         a batch never arrives, and somebody joins while the database is away
a second writer      the log grows behind the home's back, under the same fence
"""

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import NamedTuple

from protocol.bot import Bot, Rejected, Room, connect, guest
from protocol.chat import ChatSend, ChatSent
from protocol.codec import encode
from protocol.ids import derive
from sql.pool import connect as connect_database
from tests.cluster.checker import Violation, check
from tests.cluster.database_wire import DatabaseWire
from tests.cluster.journal import Journal
from tests.cluster.log import read_log, read_start
from tests.cluster.rest import new_room, register, upload
from tests.cluster.server import ROOT, Served
from tests.faults.proxy import Proxy

STEP_WITHIN_S = 15


class Verdict(NamedTuple):
    """What came of it."""

    violations: list[Violation]
    unfinished: list[str]
    """Steps that did not come to their end."""


class Trouble:
    """One room with Ann, whose answers can be lost, and Bob, who hears everything."""

    def __init__(self, database_url: str, data_dir: Path, tree: Path = ROOT) -> None:
        self._database_url = database_url
        self._data_dir = data_dir
        self._tree = tree
        self._journals: list[Journal] = []
        self._unfinished: list[str] = []
        self._url = ""
        self._room_id = ""
        self._ann: Room
        self._bob: Room

    async def run(self) -> Verdict:
        """All of it, on a server of its own."""
        async with AsyncExitStack() as stack:
            self._database = DatabaseWire(self._database_url)
            wired_url = await stack.enter_async_context(self._database.opened())
            served = Served(self._data_dir, database_url=wired_url, tree=self._tree)
            stack.push_async_callback(served.kill)
            await served.start()
            self._url = served.url
            self._wire = Proxy(served.port)
            far_url = await stack.enter_async_context(self._wire.opened())
            owner = await register(self._url, "owner")
            track = await upload(self._url, owner, 60_000)
            self._room_id = await new_room(self._url, owner, "Kitchen")
            start = await read_start(self._database_url, self._room_id)
            self._bob = await self._enter(stack, "Bob", self._url)
            self._ann = await self._enter(stack, "Ann", far_url)
            for _ in range(2):
                await self._ann.add(track)
            for step in (
                self._a_lost_answer,
                self._a_late_batch,
                self._a_lost_batch,
                self._a_second_writer,
            ):
                await self._try(step.__name__, step())
            logs = await read_log(self._database_url, {self._room_id: start})
            return Verdict(check(self._journals, logs), self._unfinished)

    async def _a_lost_answer(self) -> None:
        self._wire.answers.is_black_hole = True
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._ann.chat("said once"))
            await self._hears(self._bob, "said once")
            self._wire.answers.is_black_hole = False
            self._wire.cut()

    async def _a_late_batch(self) -> None:
        await self._ann.chat("the committer is warm")
        self._database.hold()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._say(self._ann, "late"))
            await self._database.until_held()
            self._database.cut_committer()
        await self._database.deliver()
        await self._say(self._bob, "after the late one")

    async def _a_lost_batch(self) -> None:
        await self._say(self._bob, "the committer is warm again")
        self._database.hold()
        async with asyncio.TaskGroup() as tasks, AsyncExitStack() as stack:
            tasks.create_task(self._say(self._ann, "lost"))
            await self._database.until_held()
            self._database.go_down()
            # While the database is away, and before anybody was refused anything.
            await self._enter(stack, "Carol", self._url, self._carols_token)
            self._database.come_up()
        await self._say(self._bob, "after the lost one")

    async def _a_second_writer(self) -> None:
        await self._append("from elsewhere")
        # A command without events: nothing but `last_seq` can stop its batch.
        first = self._ann.snapshot.queue[0].entry_id
        with suppress(Rejected):
            await self._ann.move(first, after=None)
        await self._append("from elsewhere again")
        await self._say(self._ann, "after the other writer")
        await self._hears(self._bob, "after the other writer")

    async def _enter(
        self, stack: AsyncExitStack, name: str, url: str, token: str | None = None
    ) -> Room:
        journal = Journal()
        if name == "Bob":
            self._carols_token = await guest(self._url, "Carol")
        token = token or await guest(self._url, name)
        me: Bot = await stack.enter_async_context(connect(url, token=token, journal=journal))
        journal.user_id, journal.client_id = me.user.user_id, me.client_id
        self._journals.append(journal)
        return await me.join(self._room_id)

    async def _append(self, content: str) -> None:
        """Write an event into the log as if one were the home."""
        database = await connect_database(self._database_url)
        try:
            async with database.transaction():
                lineage, seq = await database.fetchrow(
                    "update room_homes set last_seq = last_seq + 1 where room_id = $1"
                    " returning lineage, last_seq",
                    self._room_id,
                )
                last = self._bob.snapshot.chat[-1]
                event = ChatSent(
                    at_ms=last.at_ms,
                    message_id=derive(self._room_id, lineage, seq),
                    by=last.by,
                    content=content,
                )
                await database.execute(
                    "with event as (insert into room_events (room_id, seq, at_ms, public)"
                    " values ($1, $2, $3, $4::text::json)), done as (insert into room_commands"
                    " values ($1, $5, 'somebody-else:' || $2::bigint, $2, $2, $3))"
                    " insert into chat_messages (message_id, room_id, seq, user_id, display_name,"
                    " content, sent_at_ms) values ($6, $1, $2, $5, '', $7, $3)",
                    self._room_id,
                    seq,
                    event.at_ms,
                    encode(event).decode(),
                    event.by.user_id,
                    event.message_id,
                    content,
                )
        finally:
            await database.close()

    async def _say(self, room: Room, content: str) -> None:
        """Say something; that the room cannot take it just now is an answer, too."""
        with suppress(Rejected):
            # Without patience: what the server said first is what is judged.
            await room.do(ChatSend(content=content), patience_ms=0)

    async def _hears(self, room: Room, content: str) -> None:
        await room.wait_for(lambda room: content in [m.content for m in room.snapshot.chat])

    async def _try(self, name: str, step: Awaitable[None]) -> None:
        """A server with a mistake may break off a step anywhere: the log is judged anyway."""
        try:
            async with asyncio.timeout(STEP_WITHIN_S):
                await step
        except Exception as problem:
            self._unfinished.append(f"{name}: {problem!r}")
        finally:
            self._wire.answers.is_black_hole = False
            self._database.come_up()
