"""Scenes of the queue: votes, turns, undo, loops."""

from protocol.errors import ErrorCode
from protocol.members import MemberSetRole
from protocol.playback import PlaybackPlayEntry
from protocol.queue import (
    QueueAdd,
    QueueClear,
    QueueMove,
    QueueRemove,
    QueueShuffle,
    QueueUndo,
)
from protocol.rooms import RoomSettings, RoomUpdate, SettingsChange
from protocol.votes import VotesCast, VotesCount, VotesRetract, VotesSkip
from roomserver.room.context import SYSTEM
from tests.room.people import ANN, BOB, DAN, EVE, ROB, minutes, track, uid
from tests.room.scenario import Scenario


def the_people_decide() -> Scenario:
    """Entries are voted up and down; what nobody likes is skipped by vote, or nearly."""
    scene = Scenario(RoomSettings(queue_mode="votes"), present=4)
    table = SettingsChange(permissions={"skip": "moderator"})
    scene.do(ANN, RoomUpdate(settings=table))
    scene.add(ANN, minutes(3, 0))
    scene.loaded()
    names = [scene.add((ANN, BOB, EVE)[n % 3], minutes(3, n + 1)) for n in range(6)]
    for person, number in ((BOB, 4), (EVE, 4), (DAN, 5), (ANN, 2), (BOB, 5)):
        scene.do(person, VotesCast(entry_id=names[number]))
        scene.advance(700)
    scene.refuses(ErrorCode.NOT_ALLOWED, ROB, VotesCast(entry_id=names[5]))
    scene.do(BOB, VotesCast(entry_id=names[5]))
    scene.do(BOB, VotesRetract(entry_id=names[5]))
    scene.refuses(ErrorCode.FIXED_ORDER, ANN, QueueMove(entry_id=names[0], after=None))
    scene.refuses(ErrorCode.UNKNOWN_ENTRY, EVE, VotesCast(entry_id=uid(3)))
    scene.do(BOB, VotesSkip(entry_id=scene.current))
    scene.do(BOB, VotesRetract(entry_id=scene.current))
    scene.refuses(ErrorCode.NOT_ALLOWED, ROB, VotesSkip(entry_id=scene.current))
    scene.do(DAN, VotesSkip(entry_id=scene.current))
    scene.do(EVE, VotesSkip(entry_id=scene.current))
    scene.advance(20_000)
    scene.do(EVE, VotesSkip(entry_id=scene.current))
    scene.here.remove(BOB)
    scene.here.remove(DAN)
    scene.do(SYSTEM, VotesCount())
    scene.advance(20_000)
    scene.do(ANN, VotesSkip(entry_id=scene.current))
    scene.do(ANN, QueueRemove(entry_id=scene.queued[0]))
    scene.do(ANN, QueueUndo())
    scene.do(ANN, RoomUpdate(settings=SettingsChange(queue_mode="open")))
    scene.refuses(ErrorCode.NO_VOTING, BOB, VotesCast(entry_id=scene.queued[0]))
    return scene


def taking_turns() -> Scenario:
    """Fair rotation: who has queued much waits for who has been heard least; a skip is half a
    turn, and leaving gains nothing."""
    scene = Scenario(RoomSettings(queue_mode="fair"), present=4)
    for number in range(6):
        scene.add(ANN, minutes(2 + number % 3, number))
    scene.loaded()
    for number in range(3):
        scene.add(BOB, track(48_000 * 100 + 7 * number, 10 + number))
    scene.advance(30_000)
    scene.add(EVE, minutes(5, 20))
    scene.next(ANN)
    scene.advance(90_000)
    scene.add(EVE, minutes(1, 21))
    scene.do(ANN, QueueRemove(entry_id=scene.queued[-1]))
    scene.pause()
    scene.advance(10_000)
    scene.add(DAN, minutes(3, 30))
    scene.do(ANN, PlaybackPlayEntry(entry_id=scene.queued[2]))
    scene.loaded()
    scene.advance(200_000)
    scene.seek(10_000.0)
    scene.next(BOB)
    scene.advance(15 * 60_000)
    scene.add(BOB, minutes(2, 40))
    scene.do(ANN, RoomUpdate(settings=SettingsChange(repeat="all")))
    scene.advance(10 * 60_000)
    return scene


def second_thoughts() -> Scenario:
    """Every kind of change of the queue is undone, by its author or by a dj; some too late."""
    scene = Scenario(RoomSettings(queue_limit=9), present=4)
    scene.do(ANN, MemberSetRole(user_id=EVE.user_id, role="dj"))
    for number in range(7):
        scene.add((ANN, BOB)[number % 2], minutes(1, number))
    scene.loaded()
    undo = QueueUndo()
    scene.add(BOB, minutes(1, 10), after=None)
    scene.do(BOB, undo)
    scene.refuses(ErrorCode.NOTHING_TO_UNDO, BOB, undo)
    scene.do(BOB, QueueMove(entry_id=scene.queued[0], after=scene.queued[3]))
    scene.refuses(ErrorCode.NOT_ALLOWED, DAN, undo)
    scene.do(EVE, undo)
    scene.lookups.seed = 77
    scene.do(EVE, QueueShuffle())
    scene.do(ANN, undo)
    scene.do(BOB, QueueRemove(entry_id=scene.queued[4]))
    scene.do(BOB, undo)
    scene.do(EVE, QueueClear())
    scene.add(DAN, minutes(1, 20))
    scene.do(DAN, undo)
    scene.do(EVE, QueueClear())
    scene.add(DAN, minutes(1, 21))
    scene.do(EVE, QueueClear())
    scene.advance(59_900)
    scene.do(EVE, undo)
    scene.add(DAN, minutes(1, 22))
    scene.advance(200)
    scene.outcome(DAN, undo)
    return scene


def a_loop() -> Scenario:
    """One entry again and again; leaving it leaves the loop; duplicates and limits meanwhile."""
    scene = Scenario(RoomSettings(repeat="one", duplicates="refuse"), present=2)
    scene.add(ANN, track(48_000 * 7 + 1, 1))
    scene.add(BOB, track(48_000 * 20, 2))
    scene.loaded()
    scene.advance(40_000)
    scene.refuses(
        ErrorCode.DUPLICATE_ENTRY, BOB, QueueAdd(track_id=uid(1)), track=track(48_000 * 7 + 1, 1)
    )
    scene.add(BOB, track(48_000 * 9, 3), after=scene.current)
    scene.next(BOB)
    scene.advance(60_000)
    change = SettingsChange(repeat="off", entries_per_person=1)
    scene.do(ANN, RoomUpdate(settings=change))
    scene.refuses(ErrorCode.ENTRY_LIMIT, BOB, QueueAdd(track_id=uid(1)), track=minutes(1, 5))
    scene.advance(60_000)
    return scene
