"""What the commands say of their refusals is what the room does, no more and no less.

More: here every promised refusal is brought about. Less: the harness lets no room test end in a
refusal that the command does not name (`tests/room/refusals.py`).
"""

from collections.abc import Callable
from typing import Any, Final, get_args

import pytest
from msgspec.structs import replace

from protocol.catalog import ClientCommand, RoomCommand
from protocol.chat import ChatDelete, ChatEdit, ChatReact, ChatSend
from protocol.errors import ErrorCode as E
from protocol.errors import Rejected
from protocol.members import MemberAdd, MemberRemove, MemberSetRole
from protocol.moderation import MemberBan, MemberKick, MemberMute, MemberUnmute
from protocol.owner import OwnerSucceed, OwnerTransfer
from protocol.permissions import Permissions
from protocol.playback import (
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
)
from protocol.queue import QueueAdd, QueueClear, QueueMove, QueueRemove, QueueShuffle, QueueUndo
from protocol.reactions import ReactionsCount, ReactionSend
from protocol.rooms import RoomClose, RoomUpdate, SettingsChange
from protocol.slash import COMMANDS_PER_BOT, SlashOffer, SlashRegister
from protocol.users import Person
from protocol.votes import VotesCast, VotesRetract, VotesSkip
from roomserver.room.context import SYSTEM
from tests.room.party import EXAMPLES, MEG, NOBODY, SKIP, TARGETS, Party
from tests.room.people import ANN, BOB, EVE, ROB, VIC, minutes, uid
from tests.room.refusals import AT_THE_DOOR, check_promised, documented, promised
from tests.room.scenario import Scenario

ADD: Final = QueueAdd(track_id=uid(0x7009))
ADD_FIRST: Final = QueueAdd(track_id=uid(0x7009), after=None)
MO: Final = TARGETS["moderator"].user_id


def tune(party: Party, **change: Any) -> Scenario:
    """With other settings."""
    party.scene.do(ANN, RoomUpdate(settings=SettingsChange(**change)))
    return party.scene


def near_end(party: Party) -> Scenario:
    """So near the end of the current entry that the next is as good as started."""
    ends_at_ms = party.scene.playback.ends_at_ms()
    assert ends_at_ms is not None
    party.scene.advance(int(ends_at_ms) - party.scene.now_ms - 100)
    return party.scene


def silent(party: Party) -> Scenario:
    """Nothing plays and nothing waits."""
    party.scene.do(ANN, QueueClear())
    party.scene.next()
    return party.scene


def paused(party: Party) -> Scenario:
    """The music rests."""
    party.scene.pause()
    party.scene.advance(1_000)
    return party.scene


def undone(party: Party) -> Scenario:
    """The last change has been taken back already."""
    party.scene.do(ANN, QueueUndo())
    return party.scene


def offer(party: Party, bot: Person, *commands: SlashOffer) -> E | None:
    """Let a bot register slash commands."""
    return party.scene.outcome(bot, SlashRegister(commands=list(commands)))


def crowded_with_bots(party: Party) -> E | None:
    """Four bots register as many as they may, and one that has been here before one more."""
    for number in range(4):
        bot = replace(ROB, user_id=uid(0xB07 + number))
        names = [f"{number}-{each}" for each in range(COMMANDS_PER_BOT)]
        offers = [SlashOffer(name=name, description="Dance") for name in names]
        assert offer(party, bot, *offers) is None
    return offer(party, VIC, SKIP)


def added_and_starting(party: Party) -> Scenario:
    """The last change is an entry that is as good as started."""
    party.scene.do(ANN, QueueClear())
    party.scene.add(ANN, minutes(1))
    return near_end(party)


def removed_and_full(party: Party) -> Scenario:
    """The last change is an entry that was taken out and has no room any more."""
    party.scene.do(ANN, QueueRemove(entry_id=party.bobs))
    return tune(party, queue_limit=len(party.entries) - 1)


def heir_gone(party: Party) -> E | None:
    """Whoever is to follow leaves while the home looks it up."""
    command = OwnerSucceed(reason="account_deleted")
    for person in (MEG, TARGETS["moderator"]):
        party.scene.system(MemberRemove(user_id=person.user_id))
    context = party.scene.context(SYSTEM, command)
    assert context.target is not None
    party.scene.system(MemberRemove(user_id=context.target.user_id))
    with pytest.raises(Rejected) as caught:
        party.scene.room.apply(command, context)
    check_promised(command, caught.value)
    return caught.value.code


