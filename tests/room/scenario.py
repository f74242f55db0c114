"""The harness of every room test: drives `Room.apply` and checks the promises each time.

After each command:
1. the encoded and decoded public events, folded onto the last snapshot, give the new one;
2. a stored snapshot and the later rows, both halves, give the live state;
3. a refused command has changed neither half, and had said that it may be refused so;
4. nothing is left to follow by itself, and `seq` has no gap.
"""

from math import ceil

import pytest

from protocol.catalog import RoomCommand, RoomEvent
from protocol.codec import decode_event, decode_snapshot, encode
from protocol.errors import ErrorCode, Rejected
from protocol.fold import fold
from protocol.playback import LoadingDone, Playback, PlaybackNext, PlaybackPause, PlaybackSeek
from protocol.queue import QueueAdd
from protocol.rooms import Room as RoomRow
from protocol.rooms import RoomResume, RoomSettings, Wake
from protocol.snapshot import new_room
from protocol.tracks import Track
from protocol.users import Person
from roomserver.room.context import SYSTEM, Context
from roomserver.room.private import decode_fact, decode_private, encode_private
from roomserver.room.recording import Recorder
from roomserver.room.room import Room, settle
from roomserver.room.state import Step
from tests.room.invariants import Plays, check_snapshot
from tests.room.lookups import Lookups, somebody
from tests.room.people import ANN, uid
from tests.room.refusals import check_promised

NOON_MS = 1_790_000_000_000
ROWS_TO_LOAD = 32
"""A stored snapshot is made anew behind so many rows, as the home does."""


