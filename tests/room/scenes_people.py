"""Scenes of people: roles and hand-over, moderation, chat life, reactions to the music."""

from protocol.chat import ChatDelete, ChatEdit, ChatReact, ChatSend, ChatSent
from protocol.errors import ErrorCode
from protocol.members import MemberAdd, MemberRemove, MemberSetRole
from protocol.moderation import MemberBan, MemberKick, MemberMute, MemberUnban, MemberUnmute
from protocol.owner import OwnerSucceed, OwnerTransfer
from protocol.playback import PlaybackNext
from protocol.queue import QueueAdd, QueueRemove
from protocol.reactions import ReactionsCount, ReactionSend
from protocol.rooms import RoomUpdate, SettingsChange
from protocol.slash import SlashOffer, SlashRegister
from protocol.users import Person
from tests.room.people import ANN, BOB, DAN, EVE, ROB, VIC, minutes, uid
from tests.room.scenario import Scenario


def say(scene: Scenario, by: Person, command: ChatSend) -> str:
    """Say something; the new message's name."""
    (said,) = scene.do(by, command)
    assert isinstance(said, ChatSent)
    return said.message_id


def roles_and_hand_over() -> Scenario:
    """Roles come and go, the table is changed, the room changes hands three times."""
    scene = Scenario(present=4)
    for person in (EVE, BOB, DAN):
        scene.system(MemberAdd(person=person))
        scene.advance(1_000)
    scene.do(ANN, MemberSetRole(user_id=EVE.user_id, role="moderator"))
    scene.do(EVE, MemberSetRole(user_id=BOB.user_id, role="dj"))
    scene.do(EVE, MemberSetRole(user_id=ROB.user_id, role="dj"))
    scene.refuses(ErrorCode.OUTRANKED, EVE, MemberSetRole(user_id=DAN.user_id, role="moderator"))
    table = {"skip": "dj", "add": "listener", "update": "moderator"}
    scene.do(ANN, RoomUpdate(settings=SettingsChange(permissions=table)))  # type: ignore[arg-type]
    scene.add(DAN, minutes(2, 1))
    scene.add(BOB, minutes(2, 2))
    scene.loaded()
    scene.refuses(ErrorCode.NOT_ALLOWED, DAN, PlaybackNext(entry_id=scene.current))
    scene.do(BOB, PlaybackNext(entry_id=scene.current))
    scene.do(EVE, RoomUpdate(name="Eve's kitchen", description="Ann is on holiday."))
    scene.refuses(ErrorCode.NOT_ALLOWED, EVE, RoomUpdate(visibility="private"))
    scene.refuses(ErrorCode.ACCOUNT_REQUIRED, ANN, OwnerTransfer(user_id=BOB.user_id))
    scene.do(ANN, OwnerTransfer(user_id=DAN.user_id))
    scene.do(DAN, RoomUpdate(visibility="private"))
    scene.do(DAN, MemberSetRole(user_id=BOB.user_id, role="listener"))
    scene.advance(31 * 24 * 3_600_000)
    scene.system(OwnerSucceed(reason="absent"))
    scene.system(MemberRemove(user_id=ROB.user_id))
    scene.system(OwnerSucceed(reason="account_deleted"))
    return scene


def a_bad_evening() -> Scenario:
    """Somebody is silenced, put out, kept out, and let in again."""
    scene = Scenario(present=4)
    scene.system(MemberAdd(person=EVE))
    scene.do(ANN, MemberSetRole(user_id=EVE.user_id, role="moderator"))
    scene.system(MemberAdd(person=DAN))
    scene.add(DAN, minutes(3, 1))
    scene.loaded()
    shout = ChatSend(content="LISTEN TO ME")
    said = say(scene, DAN, shout)
    scene.do(EVE, ChatDelete(message_id=said))
    scene.do(EVE, MemberMute(user_id=DAN.user_id, duration_ms=60_000, reason="shouting"))
    scene.refuses(ErrorCode.MUTED, DAN, shout)
    scene.do(EVE, MemberMute(user_id=BOB.user_id))
    scene.advance(30_000)
    scene.do(ANN, MemberUnmute(user_id=BOB.user_id))
    scene.advance(30_000)
    say(scene, DAN, shout)
    scene.do(EVE, MemberKick(user_id=DAN.user_id, reason="still shouting"))
    scene.system(MemberAdd(person=DAN))
    scene.refuses(ErrorCode.OUTRANKED, EVE, MemberBan(user_id=ANN.user_id))
    scene.do(EVE, MemberBan(user_id=DAN.user_id, duration_ms=3_600_000, reason="enough"))
    scene.refuses(ErrorCode.BANNED, DAN, QueueAdd(track_id=uid(1)), track=minutes(1))
    scene.do(ANN, MemberBan(user_id=BOB.user_id, by_address=True))
    scene.do(ANN, MemberUnban(user_id=DAN.user_id))
    scene.system(MemberAdd(person=DAN))
    scene.do(DAN, ChatSend(content="sorry"))
    scene.advance(600_000)
    scene.do(ANN, MemberUnban(user_id=BOB.user_id))
    return scene


