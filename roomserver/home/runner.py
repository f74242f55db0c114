"""One loaded room: its mailbox, and at most one batch on its way to the database.

    mailbox -> (look up) -> Turn -> committer -> release through the gate -> next turn

No task waits here: a turn runs when something arrives, when a batch is done, or when a timer says.
"""

import logging
from typing import Final

from protocol.cluster import Arrive, Depart, Measured, Party, SignalSent, Submit
from protocol.codec import decode_event
from protocol.errors import ErrorCode, Rejected
from protocol.ids import UserId
from protocol.snapshot import Snapshot
from roomserver.home import metrics
from roomserver.home.acquire import Loaded
from roomserver.home.batch import Batch, Newcomer, Outcome, Reply, ack
from roomserver.home.doors import admit, is_open_to, require_entry
from roomserver.home.enrich import Letter, Rows, key_of, look_up, needs_rows
from roomserver.home.gate import Gate, reject_of
from roomserver.home.hearing import hear, look
from roomserver.home.here import Here
from roomserver.home.keeping import catch_up, keep
from roomserver.home.leavers import Leaver, leaver_of
from roomserver.home.mailbox import Mailbox
from roomserver.home.parts import Parts
from roomserver.home.proofs import RETRY_AFTER_MS, Proofs
from roomserver.home.recent import Done, Key
from roomserver.home.recovery import recover
from roomserver.home.signals import pass_on
from roomserver.home.turn import Turn
from sql.faults import FAULTS

HOLD_MAX_MS: Final = 60_000

_log: Final = logging.getLogger(__name__)


