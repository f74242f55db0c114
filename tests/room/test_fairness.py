"""The mode `fair` keeps what start-time fair queueing promises.

Goyal, Vin and Cheng, "Start-time fair queuing" (SIGCOMM 1996), theorem 1: of two flows that have
packets waiting throughout an interval, the service differs by at most the longest packet of each.
Here a flow is a person, and service is time heard.
"""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.playback import PlaybackPlayEntry, PlaybackStarted
from protocol.queue import QueueMoved, QueueOrdered, QueueRemove
from protocol.rooms import RoomSettings, RoomUpdate, SettingsChange
from protocol.users import Person
from tests.room.people import ANN, BOB, EVE, minutes
from tests.room.scenario import Scenario
from tests.room.turns import CROWD, SECOND, Evening

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True, database=None)
MINUTE = 60 * SECOND

people = st.sampled_from(CROWD)
lengths = st.integers(4_800, 300 * SECOND)
steps = st.one_of(
    st.tuples(st.just("add"), people, lengths),
    st.tuples(st.just("add"), people, lengths),
    st.tuples(st.just("skip"), people, st.integers(0, 9 * SECOND)),
    st.tuples(st.just("leave"), people, lengths),
    st.tuples(st.just("listen"), people, st.integers(0, 400_000)),
)


def fair_scene() -> Scenario:
    return Scenario(RoomSettings(queue_mode="fair"))


def owners(scene: Scenario) -> list[str]:
    return [entry.added_by.display_name for entry in scene.room.public.queue]


