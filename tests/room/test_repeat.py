"""Repeat: one entry in a loop without a gap, or all of them in turn."""

from protocol.errors import ErrorCode
from protocol.permissions import Permissions
from protocol.playback import PlaybackEnded, PlaybackPlayEntry, PlaybackStarted
from protocol.queue import QueueAdd, QueueClear, QueueMove, QueueRemove, QueueShuffle, QueueUndo
from protocol.rooms import Repeat, RoomResume, RoomSettings, RoomSuspend, RoomUpdate, SettingsChange
from protocol.votes import VotesSkip
from tests.room.people import ANN, BOB, EVE, minutes, track, uid
from tests.room.scenario import NOON_MS, Scenario


def looping(*lengths: float, settings: RoomSettings | None = None) -> Scenario:
    """The first of Bob's tracks plays since noon + 250 ms, again and again; the others wait."""
    scene = Scenario(settings or RoomSettings(repeat="one"), present=2)
    for number, length in enumerate(lengths):
        scene.add(BOB, minutes(length, number))
    scene.loaded()
    return scene


def choose(scene: Scenario, repeat: Repeat) -> None:
    scene.do(ANN, RoomUpdate(settings=SettingsChange(repeat=repeat)))


def titles(scene: Scenario) -> list[str]:
    """What plays, and what waits."""
    entry = scene.playback.entry
    assert entry is not None
    return [entry.track.title, *(one.track.title for one in scene.room.public.queue)]


def test_the_next_round_is_agreed_upon_like_any_entry_that_follows() -> None:
    scene = looping(1, 1)
    copy, _ = scene.room.public.queue
    assert (copy.track.title, copy.added_by, copy.again) == ("Track 0", BOB, True)
    (start,) = scene.playback.upcoming
    assert (start.entry_id, start.started_at_ms) == (copy.entry_id, NOON_MS + 60_250)


def test_a_loop_has_no_gap_and_each_round_ends_once() -> None:
    scene = looping(1, 1)
    scene.advance(10 * 60_000)
    starts = [e.started_at_ms for e in scene.log if isinstance(e, PlaybackStarted)]
    assert starts == [NOON_MS + 250 + 60_000 * round_ for round_ in range(10)]
    ends = [event.entry_id for event in scene.log if isinstance(event, PlaybackEnded)]
    assert len(set(ends)) == len(ends) == 9
    assert titles(scene) == ["Track 0", "Track 0", "Track 1"]


def test_the_plan_of_a_short_loop_reaches_as_far_ahead_as_any() -> None:
    scene = Scenario(RoomSettings(repeat="one", always_on=True), present=0)
    scene.add(BOB, track(48_000 * 4 + 1))
    scene.add(BOB, minutes(3, 2))
    assert titles(scene) == ["Track 1"] * 5 + ["Track 2"]
    scene.advance(60_000)
    assert titles(scene) == ["Track 1"] * 5 + ["Track 2"]


def test_a_loop_that_is_left_for_silence_leaves_no_plan_behind() -> None:
    scene = looping(1)
    scene.next()
    assert (scene.playback.status, scene.queued, scene.playback.upcoming) == ("idle", [], [])


def test_to_skip_leaves_the_loop_and_the_next_entry_is_in_one() -> None:
    scene = looping(1, 2, 3)
    scene.advance(20_000)
    scene.next()
    assert titles(scene) == ["Track 1", "Track 1", "Track 2"]


def test_with_nothing_else_waiting_to_skip_ends_the_music() -> None:
    scene = looping(1)
    scene.next()
    assert (scene.playback.status, scene.queued) == ("idle", [])


def test_a_vote_and_a_call_leave_the_loop_too() -> None:
    voted = RoomSettings(repeat="one", permissions=Permissions(skip="dj"))
    scene = looping(1, 2, 3, settings=voted)
    scene.do(BOB, VotesSkip(entry_id=scene.current))
    assert titles(scene) == ["Track 1", "Track 1", "Track 2"]
    scene.do(ANN, PlaybackPlayEntry(entry_id=scene.queued[-1]))
    assert titles(scene) == ["Track 2", "Track 2"]


def test_repeat_can_be_set_and_taken_back_while_an_entry_plays() -> None:
    scene = looping(1, 2, settings=RoomSettings())
    choose(scene, "one")
    assert titles(scene) == ["Track 0", "Track 0", "Track 1"]
    choose(scene, "off")
    assert titles(scene) == ["Track 0", "Track 1"]