RULES: Final[dict[tuple[type[RoomCommand], E], Callable[[Party], E | None]]] = {
    (RoomUpdate, E.BAD_REQUEST): lambda p: p.scene.outcome(ANN, RoomUpdate(name=" ")),
    (MemberAdd, E.BANNED): lambda p: banned(p).outcome(SYSTEM, MemberAdd(person=EVE)),
    (MemberRemove, E.NOT_MEMBER): lambda p: p.scene.outcome(SYSTEM, MemberRemove(user_id=NOBODY)),
    (MemberRemove, E.OWNER_STAYS): lambda p: p.scene.outcome(
        SYSTEM, MemberRemove(user_id=ANN.user_id)
    ),
    (MemberSetRole, E.OUTRANKED): lambda p: p.scene.outcome(
        MEG, MemberSetRole(user_id=MO, role="dj")
    ),
    (MemberSetRole, E.UNKNOWN_PERSON): lambda p: p.scene.outcome(
        MEG, MemberSetRole(user_id=NOBODY, role="dj")
    ),
    (OwnerTransfer, E.UNKNOWN_PERSON): lambda p: p.scene.outcome(
        ANN, OwnerTransfer(user_id=NOBODY)
    ),
    (OwnerTransfer, E.ACCOUNT_REQUIRED): lambda p: p.scene.outcome(
        ANN, OwnerTransfer(user_id=BOB.user_id)
    ),
    (OwnerSucceed, E.UNKNOWN_PERSON): heir_gone,
    (MemberKick, E.OUTRANKED): lambda p: p.scene.outcome(MEG, MemberKick(user_id=MO)),
    (MemberKick, E.UNKNOWN_PERSON): lambda p: p.scene.outcome(MEG, MemberKick(user_id=NOBODY)),
    (MemberMute, E.OUTRANKED): lambda p: p.scene.outcome(MEG, MemberMute(user_id=MO)),
    (MemberMute, E.UNKNOWN_PERSON): lambda p: p.scene.outcome(MEG, MemberMute(user_id=NOBODY)),
    (MemberUnmute, E.OUTRANKED): lambda p: p.scene.outcome(MEG, MemberUnmute(user_id=MO)),
    (MemberBan, E.OUTRANKED): lambda p: p.scene.outcome(MEG, MemberBan(user_id=MO)),
    (MemberBan, E.UNKNOWN_PERSON): lambda p: p.scene.outcome(MEG, MemberBan(user_id=NOBODY)),
    (QueueAdd, E.UNKNOWN_TRACK): lambda p: p.scene.outcome(BOB, ADD),
    (QueueAdd, E.UNKNOWN_ENTRY): lambda p: p.scene.outcome(
        BOB, QueueAdd(track_id=uid(0x7009), after=NOBODY), track=minutes(1)
    ),
    (QueueAdd, E.QUEUE_FULL): lambda p: tune(p, queue_limit=len(p.entries)).outcome(
        BOB, ADD, track=minutes(1)
    ),
    (QueueAdd, E.ENTRY_LIMIT): lambda p: tune(p, entries_per_person=1).outcome(
        BOB, ADD, track=minutes(1)
    ),
    (QueueAdd, E.DUPLICATE_ENTRY): lambda p: tune(p, duplicates="refuse").outcome(
        BOB, ADD, track=minutes(3, 2)
    ),
    (QueueAdd, E.FIXED_ORDER): lambda p: tune(p, queue_mode="votes").outcome(
        BOB, ADD_FIRST, track=minutes(1)
    ),
    (QueueAdd, E.ENTRY_STARTING): lambda p: near_end(p).outcome(BOB, ADD_FIRST, track=minutes(1)),
    (QueueRemove, E.UNKNOWN_ENTRY): lambda p: p.scene.outcome(BOB, QueueRemove(entry_id=NOBODY)),
    (QueueRemove, E.ENTRY_STARTING): lambda p: near_end(p).outcome(
        ANN, QueueRemove(entry_id=p.scene.queued[0])
    ),
    (QueueMove, E.UNKNOWN_ENTRY): lambda p: p.scene.outcome(
        BOB, QueueMove(entry_id=NOBODY, after=None)
    ),
    (QueueMove, E.ENTRY_STARTING): lambda p: near_end(p).outcome(
        ANN, QueueMove(entry_id=p.scene.queued[2], after=None)
    ),
    (QueueMove, E.FIXED_ORDER): lambda p: tune(p, queue_mode="fair").outcome(
        ANN, QueueMove(entry_id=p.bobs, after=None)
    ),
    (QueueShuffle, E.FIXED_ORDER): lambda p: tune(p, queue_mode="fair").outcome(
        ANN, QueueShuffle()
    ),
    (QueueUndo, E.NOTHING_TO_UNDO): lambda p: undone(p).outcome(ANN, QueueUndo()),
    (QueueUndo, E.ENTRY_STARTING): lambda p: added_and_starting(p).outcome(ANN, QueueUndo()),
    (QueueUndo, E.QUEUE_FULL): lambda p: removed_and_full(p).outcome(ANN, QueueUndo()),
    (VotesCast, E.UNKNOWN_ENTRY): lambda p: tune(p, queue_mode="votes").outcome(
        BOB, VotesCast(entry_id=NOBODY)
    ),
    (VotesCast, E.NO_VOTING): lambda p: p.scene.outcome(BOB, VotesCast(entry_id=p.anns)),
    (VotesRetract, E.UNKNOWN_ENTRY): lambda p: p.scene.outcome(BOB, VotesRetract(entry_id=NOBODY)),
    (VotesSkip, E.NOTHING_PLAYING): lambda p: silent(p).outcome(BOB, VotesSkip(entry_id=NOBODY)),
    (VotesSkip, E.CONFLICT): lambda p: p.scene.outcome(BOB, VotesSkip(entry_id=NOBODY)),
    (PlaybackPlay, E.NOTHING_PLAYING): lambda p: silent(p).outcome(BOB, PlaybackPlay()),
    (PlaybackPlay, E.CONFLICT): lambda p: p.scene.outcome(BOB, PlaybackPlay(entry_id=NOBODY)),
    (PlaybackPause, E.NOTHING_PLAYING): lambda p: silent(p).outcome(
        BOB, PlaybackPause(entry_id=p.current)
    ),
    (PlaybackPause, E.CONFLICT): lambda p: p.scene.outcome(BOB, PlaybackPause(entry_id=NOBODY)),
    (PlaybackPause, E.ENTRY_STARTING): lambda p: near_end(p).outcome(
        BOB, PlaybackPause(entry_id=p.current)
    ),
    (PlaybackSeek, E.NOTHING_PLAYING): lambda p: silent(p).outcome(
        BOB, PlaybackSeek(entry_id=p.current, position_ms=0.0)
    ),
    (PlaybackSeek, E.CONFLICT): lambda p: p.scene.outcome(
        BOB, PlaybackSeek(entry_id=NOBODY, position_ms=0.0)
    ),
    (PlaybackSeek, E.ENTRY_STARTING): lambda p: near_end(p).outcome(
        BOB, PlaybackSeek(entry_id=p.current, position_ms=0.0)
    ),
    (PlaybackNext, E.NOTHING_PLAYING): lambda p: silent(p).outcome(
        BOB, PlaybackNext(entry_id=p.current)
    ),
    (PlaybackNext, E.CONFLICT): lambda p: p.scene.outcome(BOB, PlaybackNext(entry_id=NOBODY)),
    (PlaybackPlayEntry, E.UNKNOWN_ENTRY): lambda p: p.scene.outcome(
        BOB, PlaybackPlayEntry(entry_id=NOBODY)
    ),
    (PlaybackPlayEntry, E.ENTRY_STARTING): lambda p: near_end(p).outcome(
        BOB, PlaybackPlayEntry(entry_id=p.anns)
    ),
    (ChatSend, E.UNKNOWN_MESSAGE): lambda p: p.scene.outcome(
        BOB, ChatSend(content="hm", reply_to=NOBODY)
    ),
    (ChatEdit, E.UNKNOWN_MESSAGE): lambda p: p.scene.outcome(
        BOB, ChatEdit(message_id=NOBODY, content="hm")
    ),
    (ChatEdit, E.MUTED): lambda p: muted(p).outcome(
        EVE, ChatEdit(message_id=p.said[EVE.user_id], content="hm")
    ),
    (ChatDelete, E.UNKNOWN_MESSAGE): lambda p: p.scene.outcome(BOB, ChatDelete(message_id=NOBODY)),
    (ChatReact, E.UNKNOWN_MESSAGE): lambda p: p.scene.outcome(
        BOB, ChatReact(message_id=NOBODY, emoji="🔥")
    ),
    (SlashRegister, E.BAD_REQUEST): lambda p: offer(p, ROB, SKIP, SKIP),
    (SlashRegister, E.NAME_TAKEN): lambda p: offer(p, ROB, SKIP) or offer(p, VIC, SKIP),
    (SlashRegister, E.SLASH_FULL): lambda p: crowded_with_bots(p),
    (ReactionSend, E.NOTHING_PLAYING): lambda p: paused(p).outcome(BOB, ReactionSend(emoji="🎉")),
    (ReactionsCount, E.NOTHING_PLAYING): lambda p: silent(p).outcome(
        SYSTEM, ReactionsCount(counts={"🎉": 1})
    ),
}
"""What is particular to a command. That it is refused only then, the tests of the rules say."""


