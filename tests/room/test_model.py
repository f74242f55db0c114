"""Whatever happens in whatever order, the room and a small independent model of it agree.

A run is fifty steps of a few people, a guest and a bot: commands of all kinds, time that passes,
people who come and go, and a crash now and then, after which the room is loaded from what was
stored. The model (`model.py`) tells after each step what the room must show or why it refused.
"""

from typing import get_args

from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from protocol.catalog import RoomCommand
from protocol.chat import ChatDelete, ChatEdit, ChatReact, ChatSend
from protocol.errors import ErrorCode
from protocol.members import GivenRole, MemberAdd, MemberRemove, MemberSetRole
from protocol.moderation import MemberBan, MemberKick, MemberMute, MemberUnban, MemberUnmute
from protocol.owner import OwnerSucceed, OwnerTransfer
from protocol.permissions import GRADES, Action, Grade
from protocol.reactions import ReactionsCount, ReactionSend
from protocol.rooms import (
    Duplicates,
    QueueMode,
    Repeat,
    RoomClose,
    RoomRelock,
    RoomUpdate,
    SettingsChange,
    Wake,
)
from protocol.slash import SlashOffer, SlashRegister
from protocol.tracks import TrackGone
from protocol.users import Person
from roomserver.room.context import SYSTEM
from tests.room.model_machine import LATE, MusicAndModel, is_talk, people, which, whoever
from tests.room.people import ANN, BOB, EVE, ROB, VIC, uid

