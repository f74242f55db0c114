"""Votes for entries, and for skipping what plays."""

import pytest

from protocol.catalog import RoomEvent
from protocol.errors import ErrorCode
from protocol.members import MemberSetRole
from protocol.moderation import MemberBan, MemberKick, MemberMute, MemberUnmute
from protocol.permissions import Permissions
from protocol.playback import PlaybackEnded, PlaybackNext, SkipVotes
from protocol.queue import QueueMoved, QueueRemove
from protocol.rooms import RoomSettings, RoomUpdate, SettingsChange
from protocol.votes import VotesCast, VotesChanged, VotesCount, VotesRetract, VotesSkip
from tests.room.people import ANN, BOB, DAN, EVE, ROB, minutes, uid
from tests.room.scenario import Scenario

SKIP_BY_VOTE = Permissions(skip="moderator")


def voting(*, present: int = 4, share: float = 0.5) -> Scenario:
    """A track plays, three wait; listeners skip by vote only."""
    settings = RoomSettings(queue_mode="votes", permissions=SKIP_BY_VOTE, skip_share=share)
    scene = Scenario(settings, present=present)
    for number in range(4):
        scene.add(BOB, minutes(3, number))
        scene.advance(1)
    scene.loaded()
    return scene


def skip(scene: Scenario) -> VotesSkip:
    return VotesSkip(entry_id=scene.current)


def votes(scene: Scenario, entry_id: str) -> int:
    return next(e.votes for e in scene.room.public.queue if e.entry_id == entry_id)


def reasons(events: list[RoomEvent]) -> list[str]:
    return [event.reason for event in events if isinstance(event, PlaybackEnded)]


def test_a_vote_moves_an_entry_up_and_the_room_says_so_in_two_events() -> None:
    scene = voting()
    a, b, c = scene.queued
    changed, moved, *_ = scene.do(EVE, VotesCast(entry_id=c))
    assert changed == VotesChanged(at_ms=scene.now_ms, entry_id=c, votes=1)
    assert moved == QueueMoved(at_ms=scene.now_ms, entry_id=c, after=None)
    assert scene.queued == [c, a, b]


def test_an_account_has_one_vote_for_an_entry() -> None:
    scene = voting()
    c = scene.queued[2]
    scene.do(EVE, VotesCast(entry_id=c))
    assert scene.do(EVE, VotesCast(entry_id=c)) == []
    scene.do(DAN, VotesCast(entry_id=c))
    assert votes(scene, c) == 2


def test_a_vote_taken_back_moves_the_entry_down_and_none_is_no_event() -> None:
    scene = voting()
    a, b, c = scene.queued
    scene.do(EVE, VotesCast(entry_id=c))
    scene.do(EVE, VotesRetract(entry_id=c))
    assert (scene.queued, votes(scene, c)) == ([a, b, c], 0)
    assert scene.do(EVE, VotesRetract(entry_id=c)) == []
    assert scene.do(DAN, VotesRetract(entry_id=scene.current)) == []


def test_votes_are_only_for_what_waits_and_only_in_the_mode_votes() -> None:
    scene = voting()
    scene.refuses(ErrorCode.UNKNOWN_ENTRY, EVE, VotesCast(entry_id=scene.current))
    scene.refuses(ErrorCode.UNKNOWN_ENTRY, EVE, VotesCast(entry_id=uid(5)))
    scene.refuses(ErrorCode.UNKNOWN_ENTRY, EVE, VotesRetract(entry_id=uid(5)))
    scene.do(ANN, RoomUpdate(settings=SettingsChange(queue_mode="open")))
    scene.refuses(ErrorCode.NO_VOTING, EVE, VotesCast(entry_id=scene.queued[0]))


def test_a_vote_for_an_entry_stays_when_whoever_gave_it_is_put_out() -> None:
    scene = voting()
    c = scene.queued[2]
    scene.do(EVE, VotesCast(entry_id=c))
    scene.do(ANN, MemberBan(user_id=EVE.user_id))
    assert votes(scene, c) == 1
    scene.refuses(ErrorCode.BANNED, EVE, VotesRetract(entry_id=c))


def test_who_is_muted_has_no_vote_to_give() -> None:
    scene = voting()
    scene.do(ANN, MemberMute(user_id=EVE.user_id))
    scene.refuses(ErrorCode.MUTED, EVE, VotesCast(entry_id=scene.queued[0]))
    scene.refuses(ErrorCode.MUTED, EVE, skip(scene))


def test_votes_are_not_kept_for_what_is_gone() -> None:
    scene = voting()
    c = scene.queued[2]
    scene.do(EVE, VotesCast(entry_id=c))
    scene.do(ANN, QueueRemove(entry_id=c))
    assert scene.room.private.queue.voters == {}


def test_a_vote_displaces_nothing_that_starts_within_the_lead() -> None:
    scene = voting()
    a, b, c = scene.queued
    scene.seek(180_000)
    scene.do(EVE, VotesCast(entry_id=c))
    assert scene.queued == [a, c, b]


@pytest.mark.parametrize(
    ("present", "share", "needed"),
    [(1, 0.5, 1), (2, 0.5, 1), (3, 0.5, 2), (4, 0.5, 2), (4, 1.0, 4), (20, 0.55, 11), (3, 0.05, 1)],
)
def test_so_many_votes_are_needed(present: int, share: float, needed: int) -> None:
    scene = voting(present=present, share=share)
    changed = scene.do(BOB, skip(scene))[0]
    assert isinstance(changed, VotesChanged)
    assert changed.needed == needed


