"""Undo: the last change that a person made to the queue, by its author or by who may arrange."""

import pytest

from protocol.errors import ErrorCode
from protocol.members import MemberSetRole
from protocol.queue import (
    QueueAdd,
    QueueClear,
    QueueMove,
    QueueRemove,
    QueueRestored,
    QueueShuffle,
    QueueUndo,
)
from protocol.rooms import QueueMode, RoomSettings, RoomUpdate, SettingsChange
from protocol.votes import VotesCast
from tests.room.people import ANN, BOB, DAN, EVE, minutes, uid
from tests.room.scenario import Scenario

UNDO = QueueUndo()


def waiting(count: int, settings: RoomSettings | None = None) -> Scenario:
    """One entry plays; behind it wait so many of Bob's, a minute each."""
    scene = Scenario(settings, present=4)
    for number in range(count + 1):
        scene.add(BOB, minutes(1, number))
    scene.loaded()
    return scene


def test_with_no_change_there_is_nothing_to_undo() -> None:
    Scenario().refuses(ErrorCode.NOTHING_TO_UNDO, ANN, UNDO)


def test_what_was_added_is_taken_out_again() -> None:
    scene = waiting(2)
    before = scene.queued
    scene.add(EVE, minutes(1))
    scene.do(EVE, UNDO)
    assert scene.queued == before
    scene.refuses(ErrorCode.NOTHING_TO_UNDO, EVE, UNDO)


def test_what_was_taken_out_is_back_where_it_stood() -> None:
    scene = waiting(3)
    before = scene.room.public.queue[:]
    for entry in before:
        scene.do(BOB, QueueRemove(entry_id=entry.entry_id))
        restored = scene.do(BOB, UNDO)[0]
        assert isinstance(restored, QueueRestored) and restored.entries == [entry]
        assert scene.room.public.queue == before


def test_what_was_moved_goes_back() -> None:
    scene = waiting(3)
    before = scene.queued
    for index in range(3):
        scene.do(BOB, QueueMove(entry_id=before[index], after=before[index - 2]))
        assert scene.queued != before
        scene.do(BOB, UNDO)
        assert scene.queued == before


def test_a_cleared_queue_is_full_again() -> None:
    scene = waiting(4)
    before = scene.room.public.queue[:]
    scene.do(ANN, QueueClear())
    assert scene.queued == []
    scene.do(ANN, UNDO)
    assert scene.room.public.queue == before


def test_a_shuffled_queue_is_in_order_again() -> None:
    scene = waiting(8)
    before = scene.queued
    scene.do(ANN, QueueShuffle())
    assert scene.queued != before and sorted(scene.queued) == sorted(before)
    scene.do(ANN, UNDO)
    assert scene.queued == before


def test_it_is_one_step_and_a_later_change_takes_its_place() -> None:
    scene = waiting(1)
    (one,) = scene.queued
    two = scene.add(BOB, minutes(1))
    scene.do(BOB, QueueRemove(entry_id=one))
    scene.do(BOB, UNDO)
    assert scene.queued == [one, two]
    scene.refuses(ErrorCode.NOTHING_TO_UNDO, BOB, UNDO)


def test_only_the_author_and_who_may_arrange_undo_it() -> None:
    scene = waiting(1)
    scene.add(EVE, minutes(1))
    scene.refuses(ErrorCode.NOT_ALLOWED, BOB, UNDO)
    scene.refuses(ErrorCode.NOT_ALLOWED, DAN, UNDO)
    scene.do(ANN, MemberSetRole(user_id=DAN.user_id, role="dj"))
    scene.do(DAN, UNDO)
    assert len(scene.queued) == 1


def test_what_has_started_since_stays() -> None:
    scene = waiting(0)
    scene.add(EVE, minutes(1))
    scene.advance(60_500)
    scene.refuses(ErrorCode.NOTHING_TO_UNDO, EVE, UNDO)
    scene = waiting(3)
    one, two, three = scene.queued
    scene.do(ANN, QueueMove(entry_id=three, after=one))
    scene.advance(60_500)
    scene.do(ANN, UNDO)
    assert scene.queued == [two, three]


def test_what_is_about_to_start_is_too_late_to_undo() -> None:
    scene = waiting(0)
    scene.add(EVE, minutes(1))
    scene.advance(60_000)
    scene.refuses(ErrorCode.ENTRY_STARTING, EVE, UNDO)


