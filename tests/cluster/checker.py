"""Judges a run: the journals of all clients against the log. Pure: data in, violations out.

What each name of a violation stands for:

    gap         the log of a room is not 1, 2, 3 … up to `room_homes.last_seq`
    lost        a command was acknowledged, and the log does not hold it (or not where the ack said)
    twice       a command took effect more than once, or an event belongs to two commands or to none
    ghost       a command was refused, and is in the log all the same
    unseen      a client was shown an event that PostgreSQL does not have at that seq
    kept        the log still holds words that were taken back
    order       a client's events were no gapless run of the log without repetitions
    early       an ack came before the events that it speaks of
    fence       a client heard of a home after it had heard of its successor
    clock       the time that events tell jumped against the clock of who heard them
    snapshot    a snapshot, shown or stored, is not what the log folds to at its seq
    projection  chat_messages or room_members do not say what the log says
    plays       an entry that was current has no end, or two
    schedule    an entry did not start or end at the instant that was agreed

What was taken back leaves the log, so that nothing is asked there about its words.
"""

from collections import Counter
from collections.abc import Iterator, Set
from typing import NamedTuple, TypeGuard, TypeVar

from msgspec.structs import replace

from protocol.catalog import RoomEvent
from protocol.chat import ChatEdited, ChatMessage, ChatSend, ChatSent
from protocol.codec import decode_snapshot, encode
from protocol.fold import fold
from protocol.frames import Ack, Cmd, Events, Join, Joined, Presence, Reject
from protocol.ids import MessageId, cmd_id
from protocol.queue import QueueAdd, QueueAdded, QueueMove, QueueMoved, QueueRemove, QueueRemoved
from protocol.reactions import ReactionsCounted
from tests.cluster.journal import Connected, Journal, Received, Sent
from tests.cluster.log import Done, RoomLog
from tests.cluster.plays import check_plays
from tests.cluster.rows import check_rows

EFFECTS = {
    ChatSend: ChatSent,
    QueueAdd: QueueAdded,
    QueueRemove: QueueRemoved,
    QueueMove: QueueMoved,
}
"""Commands of a client whose first event is always the same."""
CLOCK_MS = 60_000
"""Longer than any event takes to be heard, shorter than any jump of a clock."""


class Violation(NamedTuple):
    """A broken promise."""

    name: str
    what: str


Said = TypeVar("Said", bound=ChatSent | ChatEdited | ChatMessage)


def tells_of(event: RoomEvent, gone: Set[MessageId]) -> TypeGuard[ChatSent | ChatEdited]:
    """Whether an event has, or had, the words of one of these messages."""
    return isinstance(event, ChatSent | ChatEdited) and event.message_id in gone


def check(journals: list[Journal], logs: list[RoomLog]) -> list[Violation]:
    """Everything that is wrong; nothing, if the promises were kept."""
    found: list[Violation] = []
    for log in logs:
        gone = log.taken_back()
        folded = Folded(log, gone)
        found += check_log(log, gone)
        found += [Violation("projection", f"{log.room_id}: {what}") for what in check_rows(log)]
        found += [Violation(name, f"{log.room_id}: {what}") for name, what in check_plays(log)]
        found += [
            Violation("snapshot", f"{log.room_id}: stored at {stored.seq}")
            for stored in log.snapshots
            if not folded.agrees(stored.seq, stored.public)
        ]
        for journal in journals:
            found += check_answers(journal, log, gone)
            found += check_seen(journal, log, folded, gone)
    return found


class Folded:
    """What a room's log folds to at each seq."""

    def __init__(self, log: RoomLog, gone: Set[MessageId]) -> None:
        snapshot = decode_snapshot(log.start)
        self._gone = gone
        self._at = {snapshot.seq: log.start}
        for row in log.rows:
            fold(snapshot, row.event)
            self._at[snapshot.seq] = encode(snapshot)

    def agrees(self, seq: int, encoded: bytes) -> bool:
        """Whether a snapshot is what the log says, but for words that were taken back since."""
        wanted = self._at.get(seq)
        return encoded == wanted or (
            wanted is not None and self._wordless(encoded) == self._wordless(wanted)
        )

    def _wordless(self, encoded: bytes) -> bytes:
        snapshot = decode_snapshot(encoded)
        snapshot.chat = [
            wordless(message) if message.message_id in self._gone else message
            for message in snapshot.chat
        ]
        return encode(snapshot)


def wordless(said: Said) -> Said:
    """A message, or what was told of it, without what was said."""
    return replace(said, content="", mentions=[])


def check_log(log: RoomLog, gone: Set[MessageId]) -> Iterator[Violation]:
    """gap, kept, twice: what the log says about itself."""
    seqs = [row.seq for row in log.rows]
    if seqs != list(range(1, log.last_seq + 1)):
        yield Violation("gap", f"{log.room_id}: last_seq {log.last_seq}, rows {_runs(seqs)}")
    names = Counter((done.user_id, done.cmd_id) for done in log.done)
    for name, count in names.items():
        if count > 1:
            yield Violation("twice", f"{log.room_id}: {name} is {count} times in room_commands")
    owners = Counter(seq for done in log.done for seq in range(done.first_seq, done.last_seq + 1))
    for row in log.rows:
        if tells_of(row.event, gone) and row.event.content:
            yield Violation("kept", f"{log.room_id}: event {row.seq} is {row.event}")
        is_effect = isinstance(row.event, tuple(EFFECTS.values()))
        # Reactions that came in together are one event, and each has its answer.
        most = owners[row.seq] if isinstance(row.event, ReactionsCounted) else 1
        if owners[row.seq] > most or (is_effect and owners[row.seq] == 0):
            what = f"event {row.seq} belongs to {owners[row.seq]} commands"
            yield Violation("twice", f"{log.room_id}: {what}")