class Scenario:
    """A room of Ann's, a clock that the test moves, and everything that happened."""

    def __init__(self, settings: RoomSettings | None = None, *, present: int = 1) -> None:
        """The room is awake if anybody is present, as the home would have it."""
        row = RoomRow(
            room_id=uid(0x900),
            name="Kitchen",
            owner_id=ANN.user_id,
            settings=settings or RoomSettings(),
        )
        self.room = Room(new_room(row, uid(0x11), ANN, NOON_MS))
        self.now_ms = NOON_MS
        self.lead_ms = 250
        self.lookups = Lookups()
        self.present = present
        self.log: list[RoomEvent] = []
        self.plays = Plays()
        self._recorder = Recorder(self.room)
        self._stored = self._halves()
        self._rows: list[tuple[bytes, bytes | None]] = []
        if present and self.room.public.suspended:
            self.system(RoomResume())

    @property
    def here(self) -> set[Person]:
        """Who is here; the test lets people come and go by changing it."""
        return self.lookups.here

    @property
    def present(self) -> int:
        """How many people are here. Setting it: Ann, Bob, Eve, Dan and strangers, so many."""
        return self.lookups.present

    @present.setter
    def present(self, count: int) -> None:
        self.lookups.here = {somebody(number) for number in range(count)}

    @property
    def playback(self) -> Playback:
        """Where the music is."""
        return self.room.public.playback

    @property
    def queued(self) -> list[str]:
        """The names of the waiting entries."""
        return [entry.entry_id for entry in self.room.public.queue]

    @property
    def current(self) -> str:
        """The name of the current entry."""
        assert self.playback.entry is not None
        return self.playback.entry.entry_id

    def do(
        self, actor: Person, command: RoomCommand, *, track: Track | None = None
    ) -> list[RoomEvent]:
        """Let somebody do something; the overdue wakes come first, as in the home."""
        self._wake()
        self.lookups.accounts.setdefault(actor.user_id, actor)
        return self._apply(command, self.context(actor, command, track=track))

    def system(self, command: RoomCommand) -> list[RoomEvent]:
        """Let the home do something."""
        return self.do(SYSTEM, command)

    def outcome(
        self, actor: Person, command: RoomCommand, *, track: Track | None = None
    ) -> ErrorCode | None:
        """Let somebody try it; the code of the refusal, or None."""
        try:
            self.do(actor, command, track=track)
        except Rejected as refusal:
            return refusal.code
        return None

    def refuses(
        self, code: ErrorCode, actor: Person, command: RoomCommand, *, track: Track | None = None
    ) -> Rejected:
        """Let somebody try what must be refused with this code."""
        with pytest.raises(Rejected) as caught:
            self.do(actor, command, track=track)
        assert caught.value.code == code
        return caught.value

    def add(self, actor: Person, track: Track, **where: str | None) -> str:
        """Queue a track; `after` says where. Returns the new entry's name."""
        command = QueueAdd(track_id=track.track_id, **where)
        added = self.do(actor, command, track=track)[0]
        return added.entry.entry_id  # type: ignore[union-attr]

    def loaded(self, missing: list[str] | None = None) -> list[RoomEvent]:
        """Everybody but `missing` has loaded the entry that is waited for."""
        return self.system(LoadingDone(entry_id=self.current, missing=missing or []))

    def pause(self, actor: Person = ANN) -> list[RoomEvent]:
        """Pause what plays."""
        return self.do(actor, PlaybackPause(entry_id=self.current))

    def seek(self, position_ms: float, actor: Person = ANN) -> list[RoomEvent]:
        """Seek in what plays."""
        return self.do(actor, PlaybackSeek(entry_id=self.current, position_ms=position_ms))

    def next(self, actor: Person = ANN) -> list[RoomEvent]:
        """Skip what plays."""
        return self.do(actor, PlaybackNext(entry_id=self.current))

    def advance(self, ms: int) -> list[RoomEvent]:
        """Let time pass: every wake that falls due comes at its own instant."""
        self.now_ms += ms
        return self._wake()

    def reload(self) -> None:
        """The server dies, and the room is loaded from what was stored of both halves."""
        public, private = self._halves()
        self.room = Room(decode_snapshot(public), decode_private(private))
        self._recorder.room = self.room

    def recording(self) -> bytes:
        """Everything that was done, to be replayed."""
        return self._recorder.finish()

    def context(
        self,
        actor: Person,
        command: RoomCommand | None = None,
        *,
        now_ms: int | None = None,
        track: Track | None = None,
    ) -> Context:
        """What the home would tell the room with a command."""
        at_ms = self.now_ms if now_ms is None else now_ms
        return self.lookups.context(self.room, actor, command, at_ms, self.lead_ms, track)

    def _wake(self) -> list[RoomEvent]:
        events = []
        while (due_ms := self.room.next_wake()) is not None and due_ms <= self.now_ms:
            woken = self._apply(Wake(), self.context(SYSTEM, Wake(), now_ms=ceil(due_ms)))
            assert woken, "a wake that is due does something"
            events += woken
        return events

    def _halves(self) -> tuple[bytes, bytes]:
        return encode(self.room.public), encode_private(self.room.private)

    def _apply(self, command: RoomCommand, context: Context) -> list[RoomEvent]:
        before = self._halves()
        seq = self.room.public.seq
        try:
            steps = self._recorder.apply(command, context)
        except Rejected as refusal:
            assert self._halves() == before, "a refused command changed the room"
            check_promised(command, refusal)
            raise
        assert self.room.public.seq == seq + len(steps)
        assert settle(self.room.state, context) == [], "the room has not settled"
        self._check_fold(before[0], steps)
        self._check_load(steps)
        check_snapshot(self.room.public)
        events = [step.event for step in steps]
        for event in events:
            assert event.at_ms == context.now_ms
            self.plays.follow(event)
            self.lookups.follow(event)
        self.plays.check(self.room.public)
        self.log += events
        return events

    def _check_fold(self, before: bytes, steps: list[Step]) -> None:
        copy = decode_snapshot(before)
        for step in steps:
            fold(copy, decode_event(encode(step.event)))
        assert encode(copy) == encode(self.room.public), "a client's copy is another"

    def _check_load(self, steps: list[Step]) -> None:
        self._rows += [
            (encode(step.event), None if step.private is None else encode_private(step.private))
            for step in steps
        ]
        public, private = self._stored
        loaded = Room(decode_snapshot(public), decode_private(private))
        for event, fact in self._rows:
            loaded.replay(Step(decode_event(event), None if fact is None else decode_fact(fact)))
        halves = self._halves()
        assert (encode(loaded.public), encode_private(loaded.private)) == halves, (
            "the loaded room is another"
        )
        if len(self._rows) > ROWS_TO_LOAD:
            self._stored, self._rows = halves, []
