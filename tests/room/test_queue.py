"""The queue in open mode, and what is too late to touch."""

from protocol.errors import ErrorCode
from protocol.ids import derive
from protocol.permissions import Permissions
from protocol.queue import (
    QueueAdd,
    QueueAdded,
    QueueClear,
    QueueCleared,
    QueueMove,
    QueueMoved,
    QueueRemove,
    QueueRemoved,
    QueueShuffle,
)
from protocol.rooms import RoomSettings
from tests.room.people import ANN, BOB, EVE, minutes, track, uid
from tests.room.scenario import NOON_MS, Scenario


def queued(count: int, settings: RoomSettings | None = None) -> Scenario:
    """One entry plays since noon + 250 ms; behind it wait `count` of Bob's, a minute each."""
    scene = Scenario(settings)
    for number in range(count + 1):
        scene.add(BOB, minutes(1, number))
    scene.loaded()
    return scene


def test_an_entry_goes_to_the_end_or_behind_another_or_first() -> None:
    scene = queued(2)
    one, two = scene.queued
    last = scene.add(EVE, minutes(1))
    first = scene.add(EVE, minutes(1), after=None)
    middle = scene.add(EVE, minutes(1), after=one)
    assert scene.queued == [first, one, middle, two, last]


def test_an_event_tells_behind_which_entry_the_new_one_stands() -> None:
    scene = queued(1)
    (one,) = scene.queued
    scene.add(EVE, minutes(3, 9))
    added = scene.log[-1]
    assert isinstance(added, QueueAdded)
    assert added.after == one
    assert (added.entry.added_by, added.entry.added_at_ms) == (EVE, NOON_MS)
    assert added.entry.track == minutes(3, 9)


def test_entries_are_named_after_the_event_that_made_them() -> None:
    scene = queued(1)
    public = scene.room.public
    seq = public.seq + 1
    assert scene.add(EVE, minutes(1)) == derive(public.room.room_id, public.lineage, seq)


def test_behind_the_current_entry_is_first() -> None:
    scene = queued(2)
    entry_id = scene.add(EVE, minutes(1), after=scene.current)
    assert scene.queued[0] == entry_id
    assert isinstance(scene.log[-2], QueueAdded) and scene.log[-2].after is None
    scene.do(BOB, QueueMove(entry_id=scene.queued[2], after=scene.current))
    assert scene.queued[1] == entry_id


def test_a_track_that_is_unknown_or_hardly_there_is_refused() -> None:
    scene = Scenario()
    scene.refuses(ErrorCode.UNKNOWN_TRACK, BOB, QueueAdd(track_id=uid(4)))
    for samples in (0, 4_799):
        command = QueueAdd(track_id=uid(4))
        scene.refuses(ErrorCode.UNKNOWN_TRACK, BOB, command, track=track(samples))
    scene.add(BOB, track(4_800))


def test_a_full_queue_takes_no_more() -> None:
    scene = queued(2, RoomSettings(queue_limit=3))
    scene.add(BOB, minutes(1))
    command = QueueAdd(track_id=uid(0x7001))
    refusal = scene.refuses(ErrorCode.QUEUE_FULL, BOB, command, track=minutes(1))
    assert refusal.details == {"limit": 3}
    scene.next()
    scene.add(BOB, minutes(1))


def test_an_entry_that_is_not_there_is_refused_everywhere() -> None:
    scene = queued(1)
    (one,) = scene.queued
    gone = uid(5)
    added = QueueAdd(track_id=uid(0x7001), after=gone)
    scene.refuses(ErrorCode.UNKNOWN_ENTRY, BOB, added, track=minutes(1))
    scene.refuses(ErrorCode.UNKNOWN_ENTRY, BOB, QueueRemove(entry_id=gone))
    scene.refuses(ErrorCode.UNKNOWN_ENTRY, BOB, QueueMove(entry_id=gone, after=None))
    scene.refuses(ErrorCode.UNKNOWN_ENTRY, BOB, QueueMove(entry_id=one, after=gone))
    scene.refuses(ErrorCode.UNKNOWN_ENTRY, BOB, QueueRemove(entry_id=scene.current))


def test_a_removed_entry_is_gone() -> None:
    scene = queued(2)
    one, two = scene.queued
    assert scene.do(BOB, QueueRemove(entry_id=one))[0] == QueueRemoved(
        at_ms=NOON_MS, entry_id=one, by=BOB
    )
    assert scene.queued == [two]


def test_entries_move_forwards_and_backwards() -> None:
    scene = queued(4)
    a, b, c, d = scene.queued
    assert scene.do(BOB, QueueMove(entry_id=a, after=c))[0] == QueueMoved(
        at_ms=NOON_MS, entry_id=a, after=c, by=BOB
    )
    assert scene.queued == [b, c, a, d]
    scene.do(BOB, QueueMove(entry_id=d, after=b))
    assert scene.queued == [b, d, c, a]
    scene.do(BOB, QueueMove(entry_id=a, after=None))
    assert scene.queued == [a, b, d, c]