@settings(EXAMPLES, max_examples=200)
@given(st.lists(steps, min_size=10, max_size=60))
def test_two_who_wait_are_heard_alike_up_to_their_two_longest_entries(
    story: list[tuple[str, Person, int]],
) -> None:
    evening = Evening()
    for what, person, number in story:
        match what:
            case "add":
                evening.add(person, number)
            case "skip":
                evening.listen(number // 48)
                evening.skip()
            case "leave":
                evening.leave(person)
            case "listen":
                evening.listen(number)
    evening.listen(900_000)
    evening.check()


@EXAMPLES
@given(
    st.lists(people, min_size=4, max_size=40),
    st.lists(st.tuples(st.integers(0, 20), people), max_size=12),
)
def test_with_equal_lengths_at_most_two_turns_of_each_other_pass_between_two_of_mine(
    first: list[Person], later: list[tuple[int, Person]]
) -> None:
    evening = Evening()
    for person in first:
        evening.add(person, 10 * SECOND)
    for number in range(60):
        for when, person in later:
            if when == number:
                evening.add(person, 10 * SECOND)
        evening.listen(10_000)
    turns = evening.turns
    assert len(turns) == len(first) + len(later)
    for person in CROWD:
        mine = [index for index, owner in enumerate(turns) if owner == person]
        for one, two in pairwise(mine):
            # Whoever has no entry waiting has no claim to a turn.
            waited = all(person in waiting for _, waiting in _books_between(evening, one, two))
            if waited:
                others = set(turns[one + 1 : two])
                assert two - one - 1 <= 2 * len(others)


def _books_between(
    evening: Evening, one: int, two: int
) -> list[tuple[dict[Person, float], frozenset[Person]]]:
    """From the end of one turn to the start of another; ten seconds are a turn."""
    return [
        book for book in evening.books if (one + 1) * 10_000 <= sum(book[0].values()) < two * 10_000
    ]


@EXAMPLES
@given(
    st.lists(st.tuples(people, lengths), min_size=2, max_size=12),
    st.lists(lengths, min_size=1, max_size=5),
    st.integers(0, 200_000),
    st.integers(0, 200_000),
)
def test_leaving_and_coming_back_gains_nothing(
    others: list[tuple[Person, int]], mine: list[int], before_ms: int, away_ms: int
) -> None:
    starts: list[list[float]] = []
    for leaves in (False, True):
        evening = Evening()
        for person, length in others:
            if person != EVE:
                evening.add(person, length)
        for length in mine:
            evening.add(EVE, length)
        evening.listen(before_ms)
        if leaves:
            gone = evening.leave(EVE)
            evening.listen(away_ms)
            for length in mine[len(mine) - gone :]:
                evening.add(EVE, length)
        evening.listen(4_000_000)
        own = {e for e, owner in evening._owners.items() if owner == EVE}
        starts.append(
            [
                event.started_at_ms
                for event in evening.scene.log
                if isinstance(event, PlaybackStarted) and event.entry_id in own
            ]
        )
    stayed, left = starts
    assert len(stayed) == len(left) == len(mine)
    assert all(one <= two for one, two in zip(stayed, left, strict=True))


def test_people_take_turns_whatever_the_order_in_which_they_queue() -> None:
    scene = fair_scene()
    for _ in range(3):
        scene.add(ANN, minutes(3))
    for _ in range(2):
        scene.add(BOB, minutes(3))
    assert owners(scene) == ["Bob", "Ann", "Bob", "Ann"]


def test_who_queues_short_tracks_has_more_of_them_heard() -> None:
    scene = fair_scene()
    for _ in range(3):
        scene.add(ANN, minutes(6))
    for _ in range(6):
        scene.add(BOB, minutes(2))
    assert owners(scene) == ["Bob", "Bob", "Bob", "Ann", "Bob", "Bob", "Bob", "Ann"]


def test_a_newcomer_catches_up_on_nothing_that_was_before() -> None:
    evening = Evening()
    for _ in range(20):
        evening.add(ANN, MINUTE)
    evening.listen(9 * 60_000 + 30_000)
    for _ in range(5):
        evening.add(BOB, MINUTE)
    evening.listen(5 * 60_000)
    assert evening.turns == [ANN] * 10 + [BOB, ANN, BOB, ANN]


def test_a_skip_charges_only_what_was_heard() -> None:
    scene = fair_scene()
    for _ in range(2):
        scene.add(ANN, minutes(5))
    for _ in range(4):
        scene.add(BOB, minutes(2))
    scene.loaded()
    assert owners(scene) == ["Bob", "Bob", "Bob", "Ann", "Bob"]
    scene.advance(1_000)
    events = scene.next()
    assert owners(scene) == ["Ann", "Bob", "Bob", "Bob"]
    (moved,) = (event for event in events if isinstance(event, QueueMoved | QueueOrdered))
    assert isinstance(moved, QueueMoved) and moved.by is None, "the room says so in one event"


def test_after_a_skip_the_same_person_may_come_next() -> None:
    scene = fair_scene()
    scene.add(ANN, minutes(1))
    scene.add(BOB, minutes(5))
    scene.add(ANN, minutes(5))
    scene.add(ANN, minutes(5))
    scene.add(BOB, minutes(5))
    scene.loaded()
    scene.advance(60_500)
    # Bob plays; Ann's next is at one minute, Bob's at five.
    assert scene.playback.entry is not None and scene.playback.entry.added_by == BOB
    scene.advance(1_000)
    scene.next()
    assert scene.playback.entry is not None and scene.playback.entry.added_by == BOB
    assert scene.playback.status == "waiting", "another was to come, and people have not loaded it"


def test_seeking_back_is_charged_and_reorders_what_waits() -> None:
    scene = fair_scene()
    for _ in range(2):
        scene.add(ANN, minutes(2))
        scene.add(BOB, minutes(3))
    scene.loaded()
    assert owners(scene) == ["Bob", "Ann", "Bob"]
    scene.advance(110_000)
    scene.seek(0)
    assert owners(scene) == ["Bob", "Bob", "Ann"]


def test_an_entry_that_is_called_up_is_its_owners_turn() -> None:
    scene = fair_scene()
    for person in (ANN, BOB, EVE):
        for _ in range(3):
            scene.add(person, minutes(1))
    assert owners(scene) == ["Bob", "Eve", "Ann", "Bob", "Eve", "Ann", "Bob", "Eve"]
    scene.loaded()
    scene.advance(29_000)
    scene.do(ANN, PlaybackPlayEntry(entry_id=scene.queued[-1]))
    # Ann was heard for half a minute; Eve's last becomes her first, and the others come after it.
    assert owners(scene) == ["Bob", "Ann", "Eve", "Bob", "Ann", "Eve", "Bob"]


def test_the_mode_orders_what_waits_when_it_is_chosen_and_what_plays_counts() -> None:
    scene = Scenario()
    for _ in range(4):
        scene.add(ANN, minutes(3))
    for _ in range(2):
        scene.add(BOB, minutes(3))
    scene.do(ANN, RoomUpdate(settings=SettingsChange(queue_mode="fair")))
    assert owners(scene) == ["Bob", "Ann", "Bob", "Ann", "Ann"]
    scene.do(ANN, RoomUpdate(settings=SettingsChange(queue_mode="open")))
    assert owners(scene) == ["Bob", "Ann", "Bob", "Ann", "Ann"]
    scene.add(BOB, minutes(1), after=None)
    assert owners(scene)[0] == "Bob"


def test_what_starts_within_the_lead_is_not_displaced_by_a_newcomer() -> None:
    scene = fair_scene()
    for _ in range(3):
        scene.add(ANN, minutes(1))
    scene.loaded()
    scene.advance(60_000)
    starting = scene.queued[0]
    scene.add(BOB, minutes(1))
    assert scene.queued[0] == starting
    assert owners(scene) == ["Ann", "Bob", "Ann"] or owners(scene) == ["Ann", "Ann", "Bob"]


def test_who_leaves_in_debt_still_owes_on_return() -> None:
    evening = Evening()
    evening.add(ANN, 10 * MINUTE)
    for _ in range(6):
        evening.add(BOB, MINUTE)
    evening.listen(10 * 60_000)
    evening.leave(ANN)
    evening.add(ANN, MINUTE)
    assert [entry.added_by for entry in evening.scene.room.public.queue][-1] == ANN


def test_whoever_is_skipped_all_the_time_is_not_charged_for_it() -> None:
    evening = Evening()
    for _ in range(40):
        evening.add(ANN, 3 * MINUTE)
        evening.add(BOB, 3 * MINUTE)
    for _ in range(40):
        evening.listen(1_000)
        if evening.scene.playback.entry and evening.scene.playback.entry.added_by == ANN:
            evening.skip()
        else:
            evening.listen(3 * 60_000)
    evening.check()


def test_what_is_taken_out_unheard_is_not_charged() -> None:
    scene = fair_scene()
    scene.add(ANN, minutes(1))
    first, *_ = [scene.add(BOB, minutes(3)) for _ in range(3)]
    for _ in range(4):
        scene.add(ANN, minutes(1))
    assert owners(scene) == ["Bob", "Ann", "Ann", "Bob", "Ann", "Ann", "Bob"]
    scene.do(BOB, QueueRemove(entry_id=first))
    assert owners(scene) == ["Bob", "Ann", "Ann", "Ann", "Bob", "Ann"]
    scene.do(BOB, QueueRemove(entry_id=scene.queued[4]))
    scene.add(BOB, minutes(3))
    assert owners(scene) == ["Bob", "Ann", "Ann", "Ann", "Bob", "Ann"]
