"""Bots that chat, queue and play at a given rate while things go wrong around them."""

import asyncio
import random
import time
from collections import Counter
from contextlib import AsyncExitStack, nullcontext, suppress
from typing import Final

from protocol.bot import Bot, Rejected, Room, connect, guest
from protocol.chat import ChatDelete, ChatEdit, ChatReact
from protocol.errors import ErrorCode
from protocol.frames import Cmd
from protocol.reactions import ReactionSend
from tests.cluster.checker import Violation, check
from tests.cluster.journal import Journal, Sent
from tests.cluster.log import read_log, read_start
from tests.cluster.rest import new_room, register, upload
from tests.cluster.server import Served
from tests.faults.proxy import Proxy

IN_FLIGHT: Final = 50
"""Commands of one bot that may wait for their answers."""
ANSWERS_WITHIN_S: Final = 40
EXPECTED: Final = {
    ErrorCode.UNAVAILABLE,
    ErrorCode.CONFLICT,
    ErrorCode.ENTRY_STARTING,
    ErrorCode.NOTHING_PLAYING,
    ErrorCode.UNKNOWN_ENTRY,
    ErrorCode.UNKNOWN_MESSAGE,
    ErrorCode.QUEUE_FULL,
    ErrorCode.NOT_ALLOWED,
}
"""Refusals that a room in motion, or in trouble, may give."""