def test_a_round_that_starts_within_the_lead_is_still_played() -> None:
    scene = looping(1, 2)
    scene.advance(60_000)
    choose(scene, "off")
    assert titles(scene) == ["Track 0", "Track 0", "Track 1"]
    scene.advance(60_000)
    assert titles(scene) == ["Track 0", "Track 1"]


def test_a_loop_displaces_nothing_that_starts_within_the_lead() -> None:
    scene = looping(1, 2, 3, settings=RoomSettings())
    scene.advance(60_000)
    choose(scene, "one")
    assert titles(scene) == ["Track 0", "Track 1", "Track 2"]
    scene.advance(1_000)
    assert titles(scene) == ["Track 1", "Track 1", "Track 2"]


def test_what_people_do_to_the_queue_happens_behind_the_loop() -> None:
    scene = looping(1, 2, 3)
    copy, one, two = scene.queued
    first = scene.add(EVE, minutes(1, 9), after=None)
    assert scene.queued == [copy, first, one, two]
    scene.do(ANN, QueueMove(entry_id=two, after=scene.current))
    assert scene.queued == [copy, two, first, one]
    scene.refuses(ErrorCode.FIXED_ORDER, ANN, QueueMove(entry_id=copy, after=two))
    scene.do(ANN, QueueShuffle())
    assert scene.queued[0] == copy
    scene.do(ANN, QueueClear())
    assert scene.queued == [copy]


def test_a_copy_that_is_taken_out_comes_back_and_is_nothing_to_undo() -> None:
    scene = looping(1)
    scene.do(ANN, QueueRemove(entry_id=scene.queued[0]))
    assert titles(scene) == ["Track 0", "Track 0"]
    assert scene.room.private.queue.change is not None
    scene.refuses(ErrorCode.NOTHING_TO_UNDO, BOB, QueueUndo())


def test_copies_do_not_count_for_the_limit_of_a_person() -> None:
    for repeat in ("one", "all"):
        scene = looping(1, settings=RoomSettings(repeat=repeat, entries_per_person=1))
        scene.add(BOB, minutes(1, 5))
        scene.advance(90_000)
        scene.outcome(BOB, QueueAdd(track_id=uid(1)), track=minutes(1, 6))
        mine = [entry for entry in scene.room.public.queue if not entry.again]
        assert len(mine) == 1


def test_a_loop_sleeps_and_wakes_with_the_room() -> None:
    scene = looping(1, 2)
    scene.advance(30_250)
    scene.present = 0
    scene.system(RoomSuspend(vacant_since_ms=float(scene.now_ms)))
    scene.advance(3_600_000)
    scene.present = 1
    scene.system(RoomResume())
    scene.advance(250 + 30_000)
    assert titles(scene) == ["Track 0", "Track 0", "Track 1"]
    assert len([event for event in scene.log if isinstance(event, PlaybackEnded)]) == 1


def test_all_goes_round_in_order_and_marks_what_comes_again() -> None:
    scene = looping(1, 1, 1, settings=RoomSettings(repeat="all"))
    scene.advance(60_000)
    scene.advance(500)
    assert titles(scene) == ["Track 1", "Track 2", "Track 0"]
    assert [entry.again for entry in scene.room.public.queue] == [False, True]


def test_all_keeps_turns_in_the_mode_fair() -> None:
    fair = RoomSettings(repeat="all", queue_mode="fair")
    scene = Scenario(fair)
    for _ in range(3):
        scene.add(ANN, minutes(1))
    scene.add(BOB, minutes(1))
    scene.loaded()
    scene.advance(1_000)
    people = []
    for _ in range(8):
        assert scene.playback.entry is not None
        people.append(scene.playback.entry.added_by)
        scene.advance(60_000)
    assert people == [ANN, BOB] * 4


def test_a_fair_loop_is_nobodys_turn() -> None:
    scene = Scenario(RoomSettings(queue_mode="fair", repeat="one"))
    for person in (ANN, BOB, ANN, BOB):
        scene.add(person, minutes(1))
    scene.loaded()
    scene.advance(10 * 60_000 + 5_000)
    scene.next()
    assert scene.playback.entry is not None and scene.playback.entry.added_by == BOB
    scene.loaded()
    scene.advance(10 * 60_000 + 5_000)
    scene.next()
    assert scene.playback.entry is not None and scene.playback.entry.added_by == ANN
