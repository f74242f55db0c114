"""The checker itself: a good run is clean, and each broken promise turns it red."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from protocol.catalog import ClientCommand, RoomCommand
from protocol.chat import ChatSend, ChatSent
from protocol.codec import decode_snapshot, encode
from protocol.errors import ErrorCode
from protocol.fold import fold
from protocol.frames import Ack, Cmd, Events, Have, Join, Joined, Presence, Reject, Resumed
from protocol.ids import cmd_id
from protocol.members import Member
from protocol.playback import LoadingDone, PlaybackEnded, PlaybackStarted
from protocol.queue import QueueAdd, QueueRemove
from protocol.rooms import Room as RoomRow
from protocol.rooms import RoomResume, Wake
from protocol.snapshot import new_room
from protocol.tracks import Track
from protocol.users import Person
from roomserver.room.context import SYSTEM, Context
from roomserver.room.room import Room
from tests.cluster.checker import Violation, check
from tests.cluster.journal import Connected, Journal, Lost, Received, Sent
from tests.cluster.log import Done, Message, RoomLog, Row, Stored
from tests.room.people import ANN, BOB, track, uid

NOON_MS = 1_790_000_000_000


class Run:
    """Ann and Bob in a room; everything that is decided is written, acknowledged and shown."""

    def __init__(self) -> None:
        row = RoomRow(room_id=uid(0x900), name="Kitchen", owner_id=ANN.user_id)
        self.room = Room(new_room(row, uid(0x11), ANN, NOON_MS))
        self.start = encode(self.room.public)
        self.now_ms = NOON_MS
        self.rows: list[Row] = []
        self.done: list[Done] = []
        self.snapshots = [Stored(0, uid(0x11), self.start)]
        self.journals = {p.user_id: Journal(p.user_id, f"client-{p.display_name}") for p in
                         (ANN, BOB)}  # fmt: skip
        self.ids = dict.fromkeys(self.journals, 1)

    def join(self, person: Person) -> None:
        journal = self.journals[person.user_id]
        journal.connected(0)
        journal.sent(0, Join(id=1, room=uid(0x900)))
        snapshot = decode_snapshot(encode(self.room.public))
        you = Member(person=person)
        journal.received(0, Joined(id=1, room=uid(0x900), you=you, snapshot=snapshot))
        journal.received(0, Presence(room=uid(0x900), fence=1, count=1, present=[person]))

    def resume(self, person: Person, seq: int) -> None:
        journal = self.journals[person.user_id]
        journal.lost(0, 1006)
        journal.connected(0)
        have = Have(lineage=uid(0x11), seq=seq)
        journal.sent(0, Join(id=90, room=uid(0x900), have=have))
        resumed = Resumed(lineage=uid(0x11), from_seq=seq + 1)
        you = Member(person=person)
        journal.received(0, Joined(id=90, room=uid(0x900), you=you, resumed=resumed))

    def do(self, person: Person, command: ClientCommand, song: Track | None = None) -> int:
        """A command from its sending to its ack; the id of its frame."""
        self.ids[person.user_id] += 1
        frame_id = self.ids[person.user_id]
        journal = self.journals[person.user_id]
        journal.sent(0, Cmd(id=frame_id, room=uid(0x900), cmd=command))
        first = len(self.rows) + 1
        self._apply(command, Context(person, self.now_ms, track=song))
        name = cmd_id(journal.client_id, frame_id)
        self.done.append(Done(person.user_id, name, first, len(self.rows)))
        journal.received(0, Ack(id=frame_id, first_seq=first, seq=len(self.rows)))
        return frame_id

    def system(self, command: RoomCommand) -> None:
        self._apply(command, Context(SYSTEM, self.now_ms))

    def wake(self) -> None:
        due_ms = self.room.next_wake()
        assert due_ms is not None
        self.now_ms = int(due_ms) + 1
        self.system(Wake())

    def log(self) -> RoomLog:
        said = [(row.seq, row.event) for row in self.rows]
        return RoomLog(
            uid(0x900),
            uid(0x11),
            len(self.rows),
            self.start,
            list(self.rows),
            list(self.done),
            [*self.snapshots, Stored(len(self.rows), uid(0x11), encode(self.room.public))],
            [Message(e.message_id, s, e.content) for s, e in said if isinstance(e, ChatSent)],
        )

    def check(self, log: RoomLog | None = None) -> set[str]:
        return {v.name for v in check(list(self.journals.values()), [log or self.log()])}

    def _apply(self, command: RoomCommand, ctx: Context) -> None:
        steps = self.room.apply(command, ctx)
        first = len(self.rows) + 1
        self.rows += [Row(first + n, encode(step.event)) for n, step in enumerate(steps)]
        events = Events(room=uid(0x900), first_seq=first, events=[step.event for step in steps])
        for journal in self.journals.values():
            if any(isinstance(line, Connected) for line in journal.lines):
                journal.received(0, events)


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


def test_unseen_an_event_that_the_log_has_otherwise(run: Run) -> None:
    at, frame = find(run, ANN, Events)
    (event,) = frame.events  # type: ignore[attr-defined]
    other = replace(frame, events=[replace(event, content="rumour")])  # type: ignore[type-var]
    run.journals[ANN.user_id].lines[at] = Received(0, other)  # type: ignore[arg-type]
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
    assert run.check(log._replace(messages=[*log.messages, Message(uid(7), 3, "never said")])) == {
        "projection"
    }


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
            event = replace(event, started_at_ms=event.started_at_ms + 1)  # type: ignore[union-attr]
        rows.append(Row(row.seq, encode(event)))
    assert "schedule" in run.check(log._replace(rows=rows, snapshots=[]))


def test_schedule_an_end_at_another_instant_than_the_track_is_long(run: Run) -> None:
    (first, *_) = [row.event for row in run.rows if isinstance(row.event, PlaybackEnded)]
    later = first.ended_at_ms + 0.5  # type: ignore[union-attr]
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


def test_a_violation_says_where_it_was_found(run: Run) -> None:
    found = check(list(run.journals.values()), [without_last_row(run)])
    assert all(isinstance(v, Violation) and uid(0x900) in v.what for v in found)
