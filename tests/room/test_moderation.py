"""Moderation: kick, mute and ban, their ends, and how they are taken back."""

import pytest

from protocol.chat import ChatReact, ChatSend, ChatSent
from protocol.codec import encode
from protocol.errors import ErrorCode
from protocol.members import MemberAdd, MemberSetRole
from protocol.moderation import (
    Ban,
    MemberBan,
    MemberBanned,
    MemberKick,
    MemberKicked,
    MemberMute,
    MemberMuted,
    MemberUnban,
    MemberUnbanned,
    MemberUnmute,
    MemberUnmuted,
)
from protocol.permissions import Action
from protocol.queue import QueueAdd
from protocol.rooms import RoomUpdate, SettingsChange
from protocol.users import Person
from roomserver.room.context import SYSTEM
from roomserver.room.moderation import ADDRESSES_A_BAN
from tests.room.people import ANN, BOB, DAN, EVE, minutes, uid
from tests.room.scenario import NOON_MS, Scenario

HELLO = ChatSend(content="hello")
HOUR_MS = 3_600_000


def with_moderator() -> Scenario:
    """Ann owns the room, Dan moderates it, Bob and Eve are members."""
    scene = Scenario(present=4)
    scene.do(ANN, MemberSetRole(user_id=DAN.user_id, role="moderator"))
    for person in (BOB, EVE):
        scene.system(MemberAdd(person=person))
    return scene


def is_shut_out(scene: Scenario, digest: str) -> bool:
    return scene.room.private.is_address_banned(digest, scene.now_ms)


# -- kick --------------------------------------------------------------------------------------


def test_who_is_kicked_loses_place_and_role_and_may_come_back() -> None:
    scene = with_moderator()
    scene.do(ANN, MemberSetRole(user_id=EVE.user_id, role="dj"))
    kick = MemberKick(user_id=EVE.user_id, reason="Enough.")
    assert scene.do(DAN, kick) == [
        MemberKicked(at_ms=NOON_MS, person=EVE, reason="Enough.", by=DAN)
    ]
    assert EVE.user_id not in scene.room.public.members
    assert EVE.user_id not in scene.room.private.members
    scene.system(MemberAdd(person=EVE))
    scene.do(EVE, HELLO)


def test_a_kick_does_not_end_a_mute() -> None:
    scene = with_moderator()
    scene.do(DAN, MemberMute(user_id=EVE.user_id))
    scene.do(DAN, MemberKick(user_id=EVE.user_id))
    scene.system(MemberAdd(person=EVE))
    scene.refuses(ErrorCode.MUTED, EVE, HELLO)


# -- mute --------------------------------------------------------------------------------------


def test_who_is_muted_listens_and_queues_but_neither_talks_nor_reacts() -> None:
    scene = with_moderator()
    (said,) = scene.do(ANN, HELLO)
    assert isinstance(said, ChatSent)
    assert scene.do(DAN, MemberMute(user_id=EVE.user_id, reason="Caps.")) == [
        MemberMuted(
            at_ms=NOON_MS, person=EVE, joined_at_ms=NOON_MS, until_ms=None, reason="Caps.", by=DAN
        )
    ]
    refusal = scene.refuses(ErrorCode.MUTED, EVE, HELLO)
    assert refusal.details == {"reason": "Caps."}
    scene.refuses(ErrorCode.MUTED, EVE, ChatReact(message_id=said.message_id, emoji="🔥"))
    scene.add(EVE, minutes(3))


def test_a_mute_ends_by_itself_at_its_instant() -> None:
    scene = with_moderator()
    scene.do(DAN, MemberMute(user_id=EVE.user_id, duration_ms=60_000))
    scene.advance(59_999)
    refusal = scene.refuses(ErrorCode.MUTED, EVE, HELLO)
    assert refusal.details["until_ms"] == NOON_MS + 60_000
    scene.advance(1)
    scene.do(EVE, HELLO)
    assert scene.do(DAN, MemberUnmute(user_id=EVE.user_id)) == []


def test_a_mute_again_has_another_end_and_the_same_again_is_no_event() -> None:
    scene = with_moderator()
    mute = MemberMute(user_id=EVE.user_id, reason="Caps.")
    scene.do(DAN, mute)
    assert scene.do(DAN, mute) == []
    assert len(scene.do(DAN, MemberMute(user_id=EVE.user_id))) == 1
    (shorter,) = scene.do(DAN, MemberMute(user_id=EVE.user_id, duration_ms=1_000, reason="Caps."))
    assert isinstance(shorter, MemberMuted) and shorter.until_ms == NOON_MS + 1_000
    assert len(scene.do(DAN, MemberMute(user_id=EVE.user_id, reason="Spam."))) == 1
    scene.advance(1_000)
    scene.refuses(ErrorCode.MUTED, EVE, HELLO)


