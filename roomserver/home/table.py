"""The home: all rooms that this node is in charge of, and the way of a message to its room."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from protocol.cluster import (
    Answer,
    Arrive,
    Depart,
    Measured,
    Message,
    Party,
    Ping,
    Pong,
    SignalSent,
    Submit,
)
from protocol.errors import ErrorCode, Rejected
from protocol.ids import NodeId, RoomId
from roomserver.bus.channels import Channel
from roomserver.home.acquire import Acquirer, Fenced
from roomserver.home.beats import Beats
from roomserver.home.committer import Committer
from roomserver.home.enrich import Letter
from roomserver.home.gate import reject_of
from roomserver.home.hearing import finish
from roomserver.home.here import here_of
from roomserver.home.history import History
from roomserver.home.listing import Listing
from roomserver.home.pace import Pace
from roomserver.home.parts import Parts
from roomserver.home.proofs import RETRY_AFTER_MS
from roomserver.home.runner import Runner
from roomserver.home.snapshots import Snapshots
from roomserver.home.timers import Timers
from roomserver.home.tracks import Deletions, gone_of
from roomserver.runtime.clock import ClusterClock
from roomserver.runtime.passwords import Passwords
from roomserver.runtime.tasks import OnCrash, Tasks
from sql import queries
from sql.faults import FAULTS
from sql.pool import Database

ROOMS_TO_WAKE: Final = queries.scalars("room_homes.rooms_to_wake", str)
FORGET_LISTENERS: Final = queries.execute("room_homes.forget_listeners")
STOP_WITHIN_MS: Final = 10_000

_log: Final = logging.getLogger(__name__)


class Home:
    """Rooms are loaded when somebody asks for them, or when they must wake; one that rests with
    nobody in it is unloaded again and costs no memory."""

    def __init__(
        self,
        database: Database,
        url: str,
        clock: ClusterClock,
        channel: Channel,
        node_id: NodeId,
        passwords: Passwords,
        *,
        pace: Pace | None = None,
        on_crash: OnCrash | None = None,
    ) -> None:
        pace = pace or Pace()
        self.beats = Beats(database, clock, node_id, pace)
        self.committer = Committer(url, pace, self.beats.lost)
        self._on_crash = on_crash
        self._tasks = Tasks("home", on_crash=self._crashed)
        self._rooms: dict[RoomId, Runner] = {}
        self._loading: dict[RoomId, list[Letter]] = {}
        self._touched: set[RoomId] = set()
        self._is_closing = False
        self._parts = Parts(
            clock=clock,
            channel=channel,
            database=database,
            passwords=passwords,
            tasks=self._tasks,
            pace=pace,
            beats=self.beats,
            acquirer=Acquirer(database, self.beats, pace),
            committer=self.committer,
            snapshots=Snapshots(database, self.beats),
            listing=Listing(database, self.beats, pace),
            history=History(database, self.beats),
            timers=Timers(clock, self._touch),
            touch=self._touch,
            retire=self._retire,
            drop=self._drop,
        )

    @property
    def room_count(self) -> int:
        """How many rooms are loaded."""
        return len(self._rooms)

    def rooms(self) -> Iterable[Runner]:
        """The rooms that are loaded."""
        return self._rooms.values()

    async def start(self, addr: str = "") -> None:
        """Enrol this process; rooms that must wake are loaded in the background.

        Raises what the database raises if it cannot be reached.
        """
        parts = self._parts
        await self.beats.enrol(addr)
        self._tasks.spawn("beats", self.beats.run(), essential=True)
        self._writer = self._tasks.spawn("committer", self.committer.run(), essential=True)
        self._tasks.spawn("snapshots", parts.snapshots.run(), essential=True)
        self._tasks.spawn("listing", parts.listing.run(), essential=True)
        self._tasks.spawn("history", parts.history.run(), essential=True)
        every_ms = parts.pace.tracks_every_ms
        deletions = Deletions(parts.database, self.rooms, self._touch, every_ms)
        self._tasks.spawn("tracks", deletions.run(), essential=True)
        self._tasks.spawn("wake", self._wake())

    async def close(self) -> None:
        """Take nothing more, finish what is under way (10 s at most), store what is worth it."""
        self._is_closing = True
        self._parts.timers.close()
        try:
            async with asyncio.timeout(STOP_WITHIN_MS / 1_000):
                self.committer.close()
                await asyncio.wait([self._writer])
                for runner in self._rooms.values():
                    if runner.is_idle and runner.here.dirty_since_ms is not None:
                        self._parts.snapshots.put(runner.here.picture())
                    finish(runner.here, self._parts)
                await self._parts.snapshots.flush()
                await self._parts.history.flush()
                await FORGET_LISTENERS(self._parts.database, node_id=self.beats.node_id)
        except FAULTS as error:
            _log.warning("the home could not store everything", extra={"error": repr(error)})
        await self._tasks.close()

    def receive(self, sender: Party, message: Message) -> None:
        """Take a message from the bus that is for a home."""
        if self._is_closing:
            return
        if isinstance(message, Arrive | Submit | Depart):
            runner = self._rooms.get(message.room)
            if runner is not None:
                runner.receive(sender, message)
            elif not isinstance(message, Depart) or message.room in self._loading:
                self._load(message.room, Letter(sender, message))
        elif isinstance(message, Ping):
            age_ms, standstill_ms = self.beats.age_ms, self.committer.standstill_ms
            self._parts.channel.post(sender, Pong(message.conn, age_ms, standstill_ms))
        elif isinstance(message, SignalSent | Measured):
            runner = self._rooms.get(message.room)
            if runner is None:
                return
            if isinstance(message, SignalSent):
                runner.signal(message)
            else:
                runner.measure(message)

    def _load(self, room_id: RoomId, letter: Letter) -> None:
        waiting = self._loading.get(room_id)
        if waiting is None:
            self._loading[room_id] = [letter]
            self._tasks.spawn("load", self._bring(room_id))
        elif len(waiting) < self._parts.pace.mailbox or isinstance(letter.message, Depart):
            waiting.append(letter)
        else:
            self._refuse(letter, Rejected(ErrorCode.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS))

    async def _bring(self, room_id: RoomId) -> None:
        """Load a room and hand it the letters that wait for it."""
        problem = Rejected(ErrorCode.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS)
        runner, is_away = None, False
        try:
            loaded = await self._parts.acquirer.load(room_id)
            here = here_of(room_id, loaded, self._parts.clock.now_ms(), self._parts.pace)
            here.gone = await gone_of(self._parts.database, here)
            runner = Runner(self._parts, here)
        except Rejected as error:
            problem = error
        except Fenced:
            _log.info("a room has another home", extra={"room_id": room_id})
        except FAULTS as error:
            _log.warning(
                "a room cannot be loaded", extra={"room_id": room_id, "error": repr(error)}
            )
            self.beats.lost()
            is_away = True
        except Exception:
            _log.exception("a room cannot be loaded", extra={"room_id": room_id})
            problem = Rejected(ErrorCode.INTERNAL, retry_after_ms=RETRY_AFTER_MS)
        letters = self._loading.pop(room_id)
        if runner is None:
            for letter in letters:
                # A command may be in the log that cannot be read: who asks again will hear.
                if not (is_away and isinstance(letter.message, Submit)):
                    self._refuse(letter, problem)
            return
        self._rooms[room_id] = runner
        for sender, message in letters:
            runner.receive(sender, message)
        self._touch(room_id)

    async def _wake(self) -> None:
        """Load the rooms that go on though nobody asks for them."""
        parts = self._parts
        while True:
            await self.beats.until_up()
            try:
                await FORGET_LISTENERS(parts.database, node_id=self.beats.node_id)
                rooms = await ROOMS_TO_WAKE(parts.database, node_id=self.beats.node_id)
                break
            except FAULTS as error:
                _log.warning("rooms cannot be woken yet", extra={"error": repr(error)})
                await asyncio.sleep(parts.pace.retry_ms / 1_000)
        for room_id in rooms:
            await self.beats.until_up()
            if room_id not in self._rooms and room_id not in self._loading:
                self._loading[room_id] = []
                # One after the other: people who come meanwhile are not to wait behind them.
                await self._bring(room_id)

    def _touch(self, room_id: RoomId) -> None:
        if not self._touched:
            asyncio.get_running_loop().call_soon(self._look)
        self._touched.add(room_id)

    def _look(self) -> None:
        touched, self._touched = self._touched, set()
        for room_id in touched:
            runner = self._rooms.get(room_id)
            if runner is not None and not self._is_closing:
                runner.look()

    def _retire(self, room_id: RoomId) -> None:
        self._tasks.spawn("retire", self._unload(room_id))

    async def _unload(self, room_id: RoomId) -> None:
        runner = self._rooms.get(room_id)
        if runner is None or not runner.is_idle:
            return
        here = runner.here
        if here.dirty_since_ms is not None:
            try:
                await self._parts.snapshots.save(here.picture())
            except FAULTS as error:
                # The log has everything; loading only takes a little longer.
                _log.warning("a snapshot was not stored", extra={"error": repr(error)})
        # Somebody may have come meanwhile.
        if self._rooms.get(room_id) is runner and runner.is_idle and here.is_resting():
            self._drop(room_id)

    def _crashed(self, name: str, error: BaseException) -> None:
        # The committer ends by itself when the home is closed.
        if self._on_crash is not None and not self._is_closing:
            self._on_crash(name, error)

    def _drop(self, room_id: RoomId) -> None:
        self._rooms.pop(room_id, None)
        self._parts.timers.set(room_id, None)

    def _refuse(self, letter: Letter, error: Rejected) -> None:
        sender, message = letter
        if not isinstance(message, Depart):
            answer = Answer(message.room, message.conn, 0, reject_of(message.id, error))
            self._parts.channel.post(sender, answer)