def test_enough_votes_skip_and_are_gone_with_the_entry() -> None:
    scene = voting()
    assert reasons(scene.do(EVE, skip(scene))) == []
    assert scene.playback.skip == SkipVotes(votes=1, needed=2)
    assert scene.do(EVE, skip(scene)) == []
    following = scene.queued[0]
    assert reasons(scene.do(DAN, skip(scene))) == ["voted"]
    assert scene.current == following
    assert scene.room.public.playback.skip is None
    scene.do(DAN, skip(scene))
    assert scene.playback.skip == SkipVotes(votes=1, needed=2)


def test_who_may_skip_skips_at_once() -> None:
    scene = voting()
    assert reasons(scene.do(ANN, skip(scene))) == ["skipped"]


def test_two_who_skip_at_once_skip_once() -> None:
    scene = voting()
    entry_id = scene.current
    scene.do(ANN, VotesSkip(entry_id=entry_id))
    scene.refuses(ErrorCode.CONFLICT, ANN, PlaybackNext(entry_id=entry_id))
    scene.refuses(ErrorCode.CONFLICT, EVE, VotesSkip(entry_id=entry_id))
    assert reasons(scene.log) == ["skipped"]


def test_with_nothing_playing_there_is_nothing_to_skip() -> None:
    scene = Scenario(RoomSettings(permissions=SKIP_BY_VOTE), present=2)
    scene.refuses(ErrorCode.NOTHING_PLAYING, BOB, VotesSkip(entry_id=uid(5)))


def test_only_those_who_are_here_count_and_no_bots() -> None:
    scene = voting(present=3)
    scene.here.add(ROB)
    scene.do(DAN, skip(scene))
    assert scene.playback.skip == SkipVotes(votes=0, needed=2)


def test_a_bot_has_no_vote_but_skips_where_it_may() -> None:
    scene = voting()
    scene.refuses(ErrorCode.NOT_ALLOWED, ROB, VotesCast(entry_id=scene.queued[0]))
    scene.refuses(ErrorCode.NOT_ALLOWED, ROB, skip(scene))
    assert scene.playback.skip is None
    scene.do(ANN, MemberSetRole(user_id=ROB.user_id, role="moderator"))
    assert reasons(scene.do(ROB, skip(scene))) == ["skipped"]


def test_a_vote_to_skip_can_be_taken_back() -> None:
    scene = voting()
    scene.do(EVE, skip(scene))
    scene.do(EVE, VotesRetract(entry_id=scene.current))
    assert scene.playback.skip == SkipVotes(votes=0, needed=2)
    assert reasons(scene.do(DAN, skip(scene))) == []


def test_when_people_leave_fewer_votes_are_enough() -> None:
    scene = voting()
    scene.do(EVE, skip(scene))
    scene.here.discard(DAN)
    scene.system(VotesCount())
    assert scene.playback.skip == SkipVotes(votes=1, needed=2)
    scene.here.discard(BOB)
    assert reasons(scene.system(VotesCount())) == ["voted"]


def test_who_leaves_takes_the_vote_along() -> None:
    scene = voting(present=8)
    scene.do(EVE, skip(scene))
    scene.do(DAN, skip(scene))
    scene.here.discard(EVE)
    scene.system(VotesCount())
    assert scene.playback.skip == SkipVotes(votes=1, needed=4)
    assert scene.system(VotesCount()) == []


@pytest.mark.parametrize("command", [MemberMute, MemberKick, MemberBan])
def test_who_is_silenced_or_put_out_counts_no_more(command: type) -> None:
    scene = voting()
    scene.do(EVE, skip(scene))
    scene.do(ANN, command(user_id=EVE.user_id))
    assert scene.playback.skip == SkipVotes(votes=0, needed=2)


def test_silencing_those_who_did_not_vote_may_be_enough_to_skip() -> None:
    scene = voting()
    scene.do(EVE, skip(scene))
    scene.do(ANN, MemberMute(user_id=BOB.user_id))
    assert reasons(scene.do(ANN, MemberMute(user_id=DAN.user_id))) == ["voted"]


def test_a_room_that_asks_for_fewer_votes_skips_as_soon_as_it_says_so() -> None:
    scene = voting()
    scene.do(EVE, skip(scene))
    scene.do(ANN, RoomUpdate(settings=SettingsChange(skip_share=1.0)))
    assert scene.playback.skip == SkipVotes(votes=1, needed=4)
    assert reasons(scene.do(ANN, RoomUpdate(settings=SettingsChange(skip_share=0.25)))) == ["voted"]


def test_who_may_speak_again_counts_again() -> None:
    scene = voting()
    scene.do(ANN, MemberMute(user_id=BOB.user_id))
    scene.do(ANN, MemberMute(user_id=DAN.user_id))
    scene.do(ANN, RoomUpdate(settings=SettingsChange(skip_share=1.0)))
    scene.do(EVE, skip(scene))
    assert scene.playback.skip == SkipVotes(votes=1, needed=2)
    scene.do(ANN, MemberUnmute(user_id=DAN.user_id))
    assert scene.playback.skip == SkipVotes(votes=1, needed=3)


def test_a_vote_passes_while_the_entry_is_paused() -> None:
    scene = voting()
    scene.pause(ANN)
    scene.do(EVE, skip(scene))
    assert reasons(scene.do(DAN, skip(scene))) == ["voted"]
    assert scene.playback.status == "playing"