def test_a_mute_is_taken_back_and_of_somebody_not_muted_nothing_is() -> None:
    scene = with_moderator()
    unmute = MemberUnmute(user_id=EVE.user_id)
    assert scene.do(DAN, unmute) == []
    scene.do(DAN, MemberMute(user_id=EVE.user_id))
    assert scene.do(DAN, unmute) == [MemberUnmuted(at_ms=NOON_MS, user_id=EVE.user_id, by=DAN)]
    assert EVE.user_id not in scene.room.public.members
    scene.do(EVE, HELLO)
    assert scene.do(DAN, unmute) == []
    assert scene.do(DAN, MemberUnmute(user_id=uid(5))) == []


def test_somebody_without_a_place_can_be_muted_and_gets_none_by_it() -> None:
    scene = Scenario()
    scene.do(ANN, MemberMute(user_id=EVE.user_id))
    assert scene.room.public.members[EVE.user_id].joined_at_ms is None
    assert EVE.user_id not in scene.room.private.members
    scene.refuses(ErrorCode.MUTED, EVE, HELLO)


def test_a_muted_moderator_moderates_but_cannot_end_the_own_mute() -> None:
    scene = with_moderator()
    scene.do(ANN, MemberMute(user_id=DAN.user_id))
    scene.do(DAN, MemberKick(user_id=EVE.user_id))
    scene.refuses(ErrorCode.OUTRANKED, DAN, MemberUnmute(user_id=DAN.user_id))
    scene.refuses(ErrorCode.MUTED, DAN, HELLO)


# -- ban ---------------------------------------------------------------------------------------


def test_who_is_banned_is_out_and_everybody_can_read_why() -> None:
    scene = with_moderator()
    scene.do(ANN, MemberSetRole(user_id=EVE.user_id, role="dj"))
    ban = MemberBan(user_id=EVE.user_id, duration_ms=HOUR_MS, reason="Spam.")
    until_ms = NOON_MS + HOUR_MS
    assert scene.do(DAN, ban) == [
        MemberBanned(at_ms=NOON_MS, person=EVE, until_ms=until_ms, reason="Spam.", by=DAN)
    ]
    assert scene.room.public.bans == {
        EVE.user_id: Ban(person=EVE, until_ms=until_ms, reason="Spam.", by=DAN, at_ms=NOON_MS)
    }
    assert EVE.user_id not in scene.room.public.members
    assert EVE.user_id not in scene.room.private.members
    refusal = scene.refuses(ErrorCode.BANNED, EVE, HELLO)
    assert refusal.details == {"reason": "Spam.", "until_ms": until_ms}


def test_a_ban_ends_by_itself_at_its_instant_and_gives_no_role_back() -> None:
    scene = with_moderator()
    scene.do(ANN, MemberSetRole(user_id=EVE.user_id, role="dj"))
    scene.do(DAN, MemberBan(user_id=EVE.user_id, duration_ms=60_000))
    scene.advance(59_999)
    scene.refuses(ErrorCode.BANNED, EVE, HELLO)
    scene.advance(1)
    scene.do(EVE, HELLO)
    scene.refuses(ErrorCode.NOT_ALLOWED, EVE, MemberKick(user_id=BOB.user_id))
    assert scene.do(DAN, MemberUnban(user_id=EVE.user_id)) == []


def test_bans_that_are_over_are_forgotten_with_the_next() -> None:
    scene = with_moderator()
    scene.do(DAN, MemberBan(user_id=EVE.user_id, duration_ms=1_000, by_address=True))
    scene.advance(1_000)
    assert EVE.user_id in scene.room.public.bans
    scene.do(DAN, MemberBan(user_id=BOB.user_id))
    assert list(scene.room.public.bans) == [BOB.user_id]
    assert scene.room.private.banned_addresses == {}


def test_a_ban_again_has_another_end_and_the_same_again_is_no_event() -> None:
    scene = with_moderator()
    ban = MemberBan(user_id=EVE.user_id, reason="Spam.")
    scene.do(DAN, ban)
    assert scene.do(DAN, ban) == []
    assert len(scene.do(DAN, MemberBan(user_id=EVE.user_id))) == 1
    shorter = MemberBan(user_id=EVE.user_id, reason="Spam.", duration_ms=1_000)
    assert len(scene.do(DAN, shorter)) == 1
    scene.advance(1_000)
    scene.do(EVE, HELLO)