class Load:
    """Some bots in some rooms, each bot in two of them."""

    def __init__(self, served: Served, *, bots: int, rooms: int, per_second: float) -> None:
        self.served = served
        self.journals: list[Journal] = []
        self.acks = 0
        self.refusals: Counter[ErrorCode] = Counter()
        self.waits_ms: list[float] = []
        """How long each ack of a message took. Reactions are gathered first: they wait longer."""
        self.wire = Proxy(served.port)
        """All bots talk over it: their answers can be lost."""
        self._number = (bots, rooms)
        self._wait_s = bots / per_second
        self._chance = random.Random(1)
        self.stack = AsyncExitStack()
        """Ends before the bots do."""
        self._bots: list[tuple[Bot, list[Room]]] = []
        self._others: list[Room] = []
        self._starts: dict[str, bytes] = {}
        self._tracks: list[str] = []

    async def __aenter__(self) -> "Load":
        bots, rooms = self._number
        url = self.served.url
        far_url = await self.stack.enter_async_context(self.wire.opened())
        owner = await register(url, "owner")
        self._tracks = [await upload(url, owner, length_ms) for length_ms in (1_500, 2_345)]
        room_ids = [await new_room(url, owner, f"Room {number}") for number in range(rooms)]
        for room_id in room_ids:
            self._starts[room_id] = await read_start(self.served.database_url, room_id)
        for number in range(bots):
            journal = Journal()
            me = await self.stack.enter_async_context(
                connect(far_url, token=await guest(url, f"Bot {number}"), journal=journal)
            )
            journal.user_id, journal.client_id = me.user.user_id, me.client_id
            self.journals.append(journal)
            near = (room_ids[number % rooms], room_ids[(number * 3 + 1) % rooms])
            self._bots.append((me, [await me.join(room_id) for room_id in dict.fromkeys(near)]))
        return self

    async def __aexit__(self, *why: object) -> None:
        await self.stack.aclose()

    @property
    def rooms(self) -> list[Room]:
        """Each room as somebody in it sees it."""
        seen = {room.room_id: room for _, rooms in self._bots for room in rooms}
        return list(seen.values())

    async def enter(self, name: str, url: str, room_id: str) -> Room:
        """Somebody more, on a way of their own, who stays and is judged like the others."""
        journal = Journal()
        token = await guest(self.served.url, name)
        bot = connect(url, token=token, journal=journal)
        me = await self.stack.enter_async_context(bot)
        journal.user_id, journal.client_id = me.user.user_id, me.client_id
        self.journals.append(journal)
        self._others.append(await me.join(room_id))
        return self._others[-1]

    async def run(self, *, for_s: float) -> None:
        """Send at the rate for so long; returns when all is answered."""
        end = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.call_later(for_s, end.set)
        async with asyncio.timeout(for_s + ANSWERS_WITHIN_S), asyncio.TaskGroup() as tasks:
            for number, (me, rooms) in enumerate(self._bots):
                tasks.create_task(self._behave(number, me, rooms, end))

    async def wait(self, for_s: float) -> None:
        """Let the bots go on for a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(for_s):
                await asyncio.Event().wait()

    @property
    def sent_again(self) -> int:
        """How many commands were sent more than once."""
        again = 0
        for journal in self.journals:
            sent = [line.frame for line in journal.lines if isinstance(line, Sent)]
            ids = Counter(frame.id for frame in sent if isinstance(frame, Cmd))
            again += sum(count > 1 for count in ids.values())
        return again

    async def verdict(self, *, within_s: float | None = None) -> list[Violation]:
        """What the checker says of all that has happened; everybody has heard everything, or as
        much as comes `within_s`."""
        logs = await read_log(self.served.database_url, self._starts)
        last = {log.room_id: log.last_seq for log in logs}
        with suppress(TimeoutError) if within_s else nullcontext():
            async with asyncio.timeout(within_s):
                for room in [*(room for _, rooms in self._bots for room in rooms), *self._others]:
                    await room.wait_for(lambda room: room.snapshot.seq >= last[room.room_id])
        # The rooms play on. What was heard up to here must be in the log; the log may go on.
        heard = [journal.so_far() for journal in self.journals]
        return check(heard, await read_log(self.served.database_url, self._starts))

    async def _behave(self, number: int, me: Bot, rooms: list[Room], end: asyncio.Event) -> None:
        slots = asyncio.Semaphore(IN_FLIGHT)
        count = 0
        async with asyncio.TaskGroup() as commands:
            while not end.is_set():
                await slots.acquire()
                room = rooms[count % len(rooms)]
                commands.create_task(self._command(room, me, f"{number}-{count}", slots))
                count += 1
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._wait_s):
                        await end.wait()

    async def _respond(self, room: Room, me: Bot, text: str, dice: float) -> None:
        """React to the music or to a message, or say one's own otherwise."""
        own = [m for m in room.snapshot.chat if m.by.user_id == me.user.user_id]
        own = [m for m in own if not m.deleted]
        if dice < 0.6 or not own:
            await room.do(ReactionSend(emoji="🔥"))
        elif dice < 0.64:
            await room.do(ChatEdit(message_id=own[-1].message_id, content=f"{text} (edited)"))
        elif dice < 0.66:
            await room.do(ChatDelete(message_id=own[-1].message_id))
        else:
            on = self._chance.random() < 0.7
            await room.do(ChatReact(message_id=own[0].message_id, emoji="👏", on=on))

    async def _command(self, room: Room, me: Bot, text: str, slots: asyncio.Semaphore) -> None:
        dice = self._chance.random()
        queue, entry = room.snapshot.queue, room.snapshot.playback.entry
        begun_ns = time.monotonic_ns()
        try:
            if dice < 0.55:
                await room.chat(text)
            elif dice < 0.7:
                await self._respond(room, me, text, dice)
            elif dice < 0.85 or not queue:
                await room.add(self._chance.choice(self._tracks))
            elif dice < 0.93:
                await room.remove(self._chance.choice(queue).entry_id)
            elif dice < 0.96:
                await room.move(self._chance.choice(queue).entry_id, after=None)
            elif dice < 0.98 and entry:
                await room.next(entry.entry_id)
            elif dice < 0.99 and entry:
                await room.pause(entry.entry_id)
            else:
                await room.play()
            self.acks += 1
            if dice < 0.55:
                self.waits_ms.append((time.monotonic_ns() - begun_ns) / 1e6)
        except Rejected as refusal:
            self.refusals[refusal.code] += 1
            assert refusal.code in EXPECTED, refusal
        finally:
            slots.release()
