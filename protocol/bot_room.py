"""A room in a bot's hands: what is known of it, and the commands as methods."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final, TypeVar
from weakref import WeakSet

from msgspec import UNSET, UnsetType

from protocol.catalog import ClientCommand, RoomEvent, RoomSignal
from protocol.chat import ChatSend
from protocol.client_room import RoomCopy
from protocol.frames import Ack
from protocol.ids import EntryId, MessageId, RoomId, TrackId, UserId
from protocol.members import Member
from protocol.playback import (
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
)
from protocol.queue import QueueAdd, QueueMove, QueueRemove
from protocol.snapshot import Snapshot
from protocol.users import Person

if TYPE_CHECKING:
    from protocol.bot import Bot

T = TypeVar("T")

EVENTS_KEPT: Final = 10_000
"""A reader of events that is further behind than this has missed some: LookupError."""


class Room:
    """One joined room. Commands return the server's ack, or raise Rejected.

    Whatever a command did is in `snapshot` when its call returns.
    """

    def __init__(self, me: "Bot", copy: RoomCopy) -> None:
        self._me = me
        self._copy = copy
        self._changed: asyncio.Future[None] | None = None
        # A reader that nobody reads any more is not fed for ever.
        self._readers: WeakSet[_Reader] = WeakSet()
        self._over: Exception | None = None

    @property
    def room_id(self) -> RoomId:
        """The room's name on the wire."""
        return self._copy.room

    @property
    def snapshot(self) -> Snapshot:
        """The room as it is now. Read it, do not change it."""
        if self._copy.snapshot is None:
            raise self._over or LookupError("The room was left.")
        return self._copy.snapshot

    @property
    def you(self) -> Member | None:
        """The bot's own place in the room."""
        return self._copy.you

    @property
    def present(self) -> dict[UserId, Person]:
        """Who is here (the first 200, if there are more)."""
        return self._copy.present

    @property
    def count(self) -> int:
        """How many are here."""
        return self._copy.count

    @property
    def position_ms(self) -> float:
        """Where the current track is at this moment."""
        return self.snapshot.playback.position_at(self._me.now_ms())

    async def chat(self, content: str, *, reply_to: MessageId | None = None) -> Ack:
        """Say something."""
        return await self.command(ChatSend(content=content, reply_to=reply_to))

    async def add(self, track_id: TrackId, *, after: EntryId | UnsetType | None = UNSET) -> Ack:
        """Queue a track: at the end, behind `after`, or first with `after=None`."""
        return await self.command(QueueAdd(track_id=track_id, after=after))

    async def remove(self, entry_id: EntryId) -> Ack:
        """Take an entry out of the queue."""
        return await self.command(QueueRemove(entry_id=entry_id))

    async def move(self, entry_id: EntryId, *, after: EntryId | None) -> Ack:
        """Put an entry behind another one, or first with `after=None`."""
        return await self.command(QueueMove(entry_id=entry_id, after=after))

    async def play(self) -> Ack:
        """Go on where it was paused."""
        entry = self.snapshot.playback.entry
        return await self.command(PlaybackPlay(entry_id=entry.entry_id if entry else None))

    async def pause(self, entry_id: EntryId | None = None) -> Ack:
        """Pause the current entry, or the one you mean."""
        return await self.command(PlaybackPause(entry_id=entry_id or self._current()))

    async def seek(self, position_ms: float, *, entry_id: EntryId | None = None) -> Ack:
        """Go to a position in the current entry, or in the one you mean."""
        current = entry_id or self._current()
        return await self.command(PlaybackSeek(entry_id=current, position_ms=position_ms))

    async def next(self, entry_id: EntryId | None = None) -> Ack:
        """Leave the current entry, or the one you mean, and start the next."""
        return await self.command(PlaybackNext(entry_id=entry_id or self._current()))

    async def play_entry(self, entry_id: EntryId) -> Ack:
        """Start an entry of the queue now."""
        return await self.command(PlaybackPlayEntry(entry_id=entry_id))

    async def command(self, command: ClientCommand) -> Ack:
        """Give any command. Raises Rejected with the server's code, or Closed."""
        return await self._me.command(self.room_id, command)

    def signal(self, signal: RoomSignal) -> None:
        """Send a passing message to those present; lost if we are not connected."""
        self._me.signal(self.room_id, signal)

    async def leave(self) -> None:
        """Go, at once and for all to see."""
        self._me.leave(self.room_id)

    def events(self) -> AsyncIterator[RoomEvent]:
        """What happens from this call on, in order. Ends when the room is left.

        Where a reconnect brought a new snapshot, the events between are in it and not told.
        """
        reader = _Reader(self._over)
        self._readers.add(reader)
        return reader

    async def wait_for(self, predicate: Callable[["Room"], T], *, within_ms: int = 10_000) -> T:
        """Wait until `predicate(room)` is true, looking after every change; give back its value.

        Raises TimeoutError after `within_ms`.
        """
        async with asyncio.timeout(within_ms / 1_000):
            while not (value := predicate(self)):
                if self._over is not None:
                    raise self._over
                if self._changed is None:
                    self._changed = asyncio.get_running_loop().create_future()
                # Others may wait for the same change: whoever gives up must not take it away.
                await asyncio.shield(self._changed)
            return value

    def happened(self, events: list[RoomEvent]) -> None:
        """The driver's: something changed, by these events or otherwise."""
        for reader in self._readers:
            reader.feed(events)
        changed, self._changed = self._changed, None
        if changed is not None:
            changed.set_result(None)

    def end(self, why: Exception | None) -> None:
        """The driver's: nothing more will come; `why` is what waiting calls raise."""
        self._over = why or LookupError("The room was left.")
        for reader in self._readers:
            reader.end(why)
        self._readers.clear()
        self.happened([])

    def _current(self) -> EntryId:
        entry = self.snapshot.playback.entry
        # The server says what is wrong with "nothing": nothing_playing.
        return entry.entry_id if entry else "00000000-0000-0000-0000-000000000000"


class _Reader(AsyncIterator[RoomEvent]):
    """One `async for` over a room's events."""

    def __init__(self, over: Exception | None) -> None:
        self._waiting: deque[RoomEvent] = deque()
        self._fed = asyncio.Event()
        self._why: Exception | None = over
        self._ended = over is not None

    def feed(self, events: list[RoomEvent]) -> None:
        self._waiting.extend(events)
        if len(self._waiting) > EVENTS_KEPT:
            self._waiting.clear()
            self.end(LookupError(f"More than {EVENTS_KEPT} events were not read."))
        self._fed.set()

    def end(self, why: Exception | None) -> None:
        self._why, self._ended = why, True
        self._fed.set()

    async def __anext__(self) -> RoomEvent:
        while not self._waiting:
            if self._ended:
                raise self._why or StopAsyncIteration
            self._fed.clear()
            await self._fed.wait()
        return self._waiting.popleft()
