"""Judges a run: the journals of all clients against the log. Pure: data in, violations out.

What each name of a violation stands for:

    gap         the log of a room is not 1, 2, 3 … up to `room_homes.last_seq`
    lost        a command was acknowledged, and the log does not hold it (or not where the ack said)
    twice       a command took effect more than once, or an event belongs to two commands or to none
    ghost       a command was refused, and is in the log all the same
    unseen      a client was shown an event that PostgreSQL does not have at that seq
    order       a client's events were no gapless run of the log without repetitions
    early       an ack came before the events that it speaks of
    fence       a client heard of a home after it had heard of its successor
    snapshot    a snapshot, shown or stored, is not what the log folds to at its seq
    projection  chat_messages does not say what the log says
    plays       an entry that was current has no end, or two
    schedule    an entry did not start or end at the instant that was agreed
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from protocol.chat import ChatSend, ChatSent
from protocol.codec import decode_snapshot, encode
from protocol.fold import fold
from protocol.frames import Ack, Cmd, Events, Join, Joined, Presence, Reject
from protocol.ids import cmd_id
from protocol.queue import QueueAdd, QueueAdded, QueueMove, QueueMoved, QueueRemove, QueueRemoved
from tests.cluster.journal import Connected, Journal, Received, Sent
from tests.cluster.log import Done, RoomLog
from tests.cluster.plays import check_plays

EFFECTS = {
    ChatSend: ChatSent,
    QueueAdd: QueueAdded,
    QueueRemove: QueueRemoved,
    QueueMove: QueueMoved,
}
"""Commands of a client whose first event is always the same."""


class Violation(NamedTuple):
    """A broken promise."""

    name: str
    what: str


def check(journals: list[Journal], logs: list[RoomLog]) -> list[Violation]:
    """Everything that is wrong; nothing, if the promises were kept."""
    found: list[Violation] = []
    for log in logs:
        folded = Folded(log)
        found += check_log(log)
        found += check_projection(log)
        found += [Violation(name, f"{log.room_id}: {what}") for name, what in check_plays(log)]
        found += [
            Violation("snapshot", f"{log.room_id}: stored at {stored.seq}")
            for stored in log.snapshots
            if stored.public != folded.at(stored.seq)
        ]
        for journal in journals:
            found += check_answers(journal, log)
            found += check_seen(journal, log, folded)
    return found


class Folded:
    """What a room's log folds to at each seq."""

    def __init__(self, log: RoomLog) -> None:
        snapshot = decode_snapshot(log.start)
        self._at = {snapshot.seq: log.start}
        for row in log.rows:
            fold(snapshot, row.event)
            self._at[snapshot.seq] = encode(snapshot)

    def at(self, seq: int) -> bytes | None:
        """The encoded snapshot; None beyond the end of the log."""
        return self._at.get(seq)


def check_log(log: RoomLog) -> Iterator[Violation]:
    """gap, twice: what the log says about itself."""
    seqs = [row.seq for row in log.rows]
    if seqs != list(range(1, log.last_seq + 1)):
        yield Violation("gap", f"{log.room_id}: last_seq {log.last_seq}, rows {_runs(seqs)}")
    names = Counter((done.user_id, done.cmd_id) for done in log.done)
    for name, count in names.items():
        if count > 1:
            yield Violation("twice", f"{log.room_id}: {name} is {count} times in room_commands")
    owners = Counter(seq for done in log.done for seq in range(done.first_seq, done.last_seq + 1))
    for row in log.rows:
        is_effect = isinstance(row.event, tuple(EFFECTS.values()))
        if owners[row.seq] > 1 or (is_effect and owners[row.seq] == 0):
            what = f"event {row.seq} belongs to {owners[row.seq]} commands"
            yield Violation("twice", f"{log.room_id}: {what}")


def check_projection(log: RoomLog) -> Iterator[Violation]:
    """projection: every message of the log, and no other."""
    said = {
        (row.event.message_id, row.seq, row.event.content)
        for row in log.rows
        if isinstance(row.event, ChatSent)
    }
    for message in said ^ set(log.messages):
        yield Violation("projection", f"{log.room_id}: {message}")


def check_answers(journal: Journal, log: RoomLog) -> Iterator[Violation]:
    """lost, ghost, twice: what was answered is what was done."""
    sent: dict[int, Cmd] = {}
    answers: dict[int, list[Ack | Reject]] = {}
    for line in journal.lines:
        if isinstance(line, Sent) and isinstance(line.frame, Cmd):
            if line.frame.room == log.room_id:
                sent[line.frame.id] = line.frame
        elif isinstance(line, Received) and isinstance(line.frame, Ack | Reject):
            answers.setdefault(line.frame.id, []).append(line.frame)
    done = {row.cmd_id: row for row in log.done if row.user_id == journal.user_id}
    for frame_id, frame in sent.items():
        name = cmd_id(journal.client_id, frame_id)
        where = f"{log.room_id}: {name} {frame.cmd}"
        row = done.get(name)
        acks = [answer for answer in answers.get(frame_id, []) if isinstance(answer, Ack)]
        for ack in acks:
            yield from _check_ack(where, frame, ack, row, log)
        if answers.get(frame_id) and not acks and row is not None:
            yield Violation("ghost", f"{where} was refused, and is in the log as {row}")
    said = Counter(
        row.event.content
        for row in log.rows
        if isinstance(row.event, ChatSent) and row.event.by.user_id == journal.user_id
    )
    meant = Counter(f.cmd.content for f in sent.values() if isinstance(f.cmd, ChatSend))
    for content, count in said.items():
        if 0 < meant[content] < count:
            yield Violation("twice", f"{log.room_id}: {content!r} was said {count} times")