def banned(party: Party) -> Scenario:
    """Eve is banned."""
    party.scene.do(ANN, MemberBan(user_id=EVE.user_id))
    return party.scene


def muted(party: Party) -> Scenario:
    """Eve may only listen."""
    party.scene.do(ANN, MemberMute(user_id=EVE.user_id))
    return party.scene


def strict(party: Party) -> Scenario:
    """Everything is the owner's."""
    return tune(party, permissions=dict.fromkeys(Permissions.__struct_fields__, "owner"))


def closed(party: Party) -> Scenario:
    """The room is no more."""
    party.scene.do(ANN, RoomClose())
    return party.scene


ROOMS: Final = {
    E.BANNED: banned,
    E.MUTED: muted,
    E.NOT_ALLOWED: strict,
    E.ROOM_CLOSED: closed,
}
"""Rooms in which Eve is refused whatever she tries that can be refused so."""


@pytest.fixture(scope="module")
def rooms() -> dict[E, Party]:
    parties = {code: Party() for code in ROOMS}
    for code, spoil in ROOMS.items():
        spoil(parties[code])
    return parties


GENERAL: Final = [pair for pair in promised() if pair[1] in ROOMS and pair not in RULES]


def name_of(value: object) -> str:
    return value.__name__ if isinstance(value, type) else str(value)


