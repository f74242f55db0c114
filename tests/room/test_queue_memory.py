"""Whatever people do to the queue: what the room remembers of it fits what everybody sees."""

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from protocol.catalog import RoomCommand
from protocol.errors import ErrorCode
from protocol.permissions import Permissions
from protocol.playback import PlaybackNext, PlaybackPlayEntry, PlaybackSeek
from protocol.queue import QueueAdd, QueueClear, QueueMove, QueueRemove, QueueShuffle, QueueUndo
from protocol.rooms import QueueMode, Repeat, RoomSettings, RoomSuspend, RoomUpdate, SettingsChange
from protocol.users import Person
from protocol.votes import VotesCast, VotesRetract, VotesSkip
from roomserver.room.order import count_fixed
from roomserver.room.queue_memory import RULED
from tests.room.people import ANN, BOB, DAN, EVE, track, uid
from tests.room.scenario import Scenario

EXAMPLES = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, phases=(Phase.generate,)
)
PEACEFUL = {
    None,
    ErrorCode.UNKNOWN_ENTRY,
    ErrorCode.ENTRY_STARTING,
    ErrorCode.FIXED_ORDER,
    ErrorCode.NO_VOTING,
    ErrorCode.NOTHING_PLAYING,
    ErrorCode.NOTHING_TO_UNDO,
    ErrorCode.NOT_ALLOWED,
    ErrorCode.QUEUE_FULL,
}
modes: tuple[QueueMode, ...] = ("open", "votes", "fair", "fair")
repeats: tuple[Repeat, ...] = ("off", "one", "all")
moves = st.tuples(
    st.integers(0, 15),
    st.sampled_from((ANN, BOB, EVE, DAN)),
    st.integers(0, 7),
    st.sampled_from((48_000 * 3, 48_000 * 7 + 17, 48_000 * 20 + 1, 48_000 * 90 + 11)),
    st.sampled_from((0, 0, 1, 777, 9_000)),
    st.sampled_from((250, 250, 1_500)),
)


def command_of(scene: Scenario, what: int, which: int, length: int) -> RoomCommand:
    """One of the commands that are about the queue, and about something that is there."""
    queue = scene.queued
    some = queue[which % len(queue)] if queue else uid(1)
    entry = scene.playback.entry
    current = entry.entry_id if entry else some
    commands: tuple[RoomCommand, ...] = (
        QueueAdd(track_id=uid(1)),
        QueueAdd(track_id=uid(1)),
        QueueAdd(track_id=uid(1)),
        QueueAdd(track_id=uid(1), after=(None, some, current)[which % 3]),
        QueueRemove(entry_id=some),
        QueueMove(entry_id=some, after=queue[-1] if queue and which % 2 else None),
        (QueueClear(), QueueShuffle(), QueueShuffle())[which % 3],
        QueueUndo(),
        QueueUndo(),
        VotesCast(entry_id=some),
        VotesCast(entry_id=some),
        VotesRetract(entry_id=(some, current)[which % 2]),
        VotesSkip(entry_id=current),
        (PlaybackNext(entry_id=current), PlaybackPlayEntry(entry_id=some))[which % 2],
        PlaybackSeek(entry_id=current, position_ms=length / 50),
        RoomUpdate(
            settings=SettingsChange(queue_mode=modes[which % 4], repeat=repeats[length % 3])
        ),
    )
    return commands[what]


def check(scene: Scenario, lead_may_have_shrunk: bool) -> None:
    """The memory and the snapshot tell the same."""
    public, memory = scene.room.public, scene.room.private.queue
    queue, mode = public.queue, public.room.settings.queue_mode
    waiting = {entry.entry_id for entry in queue}
    assert memory.loop == scene.queued[: len(memory.loop)], "copies stand first"
    assert memory.since.keys() == waiting
    assert {e.entry_id: e.votes for e in queue if e.votes} == {
        entry_id: len(voters) for entry_id, voters in memory.voters.items()
    }
    if mode in RULED and not lead_may_have_shrunk:
        first = count_fixed(scene.room.state, scene.context(ANN))
        assert memory.is_in_order(mode, queue[max(0, first - len(memory.loop)) :])
    check_turns(scene)


def check_turns(scene: Scenario) -> None:
    """Nobody waits before the virtual time; each person's entries follow one another."""
    public, memory = scene.room.public, scene.room.private.queue
    turns, current = memory.turns, public.playback.entry
    if public.room.settings.queue_mode != "fair":
        assert not turns.tags
        return
    tagged = [entry for entry in public.queue if entry.entry_id in turns.tags]
    assert {e.entry_id for e in public.queue} - turns.tags.keys() <= set(memory.loop)
    assert turns.tags.keys() - {e.entry_id for e in tagged} <= {current and current.entry_id}
    following: dict[str, int] = {}
    for entry in sorted(tagged, key=turns.tag):
        owner, tag = entry.added_by.user_id, turns.tag(entry)
        assert tag >= turns.virtual
        assert tag == following.get(owner, tag)
        following[owner] = tag + entry.track.duration_samples
    assert all(turns.finish[owner] == tag for owner, tag in following.items())


@EXAMPLES
@given(
    st.sampled_from(modes),
    st.sampled_from(repeats),
    st.lists(moves, min_size=15, max_size=60),
)
def test_what_is_remembered_fits_what_is_seen(
    mode: QueueMode, repeat: Repeat, story: list[tuple[int, Person, int, int, int, int]]
) -> None:
    voted = Permissions(skip="moderator", arrange="listener")
    setting = RoomSettings(queue_mode=mode, repeat=repeat, permissions=voted, queue_limit=200)
    scene = Scenario(setting, present=4)
    lead_shrank_at_ms = 0
    for what, actor, which, length, later_ms, lead_ms in story:
        scene.advance(later_ms)
        if lead_ms < scene.lead_ms:
            lead_shrank_at_ms = scene.now_ms
        scene.lead_ms = lead_ms
        command = command_of(scene, what, which, length)
        assert scene.outcome(actor, command, track=track(length)) in PEACEFUL
        check(scene, scene.now_ms - lead_shrank_at_ms < 3_000)
        if what == which == 7:
            scene.reload()
            scene.system(RoomSuspend(vacant_since_ms=float(scene.now_ms)))
