"""Slash commands: what bots offer in a room, and for how long."""

import pytest
from msgspec.structs import replace

from protocol.chat import ChatSend
from protocol.errors import ErrorCode
from protocol.members import MemberAdd, MemberAdded, MemberRemove, MemberSetRole
from protocol.moderation import MemberBan, MemberKick, MemberMute, MemberUnmute
from protocol.slash import COMMANDS_PER_BOT, SlashOffer, SlashRegister, SlashRegistered
from protocol.users import Person
from roomserver.room.context import SYSTEM
from tests.room.people import ANN, BOB, EVE, ROB, VIC, uid
from tests.room.scenario import Scenario

SKIP = SlashOffer(name="skip", description="Vote for the next track")
ADD = SlashOffer(name="add", description="Queue a track", hint="<title>")


def offering(*commands: SlashOffer) -> SlashRegister:
    return SlashRegister(commands=list(commands))


def offered(scene: Scenario) -> dict[str, list[str]]:
    """What everybody sees: whose, and which commands."""
    slash = scene.room.public.slash
    assert all(user_id == each.bot.user_id for user_id, each in slash.items())
    return {each.bot.display_name: [c.name for c in each.commands] for each in slash.values()}


def test_a_bot_that_registers_has_a_place_and_everybody_sees_what_it_offers() -> None:
    scene = Scenario()
    added, registered = scene.do(ROB, offering(SKIP, ADD))
    assert isinstance(added, MemberAdded) and added.member.person == ROB
    assert isinstance(registered, SlashRegistered)
    (shown,) = scene.room.public.slash.values()
    assert [(c.name, c.description, c.hint) for c in shown.commands] == [
        ("skip", "Vote for the next track", ""),
        ("add", "Queue a track", "<title>"),
    ]
    scene.system(MemberAdd(person=VIC))
    (registered,) = scene.do(VIC, offering(replace(SKIP, name="jump")))
    assert isinstance(registered, SlashRegistered)
    assert offered(scene) == {"Rob": ["skip", "add"], "Vic": ["jump"]}


def test_what_is_registered_anew_replaces_what_was_and_the_same_again_is_no_event() -> None:
    scene = Scenario()
    assert scene.do(ROB, offering()) == []
    scene.do(ROB, offering(SKIP, ADD))
    assert scene.do(ROB, offering(SKIP, ADD)) == []
    assert len(scene.do(ROB, offering(ADD, SKIP))) == 1
    assert offered(scene) == {"Rob": ["add", "skip"]}
    renamed = replace(ROB, display_name="Robin")
    assert len(scene.do(renamed, offering(ADD, SKIP))) == 1
    assert offered(scene) == {"Robin": ["add", "skip"]}
    scene.do(ROB, offering())
    assert offered(scene) == {}


@pytest.mark.parametrize("who", [ANN, BOB, EVE], ids=lambda who: who.display_name)
def test_people_register_nothing_whatever_their_role(who: Person) -> None:
    scene = Scenario()
    scene.refuses(ErrorCode.NOT_ALLOWED, who, offering(SKIP))
    scene.do(ANN, MemberSetRole(user_id=EVE.user_id, role="moderator"))
    scene.refuses(ErrorCode.NOT_ALLOWED, who, offering())


def test_a_name_is_whose_bot_came_first_until_it_lets_go_of_it() -> None:
    scene = Scenario()
    scene.do(ROB, offering(SKIP))
    refusal = scene.refuses(ErrorCode.NAME_TAKEN, VIC, offering(ADD, SKIP))
    assert refusal.details == {"name": "skip"}
    assert offered(scene) == {"Rob": ["skip"]}
    scene.do(ROB, offering(replace(ADD, name="leap")))
    scene.do(VIC, offering(ADD, SKIP))
    scene.refuses(ErrorCode.NAME_TAKEN, ROB, offering(SKIP))


def test_a_room_takes_two_hundred_of_fifty_a_bot() -> None:
    scene = Scenario()
    many = [SlashOffer(name=f"c{number}", description="Dance") for number in range(50)]
    assert len(many) == COMMANDS_PER_BOT
    for number in range(4):
        bot = replace(ROB, user_id=uid(0xB07 + number))
        own = [replace(offer, name=f"{offer.name}-{number}") for offer in many]
        scene.do(bot, offering(*own))
    refusal = scene.refuses(ErrorCode.SLASH_FULL, VIC, offering(SKIP))
    assert refusal.details == {"limit": 200}
    # The last one gives one back; a bot may also exchange what it has.
    scene.do(bot, offering(*own[1:]))
    scene.do(VIC, offering(SKIP))
    scene.do(VIC, offering(ADD))
    scene.refuses(ErrorCode.SLASH_FULL, VIC, offering(ADD, SKIP))


def test_commands_are_gone_with_the_place_and_come_back_only_by_registering() -> None:
    for out, actor in (
        (MemberKick(user_id=ROB.user_id), ANN),
        (MemberRemove(user_id=ROB.user_id), SYSTEM),
        (MemberBan(user_id=ROB.user_id, duration_ms=1_000), ANN),
    ):
        scene = Scenario()
        scene.do(VIC, offering(ADD))
        scene.do(ROB, offering(SKIP))
        scene.do(actor, out)
        assert offered(scene) == {"Vic": ["add"]}
        scene.advance(1_000)
        scene.system(MemberAdd(person=ROB))
        assert offered(scene) == {"Vic": ["add"]}
        scene.do(ROB, offering(SKIP))
        assert offered(scene) == {"Vic": ["add"], "Rob": ["skip"]}


def test_roles_come_and_go_without_touching_what_a_bot_offers() -> None:
    scene = Scenario()
    scene.do(ROB, offering(SKIP))
    scene.do(ANN, MemberSetRole(user_id=ROB.user_id, role="moderator"))
    scene.do(ANN, MemberSetRole(user_id=ROB.user_id, role="listener"))
    scene.do(ANN, MemberMute(user_id=ROB.user_id))
    assert offered(scene) == {"Rob": ["skip"]}
    scene.refuses(ErrorCode.MUTED, ROB, offering())
    scene.do(ANN, MemberUnmute(user_id=ROB.user_id))
    assert offered(scene) == {"Rob": ["skip"]}


def test_to_use_one_is_to_say_it() -> None:
    scene = Scenario()
    scene.do(ROB, offering(SKIP))
    (said,) = scene.do(BOB, ChatSend(content="/skip now"))
    assert said.content == "/skip now"  # type: ignore[union-attr]
    scene.do(ANN, MemberMute(user_id=BOB.user_id))
    scene.refuses(ErrorCode.MUTED, BOB, ChatSend(content="/skip"))
