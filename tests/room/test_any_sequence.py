"""Whatever people do in whatever order and at whatever moment: the invariants hold.

The checks themselves are in the harness and in `invariants.py`; they run after every command.
"""

from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from protocol.catalog import RoomCommand
from protocol.chat import ChatSend
from protocol.errors import ErrorCode
from protocol.members import MemberAdd, MemberRemove
from protocol.playback import (
    LoadingDone,
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
    SkipVotes,
)
from protocol.queue import QueueAdd, QueueMove, QueueRemove
from protocol.rooms import (
    QueueMode,
    Repeat,
    RoomResume,
    RoomSettings,
    RoomSuspend,
    RoomUpdate,
    RoomUpdated,
    SettingsChange,
    Wake,
)
from protocol.users import Person
from protocol.votes import VotesCast, VotesCount
from roomserver.room.context import SYSTEM
from roomserver.room.playback import next_wake
from roomserver.room.queue import SHORTEST_SAMPLES
from roomserver.room.room import SETTLE_ROUNDS, settle
from roomserver.room.state import Step
from tests.room.invariants import check_snapshot
from tests.room.people import ANN, BOB, EVE, track, uid
from tests.room.scenario import Scenario

EXAMPLES = settings(max_examples=40, deadline=None, derandomize=True)
PEOPLE = (ANN, BOB, EVE)
PEACEFUL = {
    None,
    ErrorCode.QUEUE_FULL,
    ErrorCode.UNKNOWN_ENTRY,
    ErrorCode.ENTRY_STARTING,
    ErrorCode.NOTHING_PLAYING,
    ErrorCode.NOT_ALLOWED,
    ErrorCode.NOT_MEMBER,
}

room_settings = st.builds(
    RoomSettings,
    queue_limit=st.sampled_from((3, 500)),
    repeat=st.sampled_from(("off", "all")),
    always_on=st.booleans(),
)
samples = st.one_of(
    st.integers(SHORTEST_SAMPLES, 48_000 * 3), st.integers(48_000 * 10, 48_000 * 300)
)
moves = st.tuples(
    st.integers(0, 15),  # what
    st.sampled_from(PEOPLE),
    st.integers(0, 7),  # which entry
    samples,
    st.one_of(st.integers(0, 400), st.integers(0, 90_000)),  # how much later
    st.sampled_from((250, 400, 1_500)),
)


def command_of(scene: Scenario, what: int, which: int, length: int) -> RoomCommand:
    """One of all commands, about something that is there if anything is."""
    queue = scene.queued
    some = queue[which % len(queue)] if queue else uid(1)
    entry = scene.playback.entry
    current = entry.entry_id if entry else some
    after = (None, some, current, queue[-1] if queue else None)[which % 4]
    commands: tuple[RoomCommand, ...] = (
        QueueAdd(track_id=uid(1)),
        QueueAdd(track_id=uid(1)),
        QueueAdd(track_id=uid(1), after=after),
        QueueRemove(entry_id=some),
        QueueMove(entry_id=some, after=after),
        PlaybackPlay(),
        PlaybackPause(entry_id=current),
        PlaybackSeek(entry_id=current, position_ms=length / 7),
        PlaybackNext(entry_id=current),
        PlaybackPlayEntry(entry_id=some),
        LoadingDone(entry_id=current, missing=[BOB.user_id][: which % 2]),
        RoomSuspend(vacant_since_ms=float(scene.now_ms - length % 60_000)),
        RoomResume(),
        RoomUpdate(settings=SettingsChange(always_on=which % 2 == 0, repeat="off")),
        (MemberAdd(person=BOB), MemberRemove(user_id=BOB.user_id), Wake())[which % 3],
        ChatSend(content="la la"),
    )
    return commands[what]


@settings(EXAMPLES, max_examples=120)
@given(room_settings, st.integers(0, 2), st.lists(moves, min_size=5, max_size=40))
def test_the_invariants_hold_after_every_command(
    setting: RoomSettings, present: int, story: list[tuple[int, Person, int, int, int, int]]
) -> None:
    scene = Scenario(setting, present=present)
    for what, actor, which, length, later_ms, lead_ms in story:
        scene.advance(later_ms)
        scene.lead_ms = lead_ms
        command = command_of(scene, what, which, length)
        is_system = type(command) in (LoadingDone, RoomSuspend, RoomResume, Wake, MemberAdd)
        actor = SYSTEM if is_system or isinstance(command, MemberRemove) else actor
        if isinstance(command, RoomResume):
            scene.present = which % 3
        assert scene.outcome(actor, command, track=track(length)) in PEACEFUL


@settings(EXAMPLES, max_examples=120)
@given(
    st.integers(0, 3),
    st.lists(st.tuples(st.sampled_from(PEOPLE), samples), max_size=12),
    st.builds(
        RoomSettings,
        always_on=st.booleans(),
        queue_mode=st.sampled_from(get_args(QueueMode)),
        repeat=st.sampled_from(get_args(Repeat)),
        skip_share=st.sampled_from((0.05, 0.5, 1.0)),
    ),
    st.booleans(),
    st.integers(0, 3_000),
)
def test_a_room_settles_within_the_bound(
    present: int,
    entries: list[tuple[Person, int]],
    wished: RoomSettings,
    awake: bool,
    later_ms: int,
) -> None:
    """All at once: votes to count, an order to put right, copies to make, a plan to agree on."""
    scene = Scenario(RoomSettings(repeat="one", queue_mode="votes"), present=present)
    for number, (person, length) in enumerate(entries):
        scene.add(person, track(length, number))
    for number, entry_id in enumerate(scene.queued):
        scene.outcome(PEOPLE[number % 3], VotesCast(entry_id=entry_id))
    if entries and awake and present:
        scene.loaded()
        scene.advance(later_ms)
    room = scene.room
    if room.public.playback.entry is not None:
        room.public.playback.skip = SkipVotes(votes=0, needed=1)
        room.private.queue.skippers = [ANN.user_id]
    # Whatever was wished, at once, and nothing of it followed yet.
    change = RoomUpdated(
        at_ms=scene.now_ms, room=replace(room.public.room, settings=wished), by=ANN
    )
    room.replay(Step(change))
    context = scene.context(SYSTEM, VotesCount())
    rounds = 0
    while follow := settle(room.state, context):
        for step in follow:
            room.replay(step)
        rounds += 1
        assert rounds <= SETTLE_ROUNDS
    check_snapshot(room.public)
    wakes = next_wake(room.state) is not None
    assert wakes or not (wished.always_on and room.public.playback.status == "playing")
