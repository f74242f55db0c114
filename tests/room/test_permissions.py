"""Who may do what: every command, for every grade, under every table that differs in one action.

The expectations are written here once more, from the reference, not taken from the rules.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import pytest

from protocol.catalog import ClientCommand, RoomCommand, SystemCommand
from protocol.chat import ChatDelete, ChatEdit, ChatReact, ChatSend
from protocol.errors import ErrorCode
from protocol.members import GivenRole, MemberSetRole
from protocol.moderation import MemberBan, MemberKick, MemberMute, MemberUnban, MemberUnmute
from protocol.owner import OwnerTransfer
from protocol.permissions import Action, Grade
from protocol.playback import (
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
)
from protocol.queue import QueueAdd, QueueClear, QueueMove, QueueRemove, QueueShuffle, QueueUndo
from protocol.reactions import ReactionSend
from protocol.rooms import RoomClose, RoomUpdate, SettingsChange
from protocol.slash import SlashRegister
from protocol.users import Person
from protocol.votes import VotesCast, VotesRetract, VotesSkip
from roomserver.room.room import DECIDE
from tests.room.party import ACTORS, EXAMPLES, TARGETS, Party
from tests.room.people import ANN, BOB, EVE, minutes, uid

ORDER: tuple[Grade, ...] = ("guest", "listener", "dj", "moderator", "owner")
DEFAULTS: dict[Action, Grade] = {
    "chat": "guest",
    "react": "guest",
    "vote": "guest",
    "add": "guest",
    "place": "guest",
    "arrange": "dj",
    "control": "guest",
    "skip": "guest",
    "moderate": "moderator",
    "ban": "moderator",
    "set_role": "moderator",
    "update": "owner",
}
SPEAKING = {"chat", "react", "vote"}
ABOUT_RIGHTS = {ErrorCode.NOT_ALLOWED, ErrorCode.OUTRANKED, ErrorCode.MUTED, ErrorCode.BANNED}


@dataclass
class Deed:
    """Something to do, and what it takes."""

    name: str
    make: Callable[[Party, Person], RoomCommand]
    takes: tuple[Action, ...] = ()
    on: Grade | Literal["oneself"] | None = None
    """The grade of the one to whom it is done."""
    gives: Grade | None = None
    only: tuple[Grade, ...] = ORDER
    """Who can do it at all, whatever the table says."""

    def refusal(self, grade: Grade, table: dict[Action, Grade]) -> ErrorCode | None:
        """Why somebody of a grade may not do it."""
        height = ORDER.index(grade)
        if any(height < ORDER.index(table[action]) for action in self.takes):
            return ErrorCode.NOT_ALLOWED
        if self.on is not None:
            theirs = grade if self.on == "oneself" else self.on
            if ORDER.index(theirs) >= height:
                return ErrorCode.OUTRANKED
        if self.gives is not None and ORDER.index(self.gives) >= height:
            return ErrorCode.OUTRANKED
        return None if grade in self.only else ErrorCode.NOT_ALLOWED


def simple(kind: type[RoomCommand], *takes: Action) -> Deed:
    return Deed(kind.__name__, lambda party, actor: EXAMPLES[kind](party), takes)


def tuning(what: str, *, only: tuple[Grade, ...] = ORDER, **change: Any) -> Deed:
    command = RoomUpdate(**change)
    return Deed(f"RoomUpdate of the {what}", lambda party, actor: command, ("update",), only=only)


def other(actor: Person) -> str:
    """Somebody else, who has an entry and has said something."""
    return (BOB if actor == ANN else ANN).user_id


def on_people(
    kind: type[MemberKick | MemberMute | MemberUnmute | MemberBan], takes: Action
) -> list[Deed]:
    def on(grade: Grade) -> Deed:
        command = kind(user_id=TARGETS[grade].user_id)
        return Deed(f"{kind.__name__} a {grade}", lambda party, actor: command, (takes,), on=grade)

    oneself = Deed(
        f"{kind.__name__} oneself",
        lambda party, actor: kind(user_id=actor.user_id),
        (takes,),
        on="oneself",
    )
    return [on(grade) for grade in ORDER] + [oneself]


def giving(role: GivenRole, on: Grade) -> Deed:
    command = MemberSetRole(user_id=TARGETS[on].user_id, role=role)
    name = f"MemberSetRole of a {on} to {role}"
    return Deed(name, lambda party, actor: command, ("set_role",), on=on, gives=role)


OWNER: tuple[Grade, ...] = ("owner",)
DEEDS = [
    tuning("name", name="Cellar"),
    tuning("settings", settings=SettingsChange(repeat="all")),
    tuning("visibility", only=OWNER, visibility="private"),
    tuning("table", only=OWNER, settings=SettingsChange(permissions={"skip": "dj"})),
    Deed("RoomClose", lambda party, actor: RoomClose(), only=OWNER),
    Deed("OwnerTransfer", lambda party, actor: EXAMPLES[OwnerTransfer](party), only=OWNER),
    *(giving(role, on) for role in get_args(GivenRole) for on in ORDER),
    Deed(
        "MemberSetRole of oneself",
        lambda party, actor: MemberSetRole(user_id=actor.user_id, role="listener"),
        ("set_role",),
        on="oneself",
    ),
    *on_people(MemberKick, "moderate"),
    *on_people(MemberMute, "moderate"),
    *on_people(MemberUnmute, "moderate"),
    *on_people(MemberBan, "ban"),
    simple(MemberUnban, "ban"),
    simple(QueueAdd, "add"),
    Deed(
        "QueueAdd in a place",
        lambda party, actor: QueueAdd(track_id=uid(0x7004), after=party.bobs),
        ("add", "place"),
    ),
    Deed(
        "QueueRemove of one's own",
        lambda party, actor: QueueRemove(entry_id=party.entries[actor.user_id]),
        ("add",),
    ),
    Deed(
        "QueueRemove of somebody's",
        lambda party, actor: QueueRemove(entry_id=party.entries[other(actor)]),
        ("arrange",),
    ),
    Deed(
        "QueueMove of one's own",
        lambda party, actor: QueueMove(entry_id=party.entries[actor.user_id], after=None),
        ("place",),
    ),
    Deed(
        "QueueMove of somebody's",
        lambda party, actor: QueueMove(entry_id=party.entries[other(actor)], after=None),
        ("arrange",),
    ),
    simple(QueueClear, "arrange"),
    simple(QueueShuffle, "arrange"),
    # Ann was the last to add, so it is somebody else's change for all but her, who may everything.
    Deed("QueueUndo of somebody's", lambda party, actor: QueueUndo(), ("arrange",)),
    simple(VotesCast, "vote"),
    simple(VotesRetract, "vote"),
    simple(VotesSkip, "vote"),
    simple(PlaybackPlay, "control"),
    simple(PlaybackPause, "control"),
    simple(PlaybackSeek, "control"),
    simple(PlaybackNext, "skip"),
    simple(PlaybackPlayEntry, "skip"),
    simple(ChatSend, "chat"),
    Deed(
        "ChatEdit of one's own",
        lambda party, actor: ChatEdit(message_id=party.said[actor.user_id], content="hm"),
        ("chat",),
    ),
    Deed(
        "ChatEdit of somebody's",
        lambda party, actor: ChatEdit(message_id=party.said[other(actor)], content="hm"),
        only=(),
    ),
    Deed(
        "ChatDelete of one's own",
        lambda party, actor: ChatDelete(message_id=party.said[actor.user_id]),
    ),
    Deed(
        "ChatDelete of somebody's",
        lambda party, actor: ChatDelete(message_id=party.said[other(actor)]),
        ("moderate",),
    ),
    simple(ChatReact, "react"),
    simple(ReactionSend, "react"),
    # Nobody of them is a bot.
    Deed(
        "SlashRegister",
        lambda party, actor: EXAMPLES[SlashRegister](party),
        ("chat",),
        only=(),
    ),
]


@pytest.fixture(scope="module")
def party() -> Party:
    """Nothing is done in it but changing the table: everything else is only weighed."""
    return Party()


def set_table(party: Party, table: dict[Action, Grade]) -> None:
    party.scene.do(ANN, RoomUpdate(settings=SettingsChange(permissions=table)))


def right_to(party: Party, actor: Person, deed: Deed) -> ErrorCode | None:
    """What stands in the way as to rights; other reasons do not matter here."""
    code = party.weigh(actor, deed.make(party, actor))
    return code if code in ABOUT_RIGHTS else None


def compare(party: Party, table: dict[Action, Grade]) -> None:
    set_table(party, table)
    for deed in DEEDS:
        for grade, actor in ACTORS.items():
            expected = deed.refusal(grade, table)
            assert right_to(party, actor, deed) == expected, (deed.name, grade, table)


def test_every_command_and_every_action_is_tried() -> None:
    ann = Party()
    tried = {type(deed.make(ann, ANN)) for deed in DEEDS}
    assert tried == set(get_args(ClientCommand)) == set(EXAMPLES) - set(get_args(SystemCommand))
    assert {action for deed in DEEDS for action in deed.takes} == set(get_args(Action))
    assert set(DECIDE) == set(EXAMPLES) == set(get_args(RoomCommand))


def test_each_grade_may_do_what_the_table_says(party: Party) -> None:
    compare(party, DEFAULTS)


@pytest.mark.parametrize("grade", ORDER)
@pytest.mark.parametrize("action", get_args(Action))
def test_an_action_is_given_to_and_taken_from_a_grade(
    party: Party, action: Action, grade: Grade
) -> None:
    compare(party, DEFAULTS | {action: grade})


def test_a_room_may_give_everything_away_but_the_owners_own(party: Party) -> None:
    compare(party, dict.fromkeys(DEFAULTS, "guest"))


def test_no_table_locks_the_owner_out(party: Party) -> None:
    compare(party, dict.fromkeys(DEFAULTS, "owner"))
    set_table(party, DEFAULTS)
    compare(party, DEFAULTS)


def test_a_mute_takes_away_chat_reactions_and_votes_and_nothing_else(party: Party) -> None:
    set_table(party, DEFAULTS)
    for grade, actor in ACTORS.items():
        if grade == "owner":
            continue
        party.scene.do(ANN, MemberMute(user_id=actor.user_id, duration_ms=5_000))
        for deed in DEEDS:
            expected = deed.refusal(grade, DEFAULTS)
            if SPEAKING & set(deed.takes):
                expected = ErrorCode.MUTED
            assert right_to(party, actor, deed) == expected, (deed.name, grade)
    party.scene.advance(5_000)
    compare(party, DEFAULTS)


def test_a_banned_person_may_do_nothing_until_the_ban_is_over() -> None:
    party = Party()
    for grade in ORDER[:-1]:
        actor = ACTORS[grade]
        party.scene.do(ANN, MemberBan(user_id=actor.user_id, duration_ms=5_000))
        for deed in DEEDS:
            assert right_to(party, actor, deed) == ErrorCode.BANNED, (deed.name, grade)
    party.scene.advance(5_000)
    # With the place the role is gone.
    for deed in DEEDS:
        for grade in ("moderator", "dj", "listener"):
            expected = deed.refusal("listener", DEFAULTS)
            assert right_to(party, ACTORS[grade], deed) == expected, (deed.name, grade)


def test_in_the_mode_djs_only_djs_and_those_above_add(party: Party) -> None:
    add = next(deed for deed in DEEDS if deed.name == "QueueAdd")
    set_table(party, DEFAULTS)
    party.scene.do(ANN, RoomUpdate(settings=SettingsChange(queue_mode="djs")))
    for grade, actor in ACTORS.items():
        expected = add.refusal(grade, DEFAULTS | {"add": "dj"})
        assert right_to(party, actor, add) == expected, grade
    set_table(party, DEFAULTS | {"add": "moderator"})
    assert right_to(party, ACTORS["dj"], add) == ErrorCode.NOT_ALLOWED
    party.scene.do(ANN, RoomUpdate(settings=SettingsChange(queue_mode="open")))


@pytest.mark.parametrize("kind", get_args(SystemCommand), ids=lambda kind: kind.__name__)
def test_what_the_home_does_nobody_else_does(party: Party, kind: type[RoomCommand]) -> None:
    set_table(party, dict.fromkeys(DEFAULTS, "guest"))
    pretender = Person(user_id=uid(0x666), display_name="Unisono", kind="bot")
    for actor in (*ACTORS.values(), pretender):
        assert party.weigh(actor, EXAMPLES[kind](party)) == ErrorCode.NOT_ALLOWED


def test_ones_own_change_is_undone_with_the_right_to_add_and_anybodys_to_arrange() -> None:
    party = Party()
    listener, dj = ACTORS["listener"], ACTORS["dj"]
    party.scene.add(listener, minutes(3, 77))
    assert party.weigh(listener, QueueUndo()) is None
    assert party.weigh(dj, QueueUndo()) is None
    assert party.weigh(ACTORS["guest"], QueueUndo()) == ErrorCode.NOT_ALLOWED
    set_table(party, DEFAULTS | {"add": "moderator"})
    assert party.weigh(listener, QueueUndo()) == ErrorCode.NOT_ALLOWED
    assert party.weigh(dj, QueueUndo()) is None


def test_calling_oneself_ann_gives_no_rights(party: Party) -> None:
    set_table(party, DEFAULTS)
    pretender = Person(user_id=EVE.user_id, display_name=ANN.display_name)
    assert party.weigh(pretender, RoomClose()) == ErrorCode.NOT_ALLOWED


def test_somebody_whom_the_room_does_not_know_is_a_listener_or_a_guest(party: Party) -> None:
    set_table(party, DEFAULTS | {"chat": "listener"})
    stranger = Person(user_id=uid(0x777), display_name="Sid")
    guest = Person(user_id=uid(0x778), display_name="Gil", kind="guest")
    assert party.weigh(stranger, ChatSend(content="hi")) is None
    assert party.weigh(guest, ChatSend(content="hi")) == ErrorCode.NOT_ALLOWED
