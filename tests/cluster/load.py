"""Bots that chat, queue and play at a given rate while things go wrong around them."""

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack, suppress
from typing import Final

from protocol.bot import Bot, Rejected, Room, connect, guest
from protocol.errors import ErrorCode
from protocol.frames import Cmd
from tests.cluster.checker import Violation, check
from tests.cluster.journal import Journal, Sent
from tests.cluster.log import read_log, read_start
from tests.cluster.rest import new_room, register, upload
from tests.cluster.server import Served
from tests.cluster.wire import Wire

IN_FLIGHT: Final = 50
"""Commands of one bot that may wait for their answers."""
ANSWERS_WITHIN_S: Final = 40
EXPECTED: Final = {
    ErrorCode.UNAVAILABLE,
    ErrorCode.CONFLICT,
    ErrorCode.ENTRY_STARTING,
    ErrorCode.NOTHING_PLAYING,
    ErrorCode.UNKNOWN_ENTRY,
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
        self.wire = Wire(served.port)
        """All bots talk over it: their answers can be lost."""
        self._number = (bots, rooms)
        self._wait_s = bots / per_second
        self._chance = random.Random(1)
        self._stack = AsyncExitStack()
        self._bots: list[tuple[Bot, list[Room]]] = []
        self._starts: dict[str, bytes] = {}
        self._tracks: list[str] = []

    async def __aenter__(self) -> "Load":
        bots, rooms = self._number
        url = self.served.url
        far_url = await self._stack.enter_async_context(self.wire.opened())
        owner = await register(url, "owner")
        self._tracks = [await upload(url, owner, length_ms) for length_ms in (1_500, 2_345)]
        room_ids = [await new_room(url, owner, f"Room {number}") for number in range(rooms)]
        for room_id in room_ids:
            self._starts[room_id] = await read_start(self.served.database_url, room_id)
        for number in range(bots):
            journal = Journal()
            me = await self._stack.enter_async_context(
                connect(far_url, token=await guest(url, f"Bot {number}"), journal=journal)
            )
            journal.user_id, journal.client_id = me.user.user_id, me.client_id
            self.journals.append(journal)
            near = (room_ids[number % rooms], room_ids[(number * 3 + 1) % rooms])
            self._bots.append((me, [await me.join(room_id) for room_id in dict.fromkeys(near)]))
        return self

    async def __aexit__(self, *why: object) -> None:
        await self._stack.aclose()

    async def run(self, *, for_s: float) -> None:
        """Send at the rate for so long; returns when all is answered."""
        end = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.call_later(for_s, end.set)
        async with asyncio.timeout(for_s + ANSWERS_WITHIN_S), asyncio.TaskGroup() as tasks:
            for number, (_, rooms) in enumerate(self._bots):
                tasks.create_task(self._behave(number, rooms, end))

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

    async def verdict(self) -> list[Violation]:
        """What the checker says of all that has happened; everybody has heard everything."""
        logs = await read_log(self.served.database_url, self._starts)
        last = {log.room_id: log.last_seq for log in logs}
        for _, rooms in self._bots:
            for room in rooms:
                await room.wait_for(lambda room: room.snapshot.seq >= last[room.room_id])
        # The rooms play on. What was heard up to here must be in the log; the log may go on.
        heard = [journal.so_far() for journal in self.journals]
        return check(heard, await read_log(self.served.database_url, self._starts))

    async def _behave(self, number: int, rooms: list[Room], end: asyncio.Event) -> None:
        slots = asyncio.Semaphore(IN_FLIGHT)
        count = 0
        async with asyncio.TaskGroup() as commands:
            while not end.is_set():
                await slots.acquire()
                room = rooms[count % len(rooms)]
                commands.create_task(self._command(room, f"{number}-{count}", slots))
                count += 1
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._wait_s):
                        await end.wait()

    async def _command(self, room: Room, text: str, slots: asyncio.Semaphore) -> None:
        dice = self._chance.random()
        queue, entry = room.snapshot.queue, room.snapshot.playback.entry
        try:
            if dice < 0.7:
                await room.chat(text)
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
        except Rejected as refusal:
            self.refusals[refusal.code] += 1
            assert refusal.code in EXPECTED, refusal
        finally:
            slots.release()