def _check_ack(
    where: str, frame: Cmd, ack: Ack, row: Done | None, log: RoomLog
) -> Iterator[Violation]:
    if ack.seq > log.last_seq:
        yield Violation("lost", f"{where}: {ack} is beyond the log's end, {log.last_seq}")
        return
    if row is None or (row.first_seq, row.last_seq) != (ack.first_seq, ack.seq):
        yield Violation("lost", f"{where}: acknowledged as {ack}, in the log as {row}")
        return
    effect = EFFECTS.get(type(frame.cmd))
    events = [each.event for each in log.rows if ack.first_seq <= each.seq <= ack.seq]
    if effect is None or (isinstance(frame.cmd, QueueMove) and not events):
        # An entry that stands there already need not move.
        return
    if not events or not isinstance(events[0], effect):
        yield Violation("lost", f"{where}: the log has {events[:1]}")
    elif isinstance(frame.cmd, ChatSend) and events[0].content != frame.cmd.content:  # type: ignore[union-attr]
        yield Violation("lost", f"{where}: the log has {events[0]}")


class _View:
    """How far one connection has come in a room."""

    def __init__(self) -> None:
        self.next_seq: int | None = None
        self.have_seq: int | None = None
        """What the join in question said."""
        self.fence = 0


def check_seen(journal: Journal, log: RoomLog, folded: Folded) -> Iterator[Violation]:
    """unseen, order, early, fence, snapshot: what a client was shown, in the order it was shown."""
    rows = {row.seq: row.public for row in log.rows}
    asked: dict[int, int] = {}
    view = _View()
    for line in journal.lines:
        where = f"{log.room_id}: {journal.client_id}"
        if isinstance(line, Connected):
            view = _View()
        elif isinstance(line, Sent):
            frame = line.frame
            if isinstance(frame, Cmd) and frame.room == log.room_id:
                asked[frame.id] = 1
            elif isinstance(frame, Join) and frame.room == log.room_id:
                view.have_seq = frame.have.seq if frame.have else None
        elif isinstance(line, Received):
            match line.frame:
                case Joined(room=log.room_id) as joined:
                    yield from _check_joined(where, joined, view, folded)
                case Events(room=log.room_id) as events:
                    yield from _check_events(where, events, view, rows)
                case Presence(room=log.room_id) as presence:
                    if presence.fence < view.fence:
                        yield Violation("fence", f"{where}: {presence.fence} < {view.fence}")
                    view.fence = presence.fence
                case Ack() as ack if ack.id in asked:
                    if view.next_seq is None or ack.seq >= view.next_seq:
                        yield Violation("early", f"{where}: {ack}, next is {view.next_seq}")


def _check_joined(where: str, frame: Joined, view: _View, folded: Folded) -> Iterator[Violation]:
    if frame.snapshot is not None:
        seq = frame.snapshot.seq
        # The client's copy is folded on in place: the journal must hold its own.
        if encode(frame.snapshot) != folded.at(seq):
            yield Violation("snapshot", f"{where}: joined at {seq}")
        view.next_seq = seq + 1
    elif frame.resumed is not None:
        # A server may also bring a connection up to date that did not ask for it.
        next_seq = view.next_seq or (view.have_seq or 0) + 1
        if frame.resumed.from_seq != next_seq:
            yield Violation("order", f"{where}: next was {next_seq}, resumed at {frame.resumed}")
        view.next_seq = frame.resumed.from_seq


def _check_events(
    where: str, frame: Events, view: _View, rows: dict[int, bytes]
) -> Iterator[Violation]:
    if frame.first_seq != view.next_seq:
        yield Violation("order", f"{where}: shown {frame.first_seq}, next was {view.next_seq}")
    for seq, event in enumerate(frame.events, frame.first_seq):
        if rows.get(seq) != encode(event):
            yield Violation("unseen", f"{where}: {seq} was {event}, the log has {rows.get(seq)!r}")
    view.next_seq = frame.first_seq + len(frame.events)


def _runs(seqs: list[int]) -> str:
    """`1-40, 42-57`."""
    runs: list[list[int]] = []
    for seq in seqs:
        if runs and seq == runs[-1][1] + 1:
            runs[-1][1] = seq
        else:
            runs.append([seq, seq])
    return ", ".join(f"{first}-{last}" for first, last in runs)
