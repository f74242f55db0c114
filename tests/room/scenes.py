"""The scenarios that are kept as recordings, for this machine and for the page's own fold."""

from collections.abc import Callable
from typing import Final

from protocol.chat import ChatSend, ChatSent
from protocol.errors import ErrorCode
from protocol.members import MemberAdd, MemberRemove, MemberSetRole
from protocol.playback import PlaybackPlay, PlaybackPlayEntry, PlaybackSeek
from protocol.queue import QueueAdd, QueueMove, QueueRemove
from protocol.rooms import RoomClose, RoomResume, RoomSettings, RoomSuspend, RoomUpdate
from tests.room.people import ANN, BOB, EVE, minutes, track, uid
from tests.room.scenario import Scenario
from tests.room.scenes_people import (
    a_bad_evening,
    bots_to_ask,
    chat_life,
    reactions_to_the_music,
    roles_and_hand_over,
)
from tests.room.scenes_queue import a_loop, second_thoughts, taking_turns, the_people_decide


def an_evening() -> Scenario:
    """Three people queue, chat, pause, seek and skip; the music follows the clock."""
    scene = Scenario(present=3)
    scene.system(MemberAdd(person=BOB))
    scene.add(ANN, minutes(1, 1))
    scene.add(BOB, track(48_000 * 61 + 17, 2))
    scene.advance(900)
    scene.loaded(missing=[EVE.user_id])
    scene.do(BOB, ChatSend(content='Schön! 🎶 "quoted" \\ \u2028 end'))
    said = scene.log[-1]
    assert isinstance(said, ChatSent)
    scene.advance(5_000)
    scene.do(EVE, ChatSend(content="<b>what</b> is this?", reply_to=said.message_id))
    scene.add(EVE, track(48_000 * 4 + 1, 3), after=None)
    scene.lead_ms = 431
    scene.pause(EVE)
    scene.advance(20_000)
    scene.do(EVE, PlaybackPlay(entry_id=scene.current))
    scene.advance(2_000)
    scene.seek(58_000.25, BOB)
    scene.advance(4_000)
    scene.next(BOB)
    scene.advance(70_000)
    scene.system(MemberRemove(user_id=BOB.user_id))
    return scene


def a_busy_queue() -> Scenario:
    """Entries are added, moved and removed in every place, some too late."""
    scene = Scenario(RoomSettings(queue_limit=30))
    for person in (BOB, EVE):
        scene.do(ANN, MemberSetRole(user_id=person.user_id, role="dj"))
    for number in range(8):
        scene.add(BOB, track(48_000 * 5 + number, number))
    scene.loaded()
    for step in range(20):
        scene.add(BOB, track(48_000 * 5 + step, step))
        queue = scene.queued
        scene.outcome(BOB, QueueMove(entry_id=queue[step % len(queue)], after=queue[-1]))
        scene.outcome(
            EVE, QueueAdd(track_id=uid(1), after=queue[step % len(queue)]), track=minutes(0.1)
        )
        scene.outcome((EVE, ANN)[step % 2], QueueRemove(entry_id=queue[-1 - step % len(queue)]))
        scene.outcome(EVE, QueueRemove(entry_id=queue[0]))
        scene.advance(1_237)
    scene.do(ANN, PlaybackPlayEntry(entry_id=scene.queued[-1]))
    scene.advance(3_000)
    return scene


def a_sleeping_room() -> Scenario:
    """Everybody leaves, somebody queues from afar, somebody comes back; in the end it closes."""
    scene = Scenario(RoomSettings(repeat="all"))
    for number in range(3):
        scene.add(ANN, track(48_000 * 7 + 5 * number, number))
    scene.loaded()
    scene.advance(30_000)
    scene.present = 0
    left_at_ms = scene.now_ms + 0.0
    scene.advance(60_000)
    scene.system(RoomSuspend(vacant_since_ms=left_at_ms))
    scene.add(BOB, minutes(0.2, 9))
    scene.do(ANN, PlaybackSeek(entry_id=scene.current, position_ms=1_000.0))
    scene.advance(3_600_000)
    scene.present = 2
    scene.system(RoomResume())
    scene.advance(30_000)
    scene.do(ANN, RoomUpdate(name="Kitchen at night", description="Quiet, please."))
    scene.refuses(ErrorCode.NOT_ALLOWED, BOB, RoomClose())
    scene.do(ANN, RoomClose())
    return scene


def a_radio() -> Scenario:
    """A room that is always on and repeats, with nobody in it, over many boundaries."""
    scene = Scenario(RoomSettings(repeat="all", always_on=True), present=0)
    for number in range(4):
        scene.add(ANN, track(1_234_567 + 9_001 * number, number))
    for _ in range(12):
        scene.advance(17_777)
    scene.present = 1
    scene.do(BOB, ChatSend(content="anybody here?"))
    scene.advance(60_000)
    return scene


def many_messages() -> Scenario:
    """More is said than a snapshot holds."""
    scene = Scenario()
    scene.add(ANN, minutes(3))
    for number in range(60):
        scene.do((ANN, BOB, EVE)[number % 3], ChatSend(content=f"message {number}"))
        scene.advance(977)
    return scene


SCENES: Final[dict[str, Callable[[], Scenario]]] = {
    "evening": an_evening,
    "queue": a_busy_queue,
    "sleep": a_sleeping_room,
    "radio": a_radio,
    "messages": many_messages,
    "chat": chat_life,
    "reactions": reactions_to_the_music,
    "slash": bots_to_ask,
    "roles": roles_and_hand_over,
    "moderation": a_bad_evening,
    "votes": the_people_decide,
    "fairness": taking_turns,
    "undo": second_thoughts,
    "repeat": a_loop,
}
