"""Who may do what, for every command there is."""

from typing import get_args

import pytest

from protocol.catalog import ClientCommand, RoomCommand, SystemCommand
from protocol.chat import ChatSend
from protocol.codec import decode_command, encode
from protocol.errors import ErrorCode
from protocol.members import MemberAdd, MemberRemove
from protocol.playback import (
    LoadingDone,
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
)
from protocol.queue import QueueAdd, QueueMove, QueueRemove
from protocol.rooms import RoomClose, RoomResume, RoomSuspend, RoomUpdate, Wake
from protocol.users import Person
from roomserver.room.context import SYSTEM
from roomserver.room.permissions import MAY
from roomserver.room.room import DECIDE
from tests.room.people import ANN, BOB, EVE, minutes, uid
from tests.room.scenario import Scenario

BOBS, ANNS, CURRENT = uid(1), uid(2), uid(3)
"""Stand for the entries of the scene below."""

COMMANDS: list[RoomCommand] = [
    RoomUpdate(name="New"),
    RoomClose(),
    RoomSuspend(vacant_since_ms=0.0),
    RoomResume(),
    Wake(),
    MemberAdd(person=EVE),
    MemberRemove(user_id=BOB.user_id),
    QueueAdd(track_id=uid(0x7001)),
    QueueRemove(entry_id=ANNS),
    QueueMove(entry_id=ANNS, after=None),
    PlaybackPlay(),
    PlaybackPause(entry_id=CURRENT),
    PlaybackSeek(entry_id=CURRENT, position_ms=0.0),
    PlaybackNext(entry_id=CURRENT),
    PlaybackPlayEntry(entry_id=ANNS),
    LoadingDone(entry_id=CURRENT),
    ChatSend(content="hi"),
]
LISTENER = (
    ChatSend,
    QueueAdd,
    PlaybackPlay,
    PlaybackPause,
    PlaybackSeek,
    PlaybackNext,
    PlaybackPlayEntry,
)
OWNER = (*LISTENER, QueueRemove, QueueMove, RoomUpdate, RoomClose)


def party() -> tuple[Scenario, dict[str, str]]:
    """An entry plays; behind it waits one of Bob's and one of Ann's."""
    scene = Scenario()
    scene.add(ANN, minutes(3))
    scene.loaded()
    scene.system(MemberAdd(person=BOB))
    bobs, anns = scene.add(BOB, minutes(3)), scene.add(ANN, minutes(3))
    return scene, {BOBS: bobs, ANNS: anns, CURRENT: scene.current}


def try_it(actor: Person, command: RoomCommand) -> ErrorCode | None:
    """How the room answers: None if it obeys."""
    scene, names = party()
    data = encode(command)
    for stand_in, name in names.items():
        data = data.replace(stand_in.encode(), name.encode())
    real = decode_command(data)
    return scene.outcome(actor, real, track=minutes(3))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_each_role_may_do_what_its_row_says_and_nothing_else(command: RoomCommand) -> None:
    allowed = {
        ANN.user_id: isinstance(command, OWNER),
        BOB.user_id: isinstance(command, LISTENER),
        EVE.user_id: isinstance(command, LISTENER),
        SYSTEM.user_id: True,
    }
    for actor in (ANN, BOB, EVE, SYSTEM):
        expected = None if allowed[actor.user_id] else ErrorCode.NOT_ALLOWED
        assert try_it(actor, command) == expected, actor.display_name


def test_a_listener_may_move_and_remove_the_own_entry() -> None:
    assert try_it(BOB, QueueRemove(entry_id=BOBS)) is None
    assert try_it(BOB, QueueMove(entry_id=BOBS, after=ANNS)) is None
    assert try_it(EVE, QueueRemove(entry_id=BOBS)) is ErrorCode.NOT_ALLOWED


def test_calling_oneself_a_bot_gives_no_rights() -> None:
    bot = Person(user_id=EVE.user_id, display_name="Unisono", kind="bot")
    assert try_it(bot, Wake()) is ErrorCode.NOT_ALLOWED


def test_every_command_has_a_rule_and_stands_in_the_table() -> None:
    assert set(DECIDE) == set(get_args(RoomCommand))
    assert {type(command) for command in COMMANDS} == set(get_args(RoomCommand))
    assert set(MAY["owner"]) == set(get_args(ClientCommand))
    assert set(MAY["system"]) == set(get_args(ClientCommand)) | set(get_args(SystemCommand))