SEEDS = 20
"""Runs of one seed are much alike."""
RUNS = settings(
    max_examples=15,
    stateful_step_count=50,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class RoomAndModel(MusicAndModel):
    """The rest: how an evening begins, what is said, the room and its people."""

    @initialize(
        present=st.sampled_from((0, 2, 4, 4)),
        entries=st.integers(0, 6),
        loaded=st.sampled_from((True, True, False)),
        mode=st.sampled_from(get_args(QueueMode)),
        skip=st.sampled_from(("guest", "moderator")),
        place=st.sampled_from(("guest", "dj")),
        silent=st.booleans(),
    )
    def an_evening_begins(
        self,
        present: int,
        entries: int,
        loaded: bool,
        mode: QueueMode,
        skip: Grade,
        place: Grade,
        silent: bool,
    ) -> None:
        """Much of what a room can be is there from the start."""
        if present:
            self.somebody_comes(present)
        self.a_role_is_given(None, EVE, "moderator")
        for number in range(entries):
            length = (48_000 * 90 + 11, 48_000 * 2 + 17)[number % 2]
            self.add((ANN, BOB, EVE)[number % 3], length, number, loaded)
        self.choose_a_mode(None, mode)
        self.change_the_table("skip", skip)
        self.change_the_table("place", place)
        if silent:
            self.mute(None, EVE, 60_000)

    # -- what is said --------------------------------------------------------------------------

    @rule(actor=people, answers=st.booleans())
    def say(self, actor: Person, answers: bool) -> None:
        self.do(actor, ChatSend(content="la", reply_to=self.said(1) if answers else None))

    @precondition(is_talk)
    @rule(actor=people, index=which, own=st.booleans())
    def edit_or_delete(self, actor: Person, index: int, own: bool) -> None:
        message = self.scene.room.public.chat[-1 - index % len(self.scene.room.public.chat)]
        edit = ChatEdit(message_id=message.message_id, content=f"la {index}")
        delete = ChatDelete(message_id=message.message_id)
        self.do(message.by if own else actor, edit if index % 2 else delete)

    @precondition(is_talk)
    @rule(actor=people, index=which, on=st.booleans())
    def react(self, actor: Person, index: int, on: bool) -> None:
        self.do(actor, ChatReact(message_id=self.said(index), emoji="🔥", on=on))

    @rule(actor=people)
    def react_to_the_music(self, actor: Person) -> None:
        self.do(actor, ReactionSend(emoji="🎉"))
        self.do(SYSTEM, ReactionsCount(counts={"🎉": 3}))

    @rule(
        actor=st.sampled_from((ROB, ROB, VIC, BOB)),
        first=st.integers(0, 3),
        count=st.sampled_from((0, 1, 2, 50)),
    )
    def offer_slash_commands(self, actor: Person, first: int, count: int) -> None:
        names = [f"c{first + number % 49}" for number in range(count)]
        offers = [SlashOffer(name=name, description="Dance") for name in names]
        self.do(actor, SlashRegister(commands=offers))

    # -- the room ------------------------------------------------------------------------------

    @rule(actor=whoever, repeat=st.sampled_from(get_args(Repeat)), always_on=st.booleans())
    def tune(self, actor: Person | None, repeat: Repeat, always_on: bool) -> None:
        change = SettingsChange(repeat=repeat, always_on=always_on)
        self.do(actor, RoomUpdate(settings=change))

    @rule(actor=whoever, mode=st.sampled_from(get_args(QueueMode)))
    def choose_a_mode(self, actor: Person | None, mode: QueueMode) -> None:
        self.do(actor, RoomUpdate(settings=SettingsChange(queue_mode=mode)))

    @precondition(lambda machine: machine.scene.room.public.queue)
    @rule(index=which)
    def a_track_is_deleted(self, index: int) -> None:
        public = self.scene.room.public
        heard = [*public.queue, public.playback.entry or public.queue[0]]
        gone = heard[-1 - index % len(heard)]
        self.do(SYSTEM, TrackGone(track_id=gone.track.track_id))

    @rule(
        limit=st.sampled_from((3, 500)),
        each=st.sampled_from((None, 1, 2)),
        duplicates=st.sampled_from(get_args(Duplicates)),
        share=st.sampled_from((0.05, 0.5, 1.0)),
    )
    def limit(self, limit: int, each: int | None, duplicates: Duplicates, share: float) -> None:
        change = SettingsChange(
            queue_limit=limit, entries_per_person=each, duplicates=duplicates, skip_share=share
        )
        self.do(None, RoomUpdate(settings=change))

    # -- the people ----------------------------------------------------------------------------

    @rule(person=people)
    def a_place_is_given(self, person: Person) -> None:
        self.do(SYSTEM, MemberAdd(person=person))

    @rule(person=people)
    def a_place_is_given_up(self, person: Person) -> None:
        self.do(SYSTEM, MemberRemove(user_id=person.user_id))

    @rule(actor=whoever, person=people, role=st.sampled_from(("moderator", "dj", "listener")))
    def a_role_is_given(self, actor: Person | None, person: Person, role: GivenRole) -> None:
        self.do(actor, MemberSetRole(user_id=person.user_id, role=role))

    @rule(actor=whoever, person=people)
    def kick(self, actor: Person | None, person: Person) -> None:
        self.do(actor, MemberKick(user_id=person.user_id))

    @rule(actor=whoever, person=people, duration_ms=st.sampled_from((None, 1_000, 60_000)))
    def mute(self, actor: Person | None, person: Person, duration_ms: int | None) -> None:
        self.do(actor, MemberMute(user_id=person.user_id, duration_ms=duration_ms))

    @rule(actor=whoever, person=people, duration_ms=st.sampled_from((None, 1_000, 60_000)))
    def ban(self, actor: Person | None, person: Person, duration_ms: int | None) -> None:
        command = MemberBan(
            user_id=person.user_id, duration_ms=duration_ms, by_address=duration_ms is None
        )
        self.do(actor, command)

    @rule(actor=whoever, person=people)
    def let_speak_and_let_in(self, actor: Person | None, person: Person) -> None:
        self.do(actor, MemberUnmute(user_id=person.user_id))
        self.do(actor, MemberUnban(user_id=person.user_id))

    @precondition(lambda machine: machine.steps > LATE)
    @rule(actor=whoever)
    def name_a_stranger(self, actor: Person | None) -> None:
        for command in (
            MemberSetRole(user_id=uid(3), role="dj"),
            MemberKick(user_id=uid(3)),
            MemberMute(user_id=uid(3)),
            MemberBan(user_id=uid(3)),
            OwnerTransfer(user_id=uid(3)),
        ):
            assert self.do(actor, command) is not None

    @rule(actor=whoever, person=people)
    def hand_over(self, actor: Person | None, person: Person) -> None:
        self.do(actor, OwnerTransfer(user_id=person.user_id))

    @rule(chance=st.integers(0, 9))
    def the_owner_is_gone(self, chance: int) -> None:
        deleted = chance == 0
        command = OwnerSucceed(reason="account_deleted" if deleted else "absent")
        self.do(SYSTEM, command)

    @rule(action=st.sampled_from(get_args(Action)), grade=st.sampled_from(GRADES))
    def change_the_table(self, action: Action, grade: Grade) -> None:
        self.do(None, RoomUpdate(settings=SettingsChange(permissions={action: grade})))

    @precondition(lambda machine: machine.steps > LATE)
    @rule(actor=whoever, chance=st.integers(0, 3))
    def close(self, actor: Person | None, chance: int) -> None:
        if chance == 3:
            self.do(actor, RoomClose())


def test_the_room_does_what_the_model_does() -> None:
    outcomes: set[tuple[type[RoomCommand], ErrorCode | None]] = set()
    for number in range(SEEDS):

        class Counted(RoomAndModel):
            def teardown(self) -> None:
                outcomes.update(self.outcomes)

        run_state_machine_as_test(seed(number)(Counted), settings=RUNS)
    done = {command for command, code in outcomes if code is None}
    # What the home hears alone changes no room, and waking comes by itself.
    assert done | {Wake, RoomRelock} == set(get_args(RoomCommand)), "the runs leave a command out"