@pytest.mark.parametrize(("kind", "code"), GENERAL, ids=name_of)
def test_a_promised_refusal_of_whoever_may_not_happens(
    rooms: dict[E, Party], kind: type[RoomCommand], code: E
) -> None:
    actor = SYSTEM if kind is MemberAdd else EVE
    assert rooms[code].weigh(actor, EXAMPLES[kind](rooms[code])) == code


@pytest.mark.parametrize(("kind", "code"), RULES, ids=name_of)
def test_a_promised_refusal_by_a_rule_happens(kind: type[RoomCommand], code: E) -> None:
    party = Party()
    assert RULES[kind, code](party) == code


def test_nothing_else_is_promised() -> None:
    assert set(promised()) == set(GENERAL) | set(RULES)


def test_every_client_learns_what_can_befall_any_command() -> None:
    for kind in get_args(ClientCommand):
        assert {E.NOT_ALLOWED, E.BANNED, E.ROOM_CLOSED} <= documented(kind), kind


def test_what_is_excused_is_promised_by_somebody() -> None:
    told = {code for kind in get_args(ClientCommand) for code in documented(kind)}
    assert set(AT_THE_DOOR) <= told


def test_a_refusal_that_the_command_does_not_name_fails_the_test_that_met_it() -> None:
    with pytest.raises(AssertionError, match="ChatSend does not say"):
        check_promised(ChatSend(content="hi"), Rejected(E.QUEUE_FULL))
    check_promised(QueueAdd(track_id=NOBODY), Rejected(E.QUEUE_FULL))
