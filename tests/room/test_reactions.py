"""Reactions to the music: counted for the second that is heard."""

from protocol.errors import ErrorCode
from protocol.playback import PlaybackPlay
from protocol.reactions import ReactionsCount, ReactionsCounted, ReactionSend
from protocol.rooms import RoomResume, RoomSuspend
from roomserver.room.context import SYSTEM
from tests.room.people import ANN, BOB, EVE, minutes, track
from tests.room.scenario import Scenario

FIRE = ReactionSend(emoji="🔥")


def playing(samples: int = 48_000 * 180) -> Scenario:
    """A track that has just begun to sound."""
    scene = Scenario(present=3)
    scene.add(ANN, track(samples))
    scene.loaded()
    scene.advance(scene.lead_ms)
    return scene


def counted(scene: Scenario) -> tuple[int, dict[str, int]]:
    (event,) = scene.do(BOB, FIRE)
    assert isinstance(event, ReactionsCounted)
    assert event.entry_id == scene.current
    return event.second, dict(event.counts)


def test_a_reaction_counts_for_the_second_of_the_track() -> None:
    scene = playing()
    assert counted(scene) == (0, {"🔥": 1})
    scene.advance(999)
    assert counted(scene) == (0, {"🔥": 1})
    scene.advance(1)
    assert counted(scene) == (1, {"🔥": 1})
    scene.seek(100_000.0)
    scene.advance(scene.lead_ms + 500)
    assert counted(scene) == (100, {"🔥": 1})


def test_reactions_that_came_together_are_one_event() -> None:
    scene = playing()
    scene.advance(12_345)
    (event,) = scene.system(ReactionsCount(counts={"🔥": 7, "💃": 2}))
    assert isinstance(event, ReactionsCounted)
    assert (event.second, event.counts) == (12, {"🔥": 7, "💃": 2})


def test_a_start_that_is_agreed_but_not_heard_yet_counts_as_the_first_second() -> None:
    scene = Scenario()
    scene.add(ANN, minutes(3))
    scene.loaded()
    assert counted(scene) == (0, {"🔥": 1})


def test_the_snapshot_keeps_no_reactions() -> None:
    scene = playing()
    before = scene.room.public.seq
    counted(scene)
    assert scene.room.public.seq == before + 1


def test_there_is_no_reaction_to_silence() -> None:
    scene = Scenario(present=1)
    count = ReactionsCount(counts={"😂": 1})

    def is_silent() -> None:
        scene.refuses(ErrorCode.NOTHING_PLAYING, EVE, FIRE)
        scene.refuses(ErrorCode.NOTHING_PLAYING, SYSTEM, count)

    is_silent()
    scene.add(ANN, minutes(3))
    is_silent()
    scene.loaded()
    scene.pause()
    is_silent()
    scene.do(ANN, PlaybackPlay(entry_id=scene.current))
    assert scene.outcome(EVE, FIRE) is None
    scene.present = 0
    scene.system(RoomSuspend(vacant_since_ms=float(scene.now_ms)))
    is_silent()
    scene.present = 1
    scene.system(RoomResume())
    assert scene.outcome(EVE, FIRE) is None


def test_only_the_home_counts_for_others() -> None:
    scene = playing()
    scene.refuses(ErrorCode.NOT_ALLOWED, ANN, ReactionsCount(counts={"🔥": 1_000}))
