"""Who heard how much: a real room with real presence, on a clock that the test moves."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.catalog import RoomEvent
from protocol.playback import PlaybackPlay
from protocol.queue import Entry, QueueAdded
from protocol.rooms import RoomResume, RoomSuspend
from protocol.users import Person
from roomserver.home.heard import SOUNDS, Heard
from roomserver.home.presence import Presence
from tests.room.people import ANN, BOB, EVE, ROB, track
from tests.room.scenario import Scenario

STEP_MS = 500
"""Everything happens at multiples of this, so that what was heard can be counted in steps."""


class Hall:
    """A room, who is in it, and who heard how much of what."""

    def __init__(self, *lengths_ms: int, lead_ms: int = 0) -> None:
        self.scene = Scenario()
        self.scene.lead_ms = lead_ms
        self.heard = Heard(self.scene.playback, self.scene.now_ms)
        self.presence = Presence(20_000, self.scene.now_ms, self.heard.leave)
        self.counted: dict[tuple[str, str], int] = {}
        """(name, entry) -> ms, as the rows of listens would have it."""
        self.told = 0
        self.entries: dict[str, Entry] = {}
        for number, length_ms in enumerate(lengths_ms):
            self.scene.add(ANN, track(length_ms * 48, number))

    def come(self, who: Person, tab: str = "a") -> None:
        conn = f"{who.user_id} {tab}"
        self.presence.arrive(conn, "node:x", who, 20.0, now_ms=self.scene.now_ms)

    def go(self, who: Person, tab: str = "a", *, explicit: bool = True) -> None:
        self.presence.depart(f"{who.user_id} {tab}", explicit, self.scene.now_ms)

    def play(self) -> str:
        """Start the music; returns the entry."""
        self.scene.loaded()
        self.follow()
        return self.scene.current

    def advance(self, ms: int) -> None:
        self.scene.advance(ms)
        self.presence.expire(self.scene.now_ms)
        self.follow()

    def follow(self) -> None:
        """Hear the events that are new, then look, as the home does after a batch."""
        for event in self.scene.log[self.told :]:
            self._hear(event)
        self.told = len(self.scene.log)
        for row in self.heard.look(self.presence.stays(), self.scene.now_ms):
            self._count(row.user_id, row.play_id, row.heard_ms)

    def _hear(self, event: RoomEvent) -> None:
        if isinstance(event, QueueAdded):
            self.entries[event.entry.entry_id] = event.entry
        if isinstance(event, SOUNDS):
            entry = self.entries.get(getattr(event, "entry_id", ""))
            for row in self.heard.take(event, (entry, None), self.presence.stays()):
                self._count(row.user_id, row.play_id, row.heard_ms)

    def _count(self, user_id: str, play_id: str, heard_ms: int) -> None:
        assert heard_ms >= self.counted.get((user_id, play_id), 0), "what was heard is heard"
        self.counted[user_id, play_id] = heard_ms

    def of(self, who: Person) -> list[int]:
        """What a person heard, of each entry that counts."""
        return [ms for (user_id, _), ms in self.counted.items() if user_id == who.user_id]


def hears(length_ms: int, heard_ms: int) -> bool:
    """Whether so much of a track of that length counts: Bob leaves, Ann stays."""
    hall = Hall(length_ms, lead_ms=250)
    hall.come(BOB)
    hall.play()
    hall.advance(250 + heard_ms)
    hall.go(BOB)
    hall.advance(length_ms)
    assert hall.of(BOB) in ([], [min(heard_ms, length_ms)])
    return bool(hall.of(BOB))


def test_half_of_a_track_counts_and_of_a_long_one_four_minutes() -> None:
    for length_ms, heard_ms, counts in (
        (29_900, 29_900, False),
        (30_000, 30_000, False),
        (30_100, 30_100, True),
        (30_100, 15_049, False),
        (30_100, 15_050, True),
        (100_000, 49_000, False),
        (100_000, 51_000, True),
        (480_000, 239_000, False),
        (480_000, 241_000, True),
        (4 * 3_600_000, 239_000, False),
        (4 * 3_600_000, 241_000, True),
    ):
        assert hears(length_ms, heard_ms) == counts, (length_ms, heard_ms)


def test_what_rests_is_not_heard_and_what_is_heard_again_counts_once() -> None:
    hall = Hall(100_000)
    hall.come(ANN)
    hall.come(BOB)
    hall.come(ROB)
    hall.play()
    for _ in range(4):
        hall.advance(20_000)
        hall.scene.seek(0)  # Back and forth: the first fifth, over and over.
        hall.follow()
    hall.scene.seek(90_000)
    hall.follow()
    hall.scene.pause()
    hall.follow()
    hall.advance(60_000)
    hall.go(BOB)
    hall.scene.do(ANN, PlaybackPlay(entry_id=hall.scene.current))
    hall.advance(5_000)
    hall.scene.next()
    hall.follow()
    assert hall.counted == {}


def test_a_jump_over_a_part_leaves_it_unheard() -> None:
    hall = Hall(100_000)
    hall.come(BOB)
    entry_id = hall.play()
    hall.advance(40_000)
    hall.scene.seek(80_000)
    hall.follow()
    hall.advance(15_000)
    hall.scene.next()
    hall.follow()
    assert hall.counted == {(BOB.user_id, entry_id): 55_000}


def test_two_tabs_are_one_person_and_a_lost_one_ends_the_stay() -> None:
    hall = Hall(100_000, 100_000)
    hall.come(BOB, "a")
    hall.come(BOB, "b")
    hall.come(EVE)
    hall.play()
    hall.advance(30_000)
    hall.go(BOB, "a")
    hall.advance(30_000)
    hall.go(BOB, "b", explicit=False)
    hall.go(EVE, explicit=False)
    hall.advance(10_000)
    hall.come(EVE)  # Within the grace: she was never gone.
    hall.advance(30_000)
    assert (hall.of(BOB), hall.of(EVE)) == ([60_000], [100_000])
    hall.advance(99_999)
    hall.go(EVE, explicit=False)
    hall.advance(1)
    # What had been heard when the connection was lost.
    assert hall.of(EVE)[1:] == [99_999]


def test_a_room_that_sleeps_counts_nothing_and_tells_what_was_heard() -> None:
    hall = Hall(100_000)
    hall.come(BOB)
    hall.come(EVE)
    hall.play()
    hall.advance(45_000)
    hall.go(EVE)
    hall.advance(10_000)
    hall.go(BOB)
    hall.scene.present = 0
    vacant_since_ms = hall.scene.now_ms
    hall.advance(30_000)
    hall.scene.system(RoomSuspend(vacant_since_ms=vacant_since_ms))
    hall.follow()
    assert (hall.of(BOB), hall.of(EVE)) == ([55_000], [])
    hall.advance(3_600_000)
    hall.scene.present = 1
    hall.come(EVE)
    hall.scene.system(RoomResume())
    hall.follow()
    hall.advance(45_000)
    assert (hall.of(BOB), hall.of(EVE)) == ([55_000], [90_000])


def test_who_was_there_is_told_in_time_though_the_end_never_comes() -> None:
    hall = Hall(100_000)
    hall.come(BOB)
    hall.play()
    hall.advance(10_000)
    hall.come(EVE)
    due_at_ms = hall.heard.due_at_ms
    assert due_at_ms is not None
    hall.advance(math.ceil(due_at_ms) - hall.scene.now_ms)
    assert (hall.of(BOB), hall.of(EVE)) == ([50_000], [])
    assert hall.heard.due_at_ms is None
    # A home that takes the room in the middle knows only what comes.
    heard = Heard(hall.scene.playback, hall.scene.now_ms + 10_000)
    assert heard.due_at_ms == hall.scene.now_ms + 60_000


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 50)),
        st.tuples(st.just("seek"), st.integers(0, 79)),
        st.tuples(st.sampled_from(("pause", "play", "next", "come", "go", "back")), st.just(0)),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(ACTS)
def test_any_evening_is_counted_as_by_somebody_who_listens_all_the_time(
    acts: list[tuple[str, int]],
) -> None:
    hall = Hall(40_000, 31_000, 25_000, 33_000)
    scene = hall.scene
    hall.play()
    hall.come(ANN)
    is_here, heard = False, dict[str, set[int]]()

    def listen() -> None:
        playback = scene.playback
        at_ms = playback.position_at(scene.now_ms)
        if is_here and playback.status == "playing":
            heard.setdefault(scene.current, set()).add(round(at_ms / STEP_MS))

    for act, amount in acts:
        hall.advance(0)  # An end that is due comes before what somebody does.
        if act == "wait":
            for _ in range(amount):
                listen()
                hall.advance(STEP_MS)
        elif act in ("come", "go"):
            is_here = act == "come"
            hall.come(BOB) if is_here else hall.go(BOB)
        elif scene.playback.entry is None:
            continue
        elif scene.playback.status == "waiting":
            hall.play()
        elif act == "seek":
            scene.seek(amount * STEP_MS)
        elif act == "pause":
            scene.pause()
        elif act == "play":
            scene.do(ANN, PlaybackPlay(entry_id=scene.current))
        elif act == "next":
            scene.next()
        hall.follow()
    hall.advance(0)
    lengths = {e.entry_id: e.track.duration_samples / 48 for e in hall.entries.values()}
    if scene.playback.entry is not None:
        # What is current may have been told or not.
        heard.pop(scene.current, None)
        hall.counted.pop((BOB.user_id, scene.current), None)
    expected = {
        entry_id: len(steps) * STEP_MS
        for entry_id, steps in heard.items()
        if lengths[entry_id] > 30_000 and len(steps) * STEP_MS >= lengths[entry_id] / 2
    }
    counted = {e: ms for (user, e), ms in hall.counted.items() if user == BOB.user_id}
    assert counted == expected