def check_answers(journal: Journal, log: RoomLog, gone: Set[MessageId]) -> Iterator[Violation]:
    """lost, ghost, twice: what was answered is what was done."""
    sent: dict[int, Cmd] = {}
    answers: dict[int, list[Ack | Reject]] = {}
    for line in journal.lines:
        if isinstance(line, Sent) and isinstance(line.frame, Cmd):
            if line.frame.room == log.room_id:
                sent[line.frame.id] = line.frame
                # Sent again, it is open again whether it will be done.
                answers.pop(line.frame.id, None)
        elif isinstance(line, Received) and isinstance(line.frame, Ack | Reject):
            answers.setdefault(line.frame.id, []).append(line.frame)
    done = {row.cmd_id: row for row in log.done if row.user_id == journal.user_id}
    for frame_id, frame in sent.items():
        name = cmd_id(journal.client_id, frame_id)
        where = f"{log.room_id}: {name} {frame.cmd}"
        row = done.get(name)
        acks = [answer for answer in answers.get(frame_id, []) if isinstance(answer, Ack)]
        for ack in acks:
            yield from _check_ack(where, frame, ack, row, log, gone)
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
    where: str, frame: Cmd, ack: Ack, row: Done | None, log: RoomLog, gone: Set[MessageId]
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
    elif (
        isinstance(frame.cmd, ChatSend)
        and not tells_of(events[0], gone)
        and events[0].content != frame.cmd.content
    ):
        yield Violation("lost", f"{where}: the log has {events[0]}")


class _View:
    """How far one connection has come in a room."""

    def __init__(self, ahead_ms: float | None = None) -> None:
        self.next_seq: int | None = None
        self.have_seq: int | None = None
        """What the join in question said."""
        self.fence = 0
        self.ahead_ms = ahead_ms
        """How far what the first event told was ahead of the clock of who heard it."""


def check_seen(
    journal: Journal, log: RoomLog, folded: Folded, gone: Set[MessageId]
) -> Iterator[Violation]:
    """unseen, order, early, fence, clock, snapshot: what a client was shown, in its order."""
    rows = {
        # Who takes words out of a row writes it anew.
        row.seq: encode(row.event) if tells_of(row.event, gone) else row.public
        for row in log.rows
    }
    asked: dict[int, int] = {}
    view = _View()
    for line in journal.lines:
        where = f"{log.room_id}: {journal.client_id}"
        if isinstance(line, Connected):
            view = _View(view.ahead_ms)
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
                    yield from _check_events(where, events, view, rows, gone)
                    yield from _check_clock(where, events, view, line.at_ns / 1e6)
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
        if not folded.agrees(seq, encode(frame.snapshot)):
            yield Violation("snapshot", f"{where}: joined at {seq}")
        view.next_seq = seq + 1
    elif frame.resumed is not None:
        # A server may also bring a connection up to date that did not ask for it.
        next_seq = view.next_seq or (view.have_seq or 0) + 1
        if frame.resumed.from_seq != next_seq:
            yield Violation("order", f"{where}: next was {next_seq}, resumed at {frame.resumed}")
        view.next_seq = frame.resumed.from_seq


def _check_events(
    where: str, frame: Events, view: _View, rows: dict[int, bytes], gone: Set[MessageId]
) -> Iterator[Violation]:
    if frame.first_seq != view.next_seq:
        yield Violation("order", f"{where}: shown {frame.first_seq}, next was {view.next_seq}")
    for seq, event in enumerate(frame.events, frame.first_seq):
        if rows.get(seq) != encode(wordless(event) if tells_of(event, gone) else event):
            yield Violation("unseen", f"{where}: {seq} was {event}, the log has {rows.get(seq)!r}")
    view.next_seq = frame.first_seq + len(frame.events)


def _check_clock(where: str, frame: Events, view: _View, heard_ms: float) -> Iterator[Violation]:
    """Whoever was away hears of an earlier time, but not of one that is long ago."""
    for seq, event in enumerate(frame.events, frame.first_seq):
        ahead_ms = event.at_ms - heard_ms
        if view.ahead_ms is None:
            view.ahead_ms = ahead_ms
        elif abs(ahead_ms - view.ahead_ms) > CLOCK_MS:
            yield Violation("clock", f"{where}: {seq} is {ahead_ms - view.ahead_ms:.0f} ms off")


def _runs(seqs: list[int]) -> str:
    """`1-40, 42-57`."""
    runs: list[list[int]] = []
    for seq in seqs:
        if runs and seq == runs[-1][1] + 1:
            runs[-1][1] = seq
        else:
            runs.append([seq, seq])
    return ", ".join(f"{first}-{last}" for first, last in runs)
