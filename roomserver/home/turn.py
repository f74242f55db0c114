"""One turn of a room: from what waits to one batch. No waiting inside, so nothing comes between."""

import math
from collections.abc import Callable
from typing import Final, get_args

from protocol.catalog import RoomCommand, SystemCommand
from protocol.cluster import Arrive, Submit
from protocol.errors import ErrorCode, Rejected
from protocol.playback import LoadingDone
from protocol.queue import QueueAdd
from protocol.rooms import RoomResume, RoomSuspend, Wake
from protocol.users import Person
from roomserver.home.batch import (
    Batch,
    CommandRow,
    Newcomer,
    Outcome,
    Refusal,
    Reply,
    Waking,
    ack,
)
from roomserver.home.doors import require_entry
from roomserver.home.enrich import Letter, Rows, key_of
from roomserver.home.gate import reject_of
from roomserver.home.here import Here
from roomserver.home.pace import Pace
from roomserver.home.recent import Done
from roomserver.room.context import SYSTEM, Context

SYSTEM_COMMANDS: Final = get_args(SystemCommand)


class Stuck(RuntimeError):
    """A command that was due changed nothing and is still due."""


class Turn:
    """Applies commands to the live room and collects what follows in `batch`."""

    def __init__(
        self,
        here: Here,
        pace: Pace,
        now_ms: float,
        commit_ms: float,
        done: Callable[[Outcome], None],
    ) -> None:
        self._here = here
        self._pace = pace
        self._now_ms = now_ms
        self._lead_ms = here.presence.lead_ms(commit_ms)
        self._woke_ms = here.loaded.room.next_wake()
        self.taken = 0
        """How many letters were taken, the one that is being taken counted."""
        self.letter: Letter | None = None
        """The one that is being taken."""
        self.batch = Batch(here.room_id, here.fence, here.public.seq, done)

    @property
    def is_full(self) -> bool:
        """Whether the rest must wait for the next turn."""
        return len(self.batch.events) >= self._pace.batch_events

    def run(self, letters: list[Letter], rows: Rows) -> int:
        """Overdue wakes first, then the letters. Returns how many letters were taken."""
        self._follow_clock()
        while self.taken < len(letters) and not self.is_full:
            self.letter = letters[self.taken]
            self.taken += 1
            self._take(self.letter, rows)
            self.letter = None
        wake_ms = self._here.loaded.room.next_wake()
        if (wake_ms is None) != (self._woke_ms is None):
            at_ms = None if wake_ms is None else int(wake_ms)
            self.batch.waking = Waking(at_ms, self._here.public.suspended)
        return self.taken

    def _take(self, letter: Letter, rows: Rows) -> None:
        sender, message = letter
        if isinstance(message, Submit):
            self._submit(sender, message, rows)
        elif isinstance(message, Arrive):
            self._arrive(sender, message, rows)
        else:
            self._here.presence.depart(message.conn, message.explicit, self._now_ms)

    def _submit(self, sender: str, submit: Submit, rows: Rows) -> None:
        here, key = self._here, key_of(submit)
        done = here.recent.find(key) or rows.done.get(key)
        if done is None:
            try:
                done = self._apply(submit.command, _actor(sender, submit), self._now_ms, rows)
            except Rejected as error:
                answer = reject_of(submit.id, error)
                self.batch.leaving.append(Reply(sender, submit.conn, key, answer))
                return
            self.batch.commands.append(CommandRow(key, done, math.ceil(self._now_ms)))
            here.recent.add(key, done)
        self.batch.leaving.append(Reply(sender, submit.conn, key, ack(submit.id, done)))

    def _arrive(self, sender: str, arrive: Arrive, rows: Rows) -> None:
        here = self._here
        try:
            require_entry(here, here.public, arrive)
        except Rejected as error:
            answer = reject_of(arrive.id, error)
            self.batch.leaving.append(Refusal(sender, arrive.conn, answer))
            return
        here.presence.arrive(arrive.conn, sender, arrive.person, arrive.rtt_ms)
        older = None
        if rows.older and arrive.have is not None and arrive.have.seq >= rows.older_from - 1:
            older = rows.older[arrive.have.seq + 1 - rows.older_from :]
        self.batch.leaving.append(Newcomer(sender, arrive, older))
        # The first to come wakes the room before being answered.
        self._follow_clock()

    def _follow_clock(self) -> None:
        """Apply what is due by now: the home's own commands, each at its own instant."""
        if self._now_ms < self._here.hold_until_ms:
            return
        while not self.is_full and (due := self._due()) is not None:
            command, at_ms = due
            seq = self._here.public.seq
            self._apply(command, SYSTEM, at_ms, Rows())
            if self._here.public.seq == seq:
                raise Stuck(f"{type(command).__name__} at {at_ms} changed nothing")

    def _due(self) -> tuple[RoomCommand, float] | None:
        here, now_ms = self._here, self._now_ms
        public, people = here.public, here.presence.people
        if public.room.closed:
            return None
        if public.suspended:
            return (RoomResume(), now_ms) if people else None
        wake_ms = here.loaded.room.next_wake()
        suspends_ms = here.suspends_at_ms(self._pace.vacant_ms)
        if suspends_ms is not None and suspends_ms <= now_ms:
            vacant_since_ms = here.presence.vacant_since_ms
            if (wake_ms is None or wake_ms > suspends_ms) and vacant_since_ms is not None:
                return RoomSuspend(vacant_since_ms=vacant_since_ms), suspends_ms
        entry = public.playback.entry
        if public.playback.status == "waiting" and entry is not None and people:
            missing = here.loading.missing(entry.entry_id, here.presence.users())
            waits_for = here.loaded.room.private.waits_for
            is_over = wake_ms is not None and wake_ms <= now_ms
            share = self._pace.ready_share
            if is_over or here.loading.is_enough(missing, people, waits_for, share):
                return LoadingDone(entry_id=entry.entry_id, missing=missing), now_ms
        elif wake_ms is not None and wake_ms <= now_ms:
            return Wake(), wake_ms
        return None

    def _apply(self, command: RoomCommand, actor: Person, at_ms: float, rows: Rows) -> Done:
        """Rejects what the room rejects."""
        room = self._here.loaded.room
        track = rows.tracks.get(command.track_id) if isinstance(command, QueueAdd) else None
        context = Context(
            actor=actor,
            now_ms=math.ceil(at_ms),
            lead_ms=self._lead_ms,
            present=self._here.presence.people,
            track=track,
        )
        before = room.public.playback.entry
        steps = room.apply(command, context)
        return self.batch.add(steps, (before, room.public.playback.entry))


def _actor(sender: str, submit: Submit) -> Person:
    """Who acts. Only a sidecar may speak for the system."""
    if not isinstance(submit.command, SYSTEM_COMMANDS):
        return submit.person
    if not sender.startswith("http:"):
        raise Rejected(ErrorCode.NOT_ALLOWED)
    return SYSTEM