class Runner:
    """Runs one room. `receive` and `look` are called on the loop; neither waits."""

    def __init__(self, parts: Parts, here: Here) -> None:
        self.here = here
        self.gate = Gate(parts.channel, here)
        self._parts = parts
        self._proofs = Proofs(parts, here, self._take, self._answer)
        self._mailbox = Mailbox()
        self._busy = False
        """Letters are being looked up, or a batch is under way."""
        self._is_cut_off = False
        """The database does not answer: what is committed is served, nothing is decided."""
        self._shown_state: Snapshot | None = None
        """While cut off: the room as it was shown. The live one is ahead, or half changed."""
        self._is_over = False
        self._told_at_ms = float("-inf")
        self._listed: object = None

    @property
    def waiting(self) -> int:
        """Letters that wait for their turn."""
        return len(self._mailbox) + len(self._mailbox.taken)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return not self._busy and not self._mailbox

    def receive(self, sender: Party, message: Arrive | Submit | Depart) -> None:
        """Take a message that needs a turn."""
        if self._proofs.wants(message):
            self._proofs.check(Letter(sender, message))
        else:
            self._take(Letter(sender, message))

    def _take(self, letter: Letter) -> None:
        message = letter.message
        if self._is_cut_off:
            self._serve(letter)
        elif self._mailbox.replace(letter):
            return
        elif isinstance(message, Depart) or len(self._mailbox) < self._parts.pace.mailbox:
            self._mailbox.put(letter)
        elif isinstance(message, Arrive) or not self._may_have_happened(message):
            self._refuse(letter, ErrorCode.UNAVAILABLE)
        self._parts.touch(self.here.room_id)

    def signal(self, message: SignalSent) -> None:
        """Take a signal; it waits for no turn."""
        pass_on(self.here, self.gate, self._parts, message)

    def measure(self, message: Measured) -> None:
        """Keep round trips for the lead."""
        self.here.presence.measure(message.rtts_ms)

    def look(self) -> None:
        """Run a turn, unless one is under way."""
        if self._is_over:
            return
        if self._busy:
            if self._is_cut_off:
                self._tell_presence()
            return
        self._busy = True
        pace = self._parts.pace
        letters = self._mailbox.take(pace.batch_letters)
        if needs_rows(self.here, letters, pace.gap_events):
            self._parts.tasks.spawn("look-up", self._look_up(letters))
        else:
            self._turn(Rows())

    async def _look_up(self, letters: list[Letter]) -> None:
        rows = Rows()
        gap_events = self._parts.pace.gap_events
        try:
            rows = await look_up(self._parts.database, self.here, letters, gap_events)
        except FAULTS as error:
            _log.warning("a look-up failed", extra={"error": repr(error)})
            self._parts.beats.lost()
            self._refuse_commands(ErrorCode.UNAVAILABLE)
        except Exception:
            _log.exception("a look-up failed", extra={"room_id": self.here.room_id})
            self._refuse_commands(ErrorCode.INTERNAL)
        self._turn(rows)

    def _refuse_commands(self, code: ErrorCode) -> None:
        """Nothing is known of these commands: refuse those that were surely never carried out."""
        for letter in self._mailbox.drop_commands():
            if isinstance(letter.message, Submit) and not self._may_have_happened(letter.message):
                self._refuse(letter, code)

    def _turn(self, rows: Rows) -> None:
        parts, here = self._parts, self.here
        letters = self._mailbox.taken
        now_ms = parts.clock.now_ms()
        here.presence.expire(now_ms)
        if letters:
            here.used_at_ms = now_ms
        turn = Turn(here, parts.pace, now_ms, parts.committer.p99_ms, self._done)
        self._batch = turn.batch
        try:
            taken = turn.run(letters, rows)
        except Exception:
            # A bug in a rule. The live state may be half changed: it is read anew.
            metrics.TURNS_FAILED.inc()
            _log.exception(
                "a room's turn failed",
                extra={"room_id": here.room_id, "user_id": _sender_of(turn.letter)},
            )
            if turn.letter is not None:
                self._refuse(turn.letter, ErrorCode.INTERNAL)
            self._mailbox.decided(turn.taken)
            self._done(Outcome.REFUSED)
            return
        self._mailbox.decided(taken)
        if turn.is_full:
            parts.touch(here.room_id)
        if turn.batch.is_empty:
            self._done(Outcome.COMMITTED)
        else:
            parts.committer.put(turn.batch)

    def _done(self, outcome: Outcome) -> None:
        batch = self._batch
        if outcome is Outcome.COMMITTED:
            self.here.refusals = 0
            try:
                self._release(batch)
            except Exception:
                # It is in the log: whoever asks again is answered from there.
                _log.exception("a batch was not released", extra={"room_id": batch.room_id})
                self.give_up(batch)
        elif outcome is Outcome.FENCED:
            self.give_up(batch)
        else:
            self._cut_off(outcome)
            self._parts.tasks.spawn("recover", recover(self._parts, self, batch, outcome))

    def _release(self, batch: Batch) -> None:
        """What the batch decided is durable, and the live state is what is committed."""
        here, gate = self.here, self.gate
        here.shown.ring.append(batch.bodies)
        gate.publish(batch.from_seq + 1, batch.bodies, batch.urgent)
        keep(here, batch, self._parts)
        hear(here, batch, self._parts)
        metrics.observe_starts(batch.starts)
        for leaving in batch.leaving:
            if isinstance(leaving, Newcomer):
                gate.admit(leaving.sender, admit(here, here.public, leaving))
            else:
                gate.answer(leaving.to, leaving.conn, leaving.answer)
        self._let_go(batch.leavers)
        self._busy = False
        self._settle()

    def resume(self, batch: Batch, loaded: Loaded, done: dict[Key, Done], code: ErrorCode) -> None:
        """Go on with the room as the log has it. What was pending is answered from the log;
        what is not in it is refused with `code`."""
        here, gate = self.here, self.gate
        seq = here.shown.ring.seq
        missed = loaded.ring.since(seq)
        if missed is None:
            self.give_up(batch)
            return
        here.loaded = loaded
        if missed:
            # Nobody else wrote: it is this batch.
            hear(here, batch, self._parts)
            metrics.observe_starts(batch.starts)
        gate.publish(seq + 1, missed, True)
        catch_up(here, missed, self._parts)
        for leaving in batch.leaving:
            if isinstance(leaving, Newcomer):
                gate.admit(leaving.sender, admit(here, here.public, leaving))
            elif isinstance(leaving, Reply):
                frame_id = leaving.answer.id
                if (found := done.get(leaving.key)) is not None:
                    here.recent.add(leaving.key, found)
                    gate.answer(leaving.to, leaving.conn, ack(frame_id, found))
                else:
                    here.recent.drop(leaving.key)
                    error = Rejected(code, retry_after_ms=RETRY_AFTER_MS)
                    gate.answer(leaving.to, leaving.conn, reject_of(frame_id, error))
            else:
                gate.answer(leaving.to, leaving.conn, leaving.answer)
        self._let_go([who for body in missed if (who := leaver_of(decode_event(body)))])
        # Whatever was counted last may be undone.
        here.counted_departures = -1
        self._is_cut_off = self._busy = False
        self._shown_state = None
        self._parts.touch(here.room_id)

    def _let_go(self, leavers: list[Leaver]) -> None:
        """End the connections of those whom a durable event put out."""
        here = self.here
        for leaver in leavers:
            if leaver.reason != "left" or not is_open_to(here, leaver.user_id):
                self.gate.end(leaver.reason, leaver.user_id, leaver.until_ms)
                here.presence.put_out(leaver.user_id, self._parts.clock.now_ms())

    def give_up(self, batch: Batch) -> None:
        """This is not the home, or not fit to be: show nothing more, let everybody ask anew."""
        self._is_over = True
        waiting = {letter.sender for letter in self._mailbox}
        pending = {x.sender if isinstance(x, Newcomer) else x.to for x in batch.leaving}
        self.gate.move(waiting | pending | self.here.reactions.parties())
        self._parts.drop(self.here.room_id)

    def _cut_off(self, outcome: Outcome) -> None:
        here = self.here
        self._is_cut_off = True
        if outcome is Outcome.REFUSED:
            for command in self._batch.commands:
                here.recent.drop(command.key)
            # What is due by the clock would be refused again at once.
            here.refusals += 1
            wait_ms = min(RETRY_AFTER_MS * 2 ** (here.refusals - 1), HOLD_MAX_MS)
            here.hold_until_ms = self._parts.clock.now_ms() + wait_ms
        for letter in self._mailbox.clear():
            self._serve(letter)

    def _serve(self, letter: Letter) -> None:
        """Without the database: answer from what was shown, decide nothing."""
        here, (sender, message) = self.here, letter
        if isinstance(message, Submit):
            if not self._may_have_happened(message):
                self._refuse(letter, ErrorCode.UNAVAILABLE)
        elif isinstance(message, Depart):
            here.presence.depart(message.conn, message.explicit, self._parts.clock.now_ms())
        elif message.person.user_id in here.proven:
            # To let in a stranger is to give a place.
            here.proven.discard(message.person.user_id)
            self._refuse(letter, ErrorCode.UNAVAILABLE)
        else:
            if self._shown_state is None:
                self._shown_state = here.shown.state()
            try:
                now_ms = self._parts.clock.now_ms()
                require_entry(here, self._shown_state, message, now_ms)
            except Rejected as error:
                self.gate.answer(sender, message.conn, reject_of(message.id, error))
                return
            here.presence.arrive(
                message.conn,
                sender,
                message.person,
                message.rtt_ms,
                message.addresses,
                now_ms=now_ms,
            )
            self.gate.admit(sender, admit(here, self._shown_state, Newcomer(sender, message)))

    def _may_have_happened(self, submit: Submit) -> bool:
        """Whether a command could be in the log, or be on its way there.

        A refusal says that it changed nothing: who sends such a command gets no answer yet, and
        asks again.
        """
        here, key = self.here, key_of(submit)
        return (
            here.recent.find(key) is not None
            or not here.recent.is_new(key)
            or key in here.reactions
        )

    def _refuse(self, letter: Letter, code: ErrorCode) -> None:
        self._answer(letter, Rejected(code, retry_after_ms=RETRY_AFTER_MS))

    def _answer(self, letter: Letter, refusal: Rejected) -> None:
        sender, message = letter
        if not isinstance(message, Depart):
            self.gate.answer(sender, message.conn, reject_of(message.id, refusal))

    def _settle(self) -> None:
        """Between two batches: tell who is here, and say when to look again."""
        parts, here = self._parts, self.here
        now_ms = parts.clock.now_ms()
        if here.public.room.closed and here.presence.count:
            self.gate.end("closed")
            here.presence.clear(now_ms)
        self._tell_presence()
        look(here, parts, now_ms)
        self._list()
        if self._mailbox or here.must_count_votes:
            parts.touch(here.room_id)
        elif here.is_resting() and now_ms >= here.used_at_ms + parts.pace.linger_ms:
            parts.retire(here.room_id)
            return
        parts.timers.set(here.room_id, self._next_look_ms())

    def _next_look_ms(self) -> float | None:
        here, pace = self.here, self._parts.pace
        presence = here.presence
        due = [
            max(at_ms, here.hold_until_ms)
            for at_ms in (
                here.loaded.room.next_wake(),
                here.suspends_at_ms(pace.vacant_ms),
                here.reactions.due_at_ms,
                None if here.lost is None else 0.0,
            )
            if at_ms is not None
        ]
        if here.heard.due_at_ms is not None:
            due.append(here.heard.due_at_ms)
        if (expires_at_ms := presence.expires_at_ms()) is not None:
            due.append(expires_at_ms)
        if presence.roll.has_news:
            due.append(self._told_at_ms + presence.told_every_ms(pace.presence_every_ms))
        if here.dirty_since_ms is not None:
            due.append(here.dirty_since_ms + pace.snapshot_ms)
        if here.is_resting():
            due.append(here.used_at_ms + pace.linger_ms)
        return min(due, default=None)

    def _tell_presence(self) -> None:
        now_ms = self._parts.clock.now_ms()
        presence = self.here.presence
        if not presence.roll.has_news:
            return
        if now_ms - self._told_at_ms >= presence.told_every_ms(self._parts.pace.presence_every_ms):
            self._told_at_ms = now_ms
            self.gate.presence()

    def _list(self) -> None:
        here = self.here
        public = here.public
        entry = public.playback.entry
        shown = (
            public.room,
            public.suspended,
            here.presence.people,
            entry and entry.entry_id,
            here.loaded.room.next_wake(),
        )
        if shown != self._listed:
            self._listed = shown
            self._parts.listing.put(here.list_row())


def _sender_of(letter: Letter | None) -> UserId | None:
    """The person who says what a letter says."""
    message = None if letter is None else letter.message
    return message.person.user_id if isinstance(message, Arrive | Submit) else None