def chat_life() -> Scenario:
    """Mentions, replies, second thoughts, and what people think of it."""
    scene = Scenario(present=4)
    scene.add(ANN, minutes(4))
    scene.loaded()
    scene.advance(61_500)
    first = say(scene, BOB, ChatSend(content="@Eve helo", mentions=[EVE.user_id, EVE.user_id]))
    scene.do(BOB, ChatEdit(message_id=first, content="@Eve hello", mentions=[EVE.user_id]))
    answer = say(scene, EVE, ChatSend(content="👋 hello", reply_to=first))
    for person, emoji in ((ANN, "❤️"), (BOB, "❤️"), (DAN, "😂"), (ANN, "🎉")):
        scene.do(person, ChatReact(message_id=answer, emoji=emoji))  # type: ignore[arg-type]
        scene.advance(333)
    scene.do(ANN, ChatReact(message_id=answer, emoji="❤️", on=False))
    scene.do(DAN, ChatReact(message_id=answer, emoji="😂", on=False))
    wrong = say(scene, DAN, ChatSend(content="wrong room"))
    scene.do(EVE, ChatReact(message_id=wrong, emoji="😮"))
    scene.do(DAN, ChatDelete(message_id=wrong))
    say(scene, EVE, ChatSend(content="what was that?", reply_to=wrong))
    for number in range(50):
        scene.do(EVE, ChatSend(content=f"and then {number}"))
    scene.do(BOB, ChatEdit(message_id=first, content="@Eve good evening"))
    scene.do(ANN, ChatDelete(message_id=answer))
    scene.refuses(ErrorCode.UNKNOWN_MESSAGE, ANN, ChatReact(message_id=answer, emoji="👏"))
    return scene


def reactions_to_the_music() -> Scenario:
    """What people feel, second by second, and nothing in silence."""
    scene = Scenario(present=4)
    fire = ReactionSend(emoji="🔥")
    scene.refuses(ErrorCode.NOTHING_PLAYING, BOB, fire)
    scene.add(ANN, minutes(1, 1))
    scene.add(ANN, minutes(1, 2))
    scene.loaded()
    scene.do(BOB, fire)
    for step in range(8):
        scene.advance(1_250)
        scene.system(ReactionsCount(counts={"🔥": 1 + step % 3, "💃": 2}))
    scene.seek(50_000.0)
    scene.advance(5_000)
    scene.do(EVE, ReactionSend(emoji="👎"))
    scene.next()
    scene.do(EVE, ReactionSend(emoji="🎉"))
    scene.pause()
    scene.refuses(ErrorCode.NOTHING_PLAYING, EVE, fire)
    scene.refuses(ErrorCode.UNKNOWN_ENTRY, ANN, QueueRemove(entry_id=uid(3)))
    return scene


def bots_to_ask() -> Scenario:
    """Bots offer slash commands, in each other's way; what is gone with them, and what stays."""
    scene = Scenario(present=2)
    skip = SlashOffer(name="skip", description="Vote for the next track")
    add = SlashOffer(name="add", description="Queue a track — eins, zwei", hint="<title>")
    scene.do(ROB, SlashRegister(commands=[skip, add]))
    scene.refuses(ErrorCode.NAME_TAKEN, VIC, SlashRegister(commands=[add]))
    scene.do(VIC, SlashRegister(commands=[SlashOffer(name="dice", description="Throw one")]))
    say(scene, BOB, ChatSend(content="/add Blue"))
    scene.do(ROB, SlashRegister(commands=[skip]))
    scene.do(ANN, MemberKick(user_id=ROB.user_id))
    scene.do(VIC, SlashRegister(commands=[add, skip]))
    scene.do(ANN, MemberMute(user_id=VIC.user_id, duration_ms=60_000))
    scene.do(ANN, MemberBan(user_id=VIC.user_id, duration_ms=1_000))
    scene.advance(60_000)
    for bot in (VIC, ROB):
        own = SlashOffer(name=bot.display_name.lower(), description="Me")
        scene.do(bot, SlashRegister(commands=[own]))
    scene.system(MemberRemove(user_id=ROB.user_id))
    scene.do(VIC, SlashRegister(commands=[]))
    scene.do(ROB, SlashRegister(commands=[skip]))
    return scene
