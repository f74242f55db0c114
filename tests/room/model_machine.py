"""The machine that does everything to a room and to the model of it: harness, time, the music."""

from math import ceil
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
)

from protocol.catalog import RoomCommand
from protocol.chat import ChatDelete, ChatEdit, ChatReact
from protocol.errors import ErrorCode
from protocol.playback import (
    LoadingDone,
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
)
from protocol.queue import QueueAdd, QueueClear, QueueMove, QueueRemove, QueueShuffle, QueueUndo
from protocol.rooms import (
    RoomResume,
    RoomSuspend,
)
from protocol.users import Person
from protocol.votes import VotesCast, VotesCount, VotesRetract, VotesSkip
from roomserver.room.context import SYSTEM
from tests.room.model import Model
from tests.room.model_rules import do
from tests.room.people import ANN, BOB, DAN, EVE, ROB, track, uid
from tests.room.scenario import NOON_MS, Scenario

people = st.sampled_from((ANN, BOB, EVE, DAN, ROB))
whoever = st.sampled_from((None, None, ANN, EVE, DAN, BOB, ROB))
"""None is the owner."""
crowds = st.sampled_from(((BOB,), (DAN, ROB), (EVE, BOB, DAN)))
which = st.integers(0, 5)
lengths = st.sampled_from((4_800, 48_000 * 2 + 17, 48_000 * 20 + 1, 48_000 * 90 + 11))
positions = st.sampled_from((0.0, 1_000.25, 19_999.9, 80_000.0, 500_000.0))


LATE = 30
"""Behind so many commands somebody may close the room."""


def waits(machine: "MusicAndModel") -> bool:
    return bool(machine.scene.queued)


def is_current(machine: "MusicAndModel") -> bool:
    return machine.scene.playback.entry is not None


def is_talk(machine: "MusicAndModel") -> bool:
    return bool(machine.scene.room.public.chat)


