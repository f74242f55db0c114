"""A room in a bot's hands: what is known of it, and the commands as methods."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

from msgspec import UNSET, UnsetType

from protocol.bot_events import Events
from protocol.bot_listener import Listener
from protocol.catalog import ClientCommand, RoomSignal
from protocol.chat import ChatSend
from protocol.client_room import News, RoomCopy
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
from protocol.votes import VotesSkip

if TYPE_CHECKING:
    from protocol.bot import Bot

T = TypeVar("T")


class Room:
    """One joined room. Commands return the server's ack, or raise Rejected or Closed.

    Whatever a command did is in `snapshot` when its call returns. A call that is cancelled is not
    sent again, but may have been done.
    """

    def __init__(self, me: "Bot", copy: RoomCopy) -> None:
        self._me = me
        self._copy = copy
        self._changed: asyncio.Future[None] | None = None
        # A reader that nobody reads any more is not fed for ever.
        self._readers: WeakSet[Events] = WeakSet()
        self._listeners: WeakSet[Listener] = WeakSet()
        self._over: Exception | None = None
        self._why: Exception | None = None
        self._seq = self.snapshot.seq

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
        """The bot's own place in the room, with its role and mute as they are now."""
        return self._copy.you

    @property
    def present(self) -> dict[UserId, Person]:
        """Who is here (the first 200, if there are more)."""
        return self._copy.present

    @property
    def count(self) -> int:
        """How many are here."""
        return self._copy.count

    def position_ms(self) -> float:
        """Where the current track is at this moment."""
        return self.snapshot.playback.position_at(self._me.clock.now_ms())

    async def chat(self, content: str, *, reply_to: MessageId | None = None) -> Ack:
        """Say something."""
        return await self.do(ChatSend(content=content, reply_to=reply_to))

    async def add(self, track_id: TrackId, *, after: EntryId | UnsetType | None = UNSET) -> Ack:
        """Queue a track: at the end, behind `after`, or first with `after=None`."""
        return await self.do(QueueAdd(track_id=track_id, after=after))

    async def remove(self, entry_id: EntryId) -> Ack:
        """Take an entry out of the queue."""
        return await self.do(QueueRemove(entry_id=entry_id))

    async def move(self, entry_id: EntryId, *, after: EntryId | None) -> Ack:
        """Put an entry behind another one, or first with `after=None`."""
        return await self.do(QueueMove(entry_id=entry_id, after=after))

    async def play(self) -> Ack:
        """Go on where it was paused."""
        entry = self.snapshot.playback.entry
        return await self.do(PlaybackPlay(entry_id=entry.entry_id if entry else None))

    async def pause(self, entry_id: EntryId | None = None) -> Ack:
        """Pause the current entry, or the one you mean."""
        return await self.do(PlaybackPause(entry_id=entry_id or self._current()))

    async def seek(self, position_ms: float, *, entry_id: EntryId | None = None) -> Ack:
        """Go to a position in the current entry, or in the one you mean."""
        current = entry_id or self._current()
        return await self.do(PlaybackSeek(entry_id=current, position_ms=position_ms))

    async def next(self, entry_id: EntryId | None = None) -> Ack:
        """Leave the current entry, or the one you mean, and start the next."""
        return await self.do(PlaybackNext(entry_id=entry_id or self._current()))

    async def play_entry(self, entry_id: EntryId) -> Ack:
        """Start an entry of the queue now."""
        return await self.do(PlaybackPlayEntry(entry_id=entry_id))

    async def skip(self, entry_id: EntryId | None = None) -> Ack:
        """Vote for leaving the current entry, or the one you mean; who may skip does at once."""
        return await self.do(VotesSkip(entry_id=entry_id or self._current()))

    async def do(self, command: ClientCommand, *, patience_ms: float | None = None) -> Ack:
        """Give any command. Raises Rejected with the server's code, or Closed.

        What is refused with `rate_limited` or `unavailable` is tried again, each time after the
        wait that the server names, if that ends within `patience_ms` from now (`connect` has the
        default; 0: never).
        """
        return await self._me.do(self.room_id, command, patience_ms=patience_ms)

    def signal(self, signal: RoomSignal) -> None:
        """Send a passing message to those present; lost if we are not connected."""
        self._me.signal(self.room_id, signal)

    async def leave(self) -> None:
        """Go, at once and for all to see."""
        self._me.leave(self.room_id)

    def events(self) -> Events:
        """What happens from this call on, in order: every event of the log, once, and between
        them who `Came` and `Went`, what others `Signalled`, and `Resynced` where a snapshot came
        instead of the events since. Its `seq` is the number of the event given last.
        """
        events = Events(self._seq, over=self._over is not None, why=self._why)
        self._readers.add(events)
        return events

    def listen(self) -> Listener:
        """Somebody who hears the room's music, and tells which sample would sound when."""
        listener = Listener(self._me.clock)
        listener.follow(self._copy.snapshot)
        self._listeners.add(listener)
        return listener

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

    def happened(self, news: Iterable[tuple[int, News]]) -> None:
        """The driver's: something changed; `news` with the seq reached by each."""
        told = list(news)
        if told:
            self._seq = told[-1][0]
        for reader in self._readers:
            reader.feed(told)
        for listener in self._listeners:
            listener.follow(self._copy.snapshot)
        changed, self._changed = self._changed, None
        if changed is not None:
            changed.set_result(None)

    def end(self, why: Exception | None) -> None:
        """The driver's: nothing more will come; `why` is what reading and waiting raise."""
        self._why, self._over = why, why or LookupError("The room was left.")
        for reader in self._readers:
            reader.end(why)
        self._readers.clear()
        for listener in self._listeners:
            listener.follow(None)
        self._listeners.clear()
        self.happened([])

    def _current(self) -> EntryId:
        entry = self.snapshot.playback.entry
        # The server says what is wrong with "nothing": nothing_playing.
        return entry.entry_id if entry else "00000000-0000-0000-0000-000000000000"