def test_a_ban_is_taken_back_and_of_somebody_not_banned_nothing_is() -> None:
    scene = with_moderator()
    unban = MemberUnban(user_id=EVE.user_id)
    assert scene.do(DAN, unban) == []
    scene.do(DAN, MemberBan(user_id=EVE.user_id))
    assert scene.do(DAN, unban) == [MemberUnbanned(at_ms=NOON_MS, user_id=EVE.user_id, by=DAN)]
    assert scene.room.public.bans == {}
    scene.do(EVE, HELLO)
    assert scene.do(DAN, unban) == []


def test_a_banned_moderator_cannot_take_the_own_ban_back() -> None:
    scene = with_moderator()
    scene.do(ANN, MemberBan(user_id=DAN.user_id))
    scene.refuses(ErrorCode.BANNED, DAN, MemberUnban(user_id=DAN.user_id))


# -- ban by address ----------------------------------------------------------------------------


def test_a_ban_by_address_shuts_out_whence_the_person_came_and_tells_nobody_the_addresses() -> None:
    scene = with_moderator()
    scene.lookups.addresses[EVE.user_id] = ("home", "phone")
    (banned,) = scene.do(DAN, MemberBan(user_id=EVE.user_id, by_address=True))
    assert isinstance(banned, MemberBanned) and banned.by_address
    assert is_shut_out(scene, "home") and is_shut_out(scene, "phone")
    assert not is_shut_out(scene, "elsewhere")
    assert scene.room.public.bans[EVE.user_id].by_address
    assert b"phone" not in encode(scene.room.public)


def test_a_ban_by_account_shuts_out_no_address() -> None:
    scene = with_moderator()
    scene.lookups.addresses[EVE.user_id] = ("home",)
    scene.do(DAN, MemberBan(user_id=EVE.user_id))
    assert not is_shut_out(scene, "home")


def test_a_ban_by_address_of_somebody_who_is_not_connected_says_that_it_is_by_account() -> None:
    scene = with_moderator()
    scene.here.discard(EVE)
    (banned,) = scene.do(DAN, MemberBan(user_id=EVE.user_id, by_address=True))
    assert isinstance(banned, MemberBanned) and not banned.by_address


def test_the_addresses_are_free_when_the_ban_is_over_or_taken_back() -> None:
    scene = with_moderator()
    scene.lookups.addresses[EVE.user_id] = ("home",)
    scene.do(DAN, MemberBan(user_id=EVE.user_id, duration_ms=1_000, by_address=True))
    scene.advance(999)
    assert is_shut_out(scene, "home")
    scene.advance(1)
    assert not is_shut_out(scene, "home")
    scene.here.add(EVE)
    scene.do(DAN, MemberBan(user_id=EVE.user_id, by_address=True))
    assert is_shut_out(scene, "home")
    scene.do(DAN, MemberUnban(user_id=EVE.user_id))
    assert not is_shut_out(scene, "home")
    assert scene.room.private.banned_addresses == {}


def test_who_prolongs_a_ban_by_address_does_not_open_the_door() -> None:
    scene = with_moderator()
    scene.lookups.addresses[EVE.user_id] = ("home",)
    scene.do(DAN, MemberBan(user_id=EVE.user_id, duration_ms=1_000, by_address=True))
    assert EVE not in scene.here
    scene.do(DAN, MemberBan(user_id=EVE.user_id, duration_ms=HOUR_MS, by_address=True))
    scene.advance(1_000)
    assert is_shut_out(scene, "home")
    # By account only is what it is now.
    scene.do(DAN, MemberBan(user_id=EVE.user_id, duration_ms=HOUR_MS))
    assert not is_shut_out(scene, "home")


def test_an_address_is_free_only_when_no_ban_holds_for_it() -> None:
    scene = with_moderator()
    scene.lookups.addresses = {EVE.user_id: ("home",), BOB.user_id: ("home", "work")}
    for person in (EVE, BOB):
        scene.do(DAN, MemberBan(user_id=person.user_id, by_address=True))
    scene.do(DAN, MemberUnban(user_id=BOB.user_id))
    assert is_shut_out(scene, "home") and not is_shut_out(scene, "work")
    scene.do(DAN, MemberUnban(user_id=EVE.user_id))
    assert not is_shut_out(scene, "home")