def test_what_comes_back_displaces_nothing_that_is_about_to_start() -> None:
    scene = waiting(2)
    one, two = scene.queued
    scene.do(BOB, QueueRemove(entry_id=one))
    scene.advance(60_000)
    scene.do(BOB, UNDO)
    assert scene.queued == [two, one]


def test_a_shuffle_is_undone_for_those_that_still_wait() -> None:
    scene = waiting(6)
    before = scene.queued
    scene.do(ANN, QueueShuffle())
    scene.advance(60_500)
    scene.do(ANN, UNDO)
    assert scene.queued == [entry_id for entry_id in before if entry_id != scene.current]


def test_a_queue_that_has_become_full_takes_nothing_back() -> None:
    scene = waiting(3)
    scene.do(ANN, QueueClear())
    scene.do(ANN, RoomUpdate(settings=SettingsChange(queue_limit=2)))
    assert scene.refuses(ErrorCode.QUEUE_FULL, ANN, UNDO).details == {"limit": 2}
    scene.do(ANN, RoomUpdate(settings=SettingsChange(queue_limit=3)))
    scene.do(ANN, UNDO)
    assert len(scene.queued) == 3


def test_what_the_room_did_by_itself_is_no_change_to_undo() -> None:
    scene = waiting(3, RoomSettings(queue_mode="votes", repeat="all"))
    c = scene.queued[-1]
    last = scene.add(EVE, minutes(1))
    scene.do(DAN, VotesCast(entry_id=c))
    scene.advance(60_500)
    scene.do(EVE, UNDO)
    assert last not in scene.queued


def test_an_entry_comes_back_with_its_votes_and_their_voters() -> None:
    scene = waiting(3, RoomSettings(queue_mode="votes"))
    a, b, c = scene.queued
    scene.do(DAN, VotesCast(entry_id=c))
    scene.do(EVE, VotesCast(entry_id=b))
    scene.do(ANN, QueueRemove(entry_id=c))
    scene.do(ANN, UNDO)
    assert scene.queued == [b, c, a]
    assert scene.do(DAN, VotesCast(entry_id=c)) == []
    assert [entry.votes for entry in scene.room.public.queue] == [1, 1, 0]


@pytest.mark.parametrize("mode", ["votes", "fair"])
def test_where_the_mode_orders_a_cleared_queue_stands_as_before(mode: QueueMode) -> None:
    scene = Scenario(RoomSettings(queue_mode=mode))
    for number in range(12):
        scene.add((ANN, BOB, EVE)[number % 5 % 3], minutes(1 + number % 4, number))
    scene.loaded()
    before = scene.queued
    scene.do(ANN, QueueClear())
    scene.do(ANN, UNDO)
    assert sorted(scene.queued) == sorted(before)
    if mode == "votes":
        assert scene.queued == before
    scene.do(ANN, QueueRemove(entry_id=before[3]))
    between = scene.queued
    scene.do(ANN, UNDO)
    scene.do(ANN, QueueRemove(entry_id=before[3]))
    assert scene.queued == between


@pytest.mark.parametrize("mode", ["votes", "fair"])
def test_where_the_mode_orders_no_wish_for_a_place_comes_back(mode: QueueMode) -> None:
    for change in ("move", "shuffle"):
        scene = waiting(6)
        if change == "move":
            scene.do(BOB, QueueMove(entry_id=scene.queued[0], after=scene.queued[2]))
        else:
            scene.do(ANN, QueueShuffle())
        scene.do(ANN, RoomUpdate(settings=SettingsChange(queue_mode=mode)))
        scene.refuses(ErrorCode.NOTHING_TO_UNDO, ANN, UNDO)


def test_undo_survives_a_restart() -> None:
    scene = waiting(3)
    before = scene.queued
    scene.do(ANN, QueueClear())
    scene.reload()
    scene.do(ANN, UNDO)
    assert scene.queued == before


def test_a_refused_command_is_no_change() -> None:
    scene = waiting(1)
    scene.refuses(ErrorCode.UNKNOWN_TRACK, EVE, QueueAdd(track_id=uid(1)))
    scene.refuses(ErrorCode.NOT_ALLOWED, EVE, QueueRemove(entry_id=scene.queued[0]))
    scene.refuses(ErrorCode.NOT_ALLOWED, EVE, UNDO)
    scene.do(BOB, UNDO)
    assert scene.queued == []
