"""The four modes: who adds, who chooses the place, and what orders the queue."""

import pytest

from protocol.errors import ErrorCode
from protocol.members import MemberSetRole
from protocol.queue import (
    QueueAdd,
    QueueClear,
    QueueMove,
    QueueMoved,
    QueueRemove,
    QueueShuffle,
    QueueUndo,
)
from protocol.rooms import QueueMode, RoomSettings, RoomUpdate, SettingsChange
from protocol.votes import VotesCast
from tests.room.people import ANN, BOB, DAN, EVE, minutes, uid
from tests.room.scenario import Scenario

ruled = pytest.mark.parametrize("mode", ["votes", "fair"])


def waiting(mode: QueueMode, count: int = 3) -> Scenario:
    """One entry plays; behind it wait so many, of Eve, Bob and Ann in turn, a minute each."""
    scene = Scenario(RoomSettings(queue_mode=mode), present=4)
    for number in range(count + 1):
        scene.add((ANN, EVE, BOB)[number % 3], minutes(1, number))
    scene.loaded()
    return scene


def choose(scene: Scenario, mode: QueueMode) -> None:
    scene.do(ANN, RoomUpdate(settings=SettingsChange(queue_mode=mode)))


def test_in_the_mode_djs_only_djs_and_above_add() -> None:
    scene = Scenario(RoomSettings(queue_mode="djs"), present=4)
    scene.refuses(ErrorCode.NOT_ALLOWED, EVE, QueueAdd(track_id=uid(1)), track=minutes(1))
    scene.do(ANN, MemberSetRole(user_id=EVE.user_id, role="dj"))
    scene.add(EVE, minutes(1))
    scene.add(ANN, minutes(1))


def test_who_added_before_the_mode_djs_was_chosen_keeps_the_entries() -> None:
    scene = waiting("open")
    before = scene.queued
    choose(scene, "djs")
    assert scene.queued == before


def test_in_the_mode_djs_everybody_may_still_take_out_and_undo_the_own() -> None:
    scene = Scenario(present=4)
    scene.add(ANN, minutes(1))
    one, two = (scene.add(EVE, minutes(1, number)) for number in (2, 3))
    choose(scene, "djs")
    scene.do(EVE, QueueRemove(entry_id=one))
    assert scene.queued == [two]
    scene.do(EVE, QueueUndo())
    assert scene.queued == [one, two]


@ruled
def test_where_the_mode_orders_nobody_chooses_a_place(mode: QueueMode) -> None:
    scene = waiting(mode)
    one, two, _ = scene.queued
    for after in (None, one, scene.current, uid(99)):
        added = QueueAdd(track_id=uid(1), after=after)
        scene.refuses(ErrorCode.FIXED_ORDER, ANN, added, track=minutes(1))
    scene.refuses(ErrorCode.FIXED_ORDER, ANN, QueueMove(entry_id=two, after=None))
    scene.refuses(ErrorCode.FIXED_ORDER, ANN, QueueShuffle())


@ruled
def test_where_the_mode_orders_entries_can_still_be_taken_out(mode: QueueMode) -> None:
    scene = waiting(mode)
    scene.do(ANN, QueueRemove(entry_id=scene.queued[1]))
    assert len(scene.queued) == 2
    scene.do(ANN, QueueClear())
    assert scene.queued == []


def test_most_votes_come_first_and_then_the_older() -> None:
    scene = waiting("votes", 4)
    a, b, c, d = scene.queued
    scene.do(EVE, VotesCast(entry_id=c))
    assert scene.queued == [c, a, b, d]
    scene.do(EVE, VotesCast(entry_id=d))
    assert scene.queued == [c, d, a, b]
    scene.do(BOB, VotesCast(entry_id=b))
    scene.do(DAN, VotesCast(entry_id=b))
    assert scene.queued == [b, c, d, a]
    e = scene.add(DAN, minutes(1))
    assert scene.queued == [b, c, d, a, e]


def test_the_mode_votes_orders_what_waits_when_it_is_chosen() -> None:
    scene = waiting("open", 2)
    first, second = scene.queued
    scene.advance(10)
    last = scene.add(BOB, minutes(1), after=None)
    assert scene.queued == [last, first, second]
    choose(scene, "votes")
    assert scene.queued == [first, second, last]
    moved = scene.log[-2]
    assert isinstance(moved, QueueMoved) and (moved.entry_id, moved.by) == (last, None)


def test_a_mode_that_does_not_order_leaves_the_queue_as_it_stands() -> None:
    scene = waiting("votes")
    a, b, c = scene.queued
    scene.do(EVE, VotesCast(entry_id=c))
    choose(scene, "open")
    assert scene.queued == [c, a, b]
    scene.do(ANN, QueueMove(entry_id=b, after=None))
    assert scene.queued == [b, c, a]
    choose(scene, "votes")
    assert scene.queued == [c, a, b], "the votes are still there"


@ruled
def test_a_new_mode_displaces_nothing_that_starts_within_the_lead(mode: QueueMode) -> None:
    scene = waiting("open", 1)
    scene.advance(10)
    for _ in range(2):
        scene.add(BOB, minutes(1), after=None)
    scene.advance(59_990)
    starting = scene.queued[0]
    choose(scene, mode)
    assert scene.queued[0] == starting
    assert scene.playback.upcoming[0].entry_id == starting
