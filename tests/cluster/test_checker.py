"""The checker itself: a good run is clean, and each broken promise turns it red."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from protocol.chat import ChatDelete, ChatEdit, ChatEdited, ChatReact, ChatSend, ChatSent
from protocol.codec import decode_snapshot, encode
from protocol.errors import ErrorCode
from protocol.fold import fold
from protocol.frames import Ack, Cmd, Events, Joined, Presence, Reject, Resumed
from protocol.members import MemberAdd
from protocol.playback import LoadingDone, PlaybackEnded, PlaybackStarted
from protocol.queue import QueueAdd, QueueRemove
from protocol.reactions import ReactionSend
from protocol.rooms import RoomResume
from protocol.users import Person
from roomserver.room.context import Context
from tests.cluster.acted import Run
from tests.cluster.checker import Violation, check
from tests.cluster.journal import Connected, Lost, Received, Sent
from tests.cluster.log import Done, Message, RoomLog, Row, Stored
from tests.room.people import ANN, BOB, track, uid


@pytest.fixture
def run() -> Run:
    """Chat, a queue that plays through, a lost connection in the middle."""
    run = Run()
    run.join(ANN)
    run.system(RoomResume())
    run.join(BOB)
    for number in range(3):
        song = track(48_000 * 5 + number, number)
        run.do(BOB, QueueAdd(track_id=song.track_id), song)
    playing = run.room.public.playback.entry
    assert playing is not None
    run.system(LoadingDone(entry_id=playing.entry_id))
    run.do(ANN, ChatSend(content="one"))
    run.resume(ANN, len(run.rows))
    run.do(BOB, ChatSend(content="two"))
    run.do(BOB, QueueRemove(entry_id=run.room.public.queue[-1].entry_id))
    run.wake()
    run.wake()
    run.do(ANN, ChatSend(content="three"))
    return run


def test_a_good_run_is_clean(run: Run) -> None:
    assert check(list(run.journals.values()), [run.log()]) == []
    kinds = {type(row.event) for row in run.rows}
    assert {PlaybackEnded, PlaybackStarted, ChatSent} <= kinds, "the run has something to judge"


def lines_of(run: Run, person: Person) -> list[object]:
    return run.journals[person.user_id].lines  # type: ignore[return-value]


def find(run: Run, person: Person, kind: type, index: int = -1) -> tuple[int, object]:
    found = [
        (at, line.frame)
        for at, line in enumerate(run.journals[person.user_id].lines)
        if isinstance(line, Received | Sent) and isinstance(line.frame, kind)
    ]
    return found[index]


def without_last_row(run: Run) -> RoomLog:
    log = run.log()
    return log._replace(
        rows=log.rows[:-1],
        done=log.done[:-1],
        last_seq=log.last_seq - 1,
        snapshots=log.snapshots[:-1],
        messages=log.messages[:-1],
    )


def changed(run: Run, kind: type, **fields: object) -> RoomLog:
    """The log with the first event of a kind changed, and everything that follows from it."""
    log, rows = run.log(), []
    hit = False
    for row in log.rows:
        event = row.event
        if not hit and isinstance(event, kind):
            event, hit = replace(event, **fields), True
        rows.append(Row(row.seq, encode(event)))
    assert hit
    for journal in run.journals.values():
        journal.lines = [line for line in journal.lines if isinstance(line, Connected | Lost)]
    snapshot = decode_snapshot(log.start)
    for row in rows:
        fold(snapshot, row.event)
    return log._replace(rows=rows, snapshots=[Stored(len(rows), uid(0x11), encode(snapshot))])


def test_lost_an_acknowledged_command_that_is_not_in_the_log(run: Run) -> None:
    found = run.check(without_last_row(run))
    assert "lost" in found
    assert "unseen" in found, "and somebody has seen it"


def test_lost_an_ack_that_names_other_events_than_the_log(run: Run) -> None:
    at, ack = find(run, BOB, Ack)
    wrong = replace(ack, first_seq=1, seq=1)  # type: ignore[type-var]
    run.journals[BOB.user_id].lines[at] = Received(0, wrong)  # type: ignore[arg-type]
    assert run.check() == {"lost"}


def test_lost_a_command_whose_row_is_there_but_whose_effect_is_another(run: Run) -> None:
    at, cmd = find(run, BOB, Cmd, 3)
    other = replace(cmd, cmd=ChatSend(content="something else"))  # type: ignore[type-var]
    run.journals[BOB.user_id].lines[at] = Sent(0, other)  # type: ignore[arg-type]
    assert "lost" in run.check()


def test_twice_a_command_that_took_effect_again(run: Run) -> None:
    run._apply(ChatSend(content="one"), Context(ANN, run.now_ms))
    assert run.check() == {"twice"}
    run.done.append(Done(ANN.user_id, run.done[3].cmd_id, len(run.rows), len(run.rows)))
    assert "twice" in run.check()


def test_twice_an_event_that_two_commands_claim(run: Run) -> None:
    last = run.done[-1]
    run.done.append(last._replace(cmd_id="client-Ann:99"))
    assert run.check() == {"twice"}


def test_ghost_a_refused_command_that_is_in_the_log(run: Run) -> None:
    at, ack = find(run, BOB, Ack)
    refusal = Reject(id=ack.id, code=ErrorCode.UNAVAILABLE, temporary=True)  # type: ignore[attr-defined]
    run.journals[BOB.user_id].lines[at] = Received(0, refusal)
    assert run.check() == {"ghost"}


def test_gap_a_log_that_skips_a_seq_or_ends_elsewhere(run: Run) -> None:
    log = run.log()
    for broken in (
        log._replace(last_seq=log.last_seq + 1, snapshots=[]),
        log._replace(last_seq=log.last_seq - 1, snapshots=[]),
        log._replace(rows=[*log.rows[:-1], log.rows[-1]._replace(seq=log.last_seq + 1)]),
    ):
        assert "gap" in run.check(broken)


def test_gap_a_log_of_which_anything_is_missing_is_judged_all_the_same(run: Run) -> None:
    said = next(row.event for row in run.rows if isinstance(row.event, ChatSent))
    run.do(BOB, ChatReact(message_id=said.message_id, emoji="🔥"))
    run.do(said.by, ChatEdit(message_id=said.message_id, content="uno"))
    run.do(said.by, ChatDelete(message_id=said.message_id))
    log = run.log()
    for missing in log.rows[:-1]:
        rows = [row for row in log.rows if row is not missing]
        assert "gap" in run.check(log._replace(rows=rows))


def test_unseen_an_event_that_the_log_has_otherwise(run: Run) -> None:
    at, frame = find(run, ANN, Events)
    (event,) = frame.events  # type: ignore[attr-defined]
    other = replace(frame, events=[replace(event, content="rumour")])  # type: ignore[type-var]
    heard_ns = int(event.at_ms * 1e6)
    run.journals[ANN.user_id].lines[at] = Received(heard_ns, other)  # type: ignore[arg-type]
    assert run.check() == {"unseen"}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lines, at: lines.pop(at),
        lambda lines, at: lines.insert(at, lines[at]),
        lambda lines, at: lines.insert(at - 2, lines.pop(at)),
    ],
    ids=["a gap", "a repetition", "another order"],
)
def test_order_events_that_are_no_run_of_the_log(
    run: Run, spoil: Callable[[list[object], int], None]
) -> None:
    at, _ = find(run, ANN, Events, -3)
    spoil(lines_of(run, ANN), at)
    assert "order" in run.check()


def test_order_a_resume_elsewhere_than_the_client_was(run: Run) -> None:
    at, joined = find(run, ANN, Joined)
    further = Resumed(lineage=uid(0x11), from_seq=joined.resumed.from_seq + 1)  # type: ignore[attr-defined]
    wrong = replace(joined, resumed=further)  # type: ignore[type-var]
    run.journals[ANN.user_id].lines[at] = Received(0, wrong)  # type: ignore[arg-type]
    assert "order" in run.check()


def test_early_an_ack_before_its_events(run: Run) -> None:
    at, _ = find(run, ANN, Ack)
    lines = lines_of(run, ANN)
    lines.insert(at - 1, lines.pop(at))
    assert run.check() == {"early"}


def test_fence_news_of_a_home_that_was_succeeded(run: Run) -> None:
    journal = run.journals[BOB.user_id]
    journal.received(0, Presence(room=uid(0x900), fence=2, count=1))
    assert run.check() == set()
    journal.received(0, Presence(room=uid(0x900), fence=1, count=1))
    assert run.check() == {"fence"}


def test_kept_words_that_were_taken_back(run: Run) -> None:
    said = next(row.event for row in run.rows if isinstance(row.event, ChatSent))
    run.do(said.by, ChatEdit(message_id=said.message_id, content="uno"))
    run.do(said.by, ChatDelete(message_id=said.message_id))
    assert "kept" in run.check()
    wordless = [
        replace(row.event, content="", mentions=[])
        if isinstance(row.event, ChatSent | ChatEdited) and row.event.message_id == said.message_id
        else row.event
        for row in run.rows
    ]
    run.rows = [Row(seq, encode(event)) for seq, event in enumerate(wordless, 1)]
    log = run.log()
    # Who was shown the words saw nothing that was not so.
    assert run.check(log._replace(messages=deleted(log.messages, said.message_id))) == set()


def deleted(messages: list[Message], message_id: str) -> list[Message]:
    return [
        each._replace(content="", is_deleted=True) if each.message_id == message_id else each
        for each in messages
    ]


def test_snapshot_one_that_is_not_what_the_log_folds_to(run: Run) -> None:
    for broken in (
        encode(decode_snapshot(run.start)).replace(b"Kitchen", b"Attic"),
        encode(run.room.public),
    ):
        run.snapshots = [Stored(3, uid(0x11), broken)]
        assert run.check() == {"snapshot"}
    run.snapshots = [Stored(len(run.rows) + 1, uid(0x11), encode(run.room.public))]
    assert run.check() == {"snapshot"}


def test_snapshot_one_that_a_client_was_shown(run: Run) -> None:
    at, joined = find(run, BOB, Joined)
    shown = decode_snapshot(encode(joined.snapshot))  # type: ignore[attr-defined]
    shown.room = replace(shown.room, name="Attic")
    wrong = replace(joined, snapshot=shown)  # type: ignore[type-var]
    run.journals[BOB.user_id].lines[at] = Received(0, wrong)  # type: ignore[arg-type]
    assert run.check() == {"snapshot"}


def test_projection_a_message_that_is_missing_or_too_many(run: Run) -> None:
    log = run.log()
    assert run.check(log._replace(messages=log.messages[1:])) == {"projection"}
    assert run.check(
        log._replace(messages=[*log.messages, Message(uid(7), 3, "never said", 0, False)])
    ) == {"projection"}


def test_projection_a_message_or_a_place_that_is_not_as_it_stands_now(run: Run) -> None:
    told = next(row.event for row in run.rows if isinstance(row.event, ChatSent))
    run.do(ANN, ChatEdit(message_id=told.message_id, content="another one"))
    run.system(MemberAdd(person=BOB))
    log = run.log()
    last = [m._replace(content="another one") if m.content == "one" else m for m in log.messages]
    assert run.check(log) == {"projection"}
    assert run.check(log._replace(messages=last)) == set()
    places = {user_id: role for user_id, role in log.places.items() if role == "owner"}
    assert run.check(log._replace(messages=last, places=places)) == {"projection"}


def test_projection_something_is_done_to_a_message_that_was_never_said(run: Run) -> None:
    log = run.log()
    told = next(row.event for row in run.rows if isinstance(row.event, ChatSent))
    edited = ChatEdited(message_id=uid(7), content="what?", at_ms=told.at_ms)
    rows = [*log.rows, Row(log.last_seq + 1, encode(edited))]
    found = run.check(log._replace(rows=rows, last_seq=len(rows), snapshots=[]))
    assert "projection" in found


def test_reactions_that_were_counted_together_belong_to_all_who_sent_them(run: Run) -> None:
    song = track(48_000 * 5, 9)
    run.do(BOB, QueueAdd(track_id=song.track_id), song)
    playing = run.room.public.playback.entry
    assert playing is not None
    run.system(LoadingDone(entry_id=playing.entry_id))
    run.do(ANN, ReactionSend(emoji="🔥"))
    other = run.done[-1]._replace(user_id=BOB.user_id, cmd_id="client-Bob:99")
    run.done.append(other)
    assert run.check() == set()
    run.done.append(other)
    assert run.check() == {"twice"}


def test_plays_an_entry_that_ended_and_was_not_current(run: Run) -> None:
    assert "plays" in run.check(changed(run, PlaybackEnded, entry_id=uid(1)))


def test_plays_an_entry_without_an_end(run: Run) -> None:
    log = changed(run, ChatSent, content="other")
    rows = [row for row in log.rows if not isinstance(row.event, PlaybackEnded)]
    found = run.check(log._replace(rows=rows, last_seq=len(rows), snapshots=[], done=[]))
    assert "plays" in found


def test_plays_an_end_that_came_twice(run: Run) -> None:
    log = changed(run, ChatSent, content="other")
    at = next(n for n, row in enumerate(log.rows) if isinstance(row.event, PlaybackEnded))
    rows = [*log.rows[: at + 1], log.rows[at], *log.rows[at + 1 :]]
    assert "plays" in run.check(log._replace(rows=rows, snapshots=[], done=[]))


def test_schedule_a_start_that_does_not_follow_the_end(run: Run) -> None:
    started = [row.event for row in run.rows if isinstance(row.event, PlaybackStarted)]
    log, rows = run.log(), []
    for row in log.rows:
        event = row.event
        if event == started[1]:
            event = replace(event, started_at_ms=event.started_at_ms + 1)
        rows.append(Row(row.seq, encode(event)))
    assert "schedule" in run.check(log._replace(rows=rows, snapshots=[]))


def test_schedule_an_end_at_another_instant_than_the_track_is_long(run: Run) -> None:
    (first, *_) = [row.event for row in run.rows if isinstance(row.event, PlaybackEnded)]
    later = first.ended_at_ms + 0.5
    assert "schedule" in run.check(changed(run, PlaybackEnded, ended_at_ms=later))


def test_schedule_an_agreed_start_that_leaves_a_gap(run: Run) -> None:
    log = changed(run, ChatSent, content="other")
    rows = []
    for row in log.rows:
        event = row.event
        if type(event).__name__ == "PlaybackScheduled" and event.upcoming:  # type: ignore[union-attr]
            moved = [replace(s, started_at_ms=s.started_at_ms + 1) for s in event.upcoming]  # type: ignore[union-attr]
            event = replace(event, upcoming=moved)
        rows.append(Row(row.seq, encode(event)))
    assert "schedule" in run.check(log._replace(rows=rows, snapshots=[], done=[]))


def test_clock_an_event_of_two_hours_later_that_is_heard_now(run: Run) -> None:
    heard = [line for line in run.journals[BOB.user_id].lines if isinstance(line, Received)]
    frame = next(line.frame for line in reversed(heard) if isinstance(line.frame, Events))
    later = [replace(event, at_ms=event.at_ms + 7_200_000) for event in frame.events]
    run.journals[BOB.user_id].received(int(run.now_ms * 1e6), replace(frame, events=later))
    assert "clock" in run.check()


def test_a_violation_says_where_it_was_found(run: Run) -> None:
    found = check(list(run.journals.values()), [without_last_row(run)])
    assert all(isinstance(v, Violation) and uid(0x900) in v.what for v in found)