class MusicAndModel(RuleBasedStateMachine):
    """Does everything twice."""

    def __init__(self) -> None:
        super().__init__()
        self.scene = Scenario(present=0)
        self.model = Model(ANN, NOON_MS, self.scene.lookups.accounts)
        self.steps = 0
        self.outcomes: set[tuple[type[RoomCommand], ErrorCode | None]] = set()

    def do(self, actor: Person | None, command: RoomCommand, **told: Any) -> ErrorCode | None:
        """Do it in both; they agree on the outcome and on what is shown then."""
        actor = actor or self.scene.lookups.accounts[self.scene.room.public.room.owner_id]
        self.steps += 1
        context = self.scene.context(actor, command, **told)
        code = self.scene.outcome(actor, command, **told)
        reasons = do(self.model, command, context, self.scene.room.public)
        assert code in reasons if code else not reasons, (command, code, reasons)
        self.agree()
        self.outcomes.add((type(command), code))
        return code

    def agree(self) -> None:
        """They show the same."""
        self.model.check(self.scene.room.public, self.scene.now_ms)
        assert self.scene.room.private.members == self.model.people.since

    def waiting(self, index: int) -> str:
        """One of the waiting entries, or none that there is."""
        queue = self.scene.queued
        return queue[index % len(queue)] if queue else uid(1)

    def current(self) -> str:
        """The current entry, or none that there is."""
        entry = self.scene.playback.entry
        return entry.entry_id if entry else uid(1)

    def said(self, index: int) -> str:
        """One of the last messages, or none that there is."""
        chat = self.scene.room.public.chat
        return chat[-1 - index % len(chat)].message_id if chat else uid(1)

    def place(self, index: int) -> str | None:
        """Behind what something may be put."""
        return (None, self.current(), self.waiting(0), self.waiting(index), uid(2))[index % 5]

    # -- the world -----------------------------------------------------------------------------

    @rule(ms=st.sampled_from((1, 250, 1_000, 3_000, 17_000, 61_000)))
    def time_passes(self, ms: int) -> None:
        until_ms = self.scene.now_ms + ms
        while self.scene.now_ms < until_ms:
            due_ms = self.scene.room.next_wake() or until_ms
            self.scene.advance(max(1, min(ceil(due_ms), until_ms) - self.scene.now_ms))
            self.model.shown = self.scene.room.public
            self.model.pass_time(self.scene.now_ms, self.scene.context(SYSTEM))
            self.agree()

    @precondition(is_current)
    @rule(before_ms=st.sampled_from((0, 1, 200, 390, 1_400, 4_000)))
    def the_music_is_almost_over(self, before_ms: int) -> None:
        end_ms = self.scene.playback.ends_at_ms()
        if end_ms is not None and end_ms > self.scene.now_ms:
            self.time_passes(max(1, int(end_ms) - self.scene.now_ms - before_ms))

    @rule(lead_ms=st.sampled_from((250, 400, 1_500)))
    def links_get_better_or_worse(self, lead_ms: int) -> None:
        self.scene.lead_ms = lead_ms

    @rule(count=st.sampled_from((1, 2, 4)))
    def somebody_comes(self, count: int) -> None:
        self.scene.present = count
        if self.scene.room.public.suspended:
            self.do(SYSTEM, RoomResume())

    @precondition(lambda machine: machine.steps % 3 == 0)
    @rule(ago_ms=st.sampled_from((0, 1, 500, 59_999)))
    def everybody_has_left(self, ago_ms: int) -> None:
        self.scene.present = 0
        self.do(SYSTEM, RoomSuspend(vacant_since_ms=float(self.scene.now_ms - ago_ms)))

    @rule()
    def the_server_dies_and_the_room_is_loaded(self) -> None:
        self.scene.reload()
        self.agree()

    @precondition(is_current)
    @rule(missing=st.booleans())
    def people_have_loaded(self, missing: bool) -> None:
        absent = [EVE.user_id] if missing else []
        self.do(SYSTEM, LoadingDone(entry_id=self.current(), missing=absent))

    # -- the queue -----------------------------------------------------------------------------

    @rule(actor=people, length=lengths, number=which, loaded=st.booleans())
    def add(self, actor: Person, length: int, number: int, loaded: bool) -> None:
        self.do(actor, QueueAdd(track_id=uid(1)), track=track(length, number))
        if loaded:
            self.people_have_loaded(False)

    @rule(actor=people, length=lengths, index=which)
    def add_in_a_place(self, actor: Person, length: int, index: int) -> None:
        command = QueueAdd(track_id=uid(1), after=self.place(index))
        self.do(actor, command, track=track(length, index))

    @precondition(waits)
    @rule(actor=people, index=which)
    def remove(self, actor: Person, index: int) -> None:
        self.do(actor, QueueRemove(entry_id=self.waiting(index)))

    @precondition(waits)
    @rule(actor=people, index=which, after=which)
    def move(self, actor: Person, index: int, after: int) -> None:
        self.do(actor, QueueMove(entry_id=self.waiting(index), after=self.place(after)))

    @precondition(waits)
    @rule(actor=people)
    def clear(self, actor: Person) -> None:
        self.do(actor, QueueClear())

    @precondition(waits)
    @rule(actor=people, seed=which)
    def shuffle(self, actor: Person, seed: int) -> None:
        self.scene.lookups.seed = seed
        self.do(actor, QueueShuffle())

    @rule(actor=whoever)
    def undo(self, actor: Person | None) -> None:
        self.do(actor, QueueUndo())

    # -- votes ---------------------------------------------------------------------------------

    @precondition(waits)
    @rule(voters=crowds, index=which, on=st.sampled_from((True, True, False)))
    def vote(self, voters: tuple[Person, ...], index: int, on: bool) -> None:
        name = self.waiting(index)
        for voter in voters:
            self.do(voter, VotesCast(entry_id=name) if on else VotesRetract(entry_id=name))

    @precondition(is_current)
    @rule(voters=crowds, on=st.sampled_from((True, True, False)))
    def vote_to_skip(self, voters: tuple[Person, ...], on: bool) -> None:
        name = self.current()
        for voter in voters:
            self.do(voter, VotesSkip(entry_id=name) if on else VotesRetract(entry_id=name))

    @rule(person=people)
    def somebody_goes(self, person: Person) -> None:
        self.scene.here.discard(person)
        self.do(SYSTEM, VotesCount())

    @precondition(lambda machine: machine.steps > LATE)
    @rule(actor=people)
    def name_what_is_not_there(self, actor: Person) -> None:
        nothing = uid(3)
        for command in (
            QueueRemove(entry_id=nothing),
            QueueMove(entry_id=nothing, after=None),
            PlaybackPause(entry_id=nothing),
            PlaybackSeek(entry_id=nothing, position_ms=1.0),
            PlaybackNext(entry_id=nothing),
            PlaybackPlayEntry(entry_id=nothing),
            ChatEdit(message_id=nothing, content="la"),
            ChatDelete(message_id=nothing),
            ChatReact(message_id=nothing, emoji="🔥"),
            QueueAdd(track_id=uid(1)),
        ):
            assert self.do(actor, command) is not None

    # -- playback ------------------------------------------------------------------------------

    @rule(actor=people, named=st.booleans())
    def play(self, actor: Person, named: bool) -> None:
        self.do(actor, PlaybackPlay(entry_id=self.current() if named else None))

    @precondition(is_current)
    @rule(actor=people)
    def pause(self, actor: Person) -> None:
        self.do(actor, PlaybackPause(entry_id=self.current()))

    @precondition(is_current)
    @rule(actor=people, position_ms=positions)
    def seek(self, actor: Person, position_ms: float) -> None:
        self.do(actor, PlaybackSeek(entry_id=self.current(), position_ms=position_ms))

    @precondition(is_current)
    @rule(actor=people)
    def next(self, actor: Person) -> None:
        self.do(actor, PlaybackNext(entry_id=self.current()))

    @precondition(is_current)
    @rule(one=people, other=people)
    def two_skip_the_same(self, one: Person, other: Person) -> None:
        current = self.current()
        self.do(one, PlaybackNext(entry_id=current))
        self.do(other, PlaybackNext(entry_id=current))

    @precondition(waits)
    @rule(actor=people, index=which)
    def play_entry(self, actor: Person, index: int) -> None:
        self.do(actor, PlaybackPlayEntry(entry_id=self.waiting(index)))