def test_a_ban_holds_for_so_many_addresses_at_most() -> None:
    scene = with_moderator()
    scene.lookups.addresses[EVE.user_id] = tuple(f"proxy {n}" for n in range(1_000))
    scene.do(DAN, MemberBan(user_id=EVE.user_id, by_address=True))
    assert len(scene.room.private.banned_addresses) == ADDRESSES_A_BAN
    scene.here.add(EVE)
    scene.lookups.addresses[EVE.user_id] = ("home",)
    scene.do(DAN, MemberBan(user_id=EVE.user_id, by_address=True))
    assert is_shut_out(scene, "home")
    assert len(scene.room.private.banned_addresses) == ADDRESSES_A_BAN


def test_a_new_ban_does_not_bring_back_the_addresses_of_one_that_is_over() -> None:
    scene = with_moderator()
    scene.lookups.addresses[EVE.user_id] = ("hotel",)
    scene.do(DAN, MemberBan(user_id=EVE.user_id, duration_ms=1_000, by_address=True))
    scene.advance(1_000)
    scene.here.add(EVE)
    scene.lookups.addresses[EVE.user_id] = ("home",)
    scene.do(DAN, MemberBan(user_id=EVE.user_id, by_address=True))
    assert is_shut_out(scene, "home") and not is_shut_out(scene, "hotel")


def test_the_same_ban_by_address_again_is_no_event_and_from_a_new_address_is_one() -> None:
    scene = with_moderator()
    scene.lookups.addresses[EVE.user_id] = ("home",)
    ban = MemberBan(user_id=EVE.user_id, by_address=True)
    scene.do(DAN, ban)
    assert scene.do(DAN, ban) == []
    # A connection that the home has not ended yet.
    scene.here.add(EVE)
    scene.lookups.addresses[EVE.user_id] = ("home", "phone")
    assert len(scene.do(DAN, ban)) == 1
    assert is_shut_out(scene, "home") and is_shut_out(scene, "phone")


# -- whom --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [MemberKick, MemberMute, MemberBan])
def test_nobody_unknown_can_be_moderated(kind: type[MemberKick | MemberMute | MemberBan]) -> None:
    scene = with_moderator()
    for actor in (ANN, DAN):
        scene.refuses(ErrorCode.UNKNOWN_PERSON, actor, kind(user_id=uid(5)))
    scene.refuses(ErrorCode.NOT_ALLOWED, EVE, kind(user_id=uid(5)))


@pytest.mark.parametrize("kind", [MemberKick, MemberMute, MemberBan])
def test_nobody_moderates_the_owner_an_equal_or_oneself(
    kind: type[MemberKick | MemberMute | MemberBan],
) -> None:
    scene = with_moderator()
    scene.do(ANN, MemberSetRole(user_id=EVE.user_id, role="moderator"))
    for actor, target in ((DAN, ANN), (DAN, EVE), (DAN, DAN), (ANN, ANN)):
        scene.refuses(ErrorCode.OUTRANKED, actor, kind(user_id=target.user_id))
    assert len(scene.do(ANN, kind(user_id=DAN.user_id))) == 1


@pytest.mark.parametrize(
    ("action", "command"),
    [("moderate", MemberKick(user_id=EVE.user_id)), ("ban", MemberBan(user_id=EVE.user_id))],
)
def test_a_dj_whom_the_table_lets_moderate_moderates_only_lower_grades(
    action: Action, command: MemberKick | MemberBan
) -> None:
    scene = with_moderator()
    rob = Person(user_id=uid(0xBB), display_name="Rob")
    for person in (EVE, rob):
        scene.lookups.accounts[person.user_id] = person
        scene.do(ANN, MemberSetRole(user_id=person.user_id, role="dj"))
    scene.refuses(ErrorCode.NOT_ALLOWED, rob, command)
    scene.do(ANN, RoomUpdate(settings=SettingsChange(permissions={action: "dj"})))
    scene.refuses(ErrorCode.OUTRANKED, rob, command)
    scene.do(ANN, MemberSetRole(user_id=EVE.user_id, role="listener"))
    assert len(scene.do(rob, command)) == 1


def test_what_a_banned_person_still_sends_changes_nothing() -> None:
    scene = with_moderator()
    scene.do(DAN, MemberBan(user_id=EVE.user_id))
    before = scene.room.public.seq
    for command in (HELLO, QueueAdd(track_id=uid(1)), MemberUnban(user_id=EVE.user_id)):
        scene.refuses(ErrorCode.BANNED, EVE, command, track=minutes(1))
    scene.refuses(ErrorCode.BANNED, SYSTEM, MemberAdd(person=EVE))
    assert scene.room.public.seq == before