def test_moving_an_entry_to_where_it_stands_is_no_event() -> None:
    scene = queued(2)
    one, two = scene.queued
    assert scene.do(BOB, QueueMove(entry_id=one, after=None)) == []
    assert scene.do(BOB, QueueMove(entry_id=two, after=one)) == []
    assert scene.do(BOB, QueueMove(entry_id=two, after=two)) == []
    assert scene.queued == [one, two]


def test_a_listener_touches_only_own_entries_and_the_owner_all() -> None:
    scene = queued(2)
    one, two = scene.queued
    scene.refuses(ErrorCode.NOT_ALLOWED, EVE, QueueRemove(entry_id=one))
    scene.refuses(ErrorCode.NOT_ALLOWED, EVE, QueueMove(entry_id=two, after=None))
    scene.do(BOB, QueueMove(entry_id=two, after=None))
    scene.do(BOB, QueueRemove(entry_id=two))
    scene.do(ANN, QueueRemove(entry_id=one))
    assert scene.queued == []


def test_what_starts_within_the_lead_is_not_touched_and_what_follows_it_is() -> None:
    scene = queued(3)
    one, two, three = scene.queued
    scene.advance(60_000)
    code = ErrorCode.ENTRY_STARTING
    added = QueueAdd(track_id=uid(0x7001), after=None)
    scene.refuses(code, ANN, added, track=minutes(1))
    scene.refuses(code, ANN, QueueRemove(entry_id=one))
    scene.refuses(code, ANN, QueueMove(entry_id=one, after=two))
    scene.refuses(code, ANN, QueueMove(entry_id=two, after=None))
    scene.do(ANN, QueueMove(entry_id=three, after=one))
    four = scene.add(ANN, minutes(1), after=one)
    scene.do(ANN, QueueRemove(entry_id=two))
    assert scene.queued == [one, four, three]


def test_until_the_lead_before_its_start_an_entry_may_be_replaced() -> None:
    scene = queued(1)
    scene.advance(59_999)
    scene.do(ANN, QueueRemove(entry_id=scene.queued[0]))
    assert scene.playback.upcoming == []


def test_an_entry_limit_is_for_each_person_and_counts_what_waits() -> None:
    scene = Scenario(RoomSettings(entries_per_person=2))
    for _ in range(3):
        scene.add(BOB, minutes(1))
    add = QueueAdd(track_id=uid(0x7001))
    refusal = scene.refuses(ErrorCode.ENTRY_LIMIT, BOB, add, track=minutes(1))
    assert refusal.details == {"limit": 2}
    scene.add(EVE, minutes(1))
    scene.loaded()
    scene.next()
    scene.add(BOB, minutes(1))


def test_a_track_that_plays_or_waits_is_refused_where_duplicates_are() -> None:
    scene = Scenario(RoomSettings(duplicates="refuse"))
    for number in (1, 2):
        scene.add(BOB, minutes(1, number))
    for number in (1, 2):
        add = QueueAdd(track_id=uid(0x7000 + number))
        scene.refuses(ErrorCode.DUPLICATE_ENTRY, EVE, add, track=minutes(1, number))
    scene.next()
    scene.add(EVE, minutes(1, 1))


def test_clearing_keeps_what_is_about_to_start() -> None:
    scene = queued(3)
    scene.advance(60_000)
    one, *_ = scene.queued
    (cleared,) = scene.do(ANN, QueueClear())[:1]
    assert cleared == QueueCleared(at_ms=scene.now_ms, by=ANN, kept=[one])
    assert scene.queued == [one]
    assert scene.do(ANN, QueueClear()) == []


def test_a_shuffle_follows_its_seed_and_leaves_what_is_about_to_start() -> None:
    orders = []
    for seed in (1, 1, 2):
        scene = queued(9)
        scene.lookups.seed = seed
        scene.advance(60_000)
        starting, *rest = scene.queued
        scene.do(ANN, QueueShuffle())
        assert scene.queued[0] == starting
        assert scene.queued[1:] != rest and sorted(scene.queued[1:]) == sorted(rest)
        orders.append(scene.queued)
    assert orders[0] == orders[1] != orders[2]


def test_nothing_to_shuffle_is_no_event() -> None:
    scene = queued(1)
    assert scene.do(ANN, QueueShuffle()) == []


def test_clearing_and_shuffling_are_for_those_who_arrange() -> None:
    scene = queued(2)
    scene.refuses(ErrorCode.NOT_ALLOWED, EVE, QueueClear())
    scene.refuses(ErrorCode.NOT_ALLOWED, EVE, QueueShuffle())


def test_to_choose_a_place_takes_the_right_to() -> None:
    scene = queued(2, RoomSettings(permissions=Permissions(place="dj")))
    add = QueueAdd(track_id=uid(0x7001), after=None)
    assert scene.refuses(ErrorCode.NOT_ALLOWED, EVE, add, track=minutes(1)).details == {
        "action": "place"
    }
    scene.add(EVE, minutes(1))
