"""One turn of a room: from what waits to one batch. No waiting inside, so nothing comes between."""

import math
from collections.abc import Callable
from typing import Final, get_args

from protocol.catalog import RoomCommand, SystemCommand
from protocol.cluster import Arrive, Submit
from protocol.errors import ErrorCode, Rejected
from protocol.members import MemberAdd
from protocol.owner import OwnerSucceed
from protocol.playback import (
    LoadingDone,
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
)
from protocol.reactions import ReactionsCount, ReactionSend
from protocol.rooms import RoomClose, RoomRelock, RoomResume, RoomSuspend, Wake
from protocol.tracks import TrackGone
from protocol.users import Person
from protocol.votes import VotesCount, VotesSkip
from roomserver.home.batch import (
    Batch,
    CommandRow,
    Newcomer,
    Outcome,
    Refusal,
    Reply,
    Start,
    Waking,
    ack,
)
from roomserver.home.context import context_of
from roomserver.home.doors import require_address, require_entry
from roomserver.home.enrich import Letter, Rows, key_of
from roomserver.home.gate import reject_of
from roomserver.home.here import Here
from roomserver.home.pace import Pace
from roomserver.home.reactions import Asker
from roomserver.home.recent import Done
from roomserver.room.context import SYSTEM
from roomserver.room.playback import LOADING_MS

SYSTEM_COMMANDS: Final = get_args(SystemCommand)
STIRRING: Final = (
    PlaybackPlay,
    PlaybackPause,
    PlaybackSeek,
    PlaybackNext,
    PlaybackPlayEntry,
    VotesSkip,
    VotesCount,
    LoadingDone,
    TrackGone,
    Wake,
    RoomSuspend,
    RoomClose,
)
"""Commands after which something else may sound, or the same at another place."""


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
        self._commit_ms = commit_ms
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
        self._here.gone |= rows.gone
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
            # Fewer votes may be enough now.
            self._follow_clock()

    def _submit(self, sender: str, submit: Submit, rows: Rows) -> None:
        here, key = self._here, key_of(submit)
        done = here.recent.find(key) or rows.done.get(key)
        if done is None:
            try:
                actor = _actor(sender, submit)
                if submit.addresses:
                    person = _newcomer(submit) or actor
                    require_address(here, here.public, person, submit.addresses, self._now_ms)
                if isinstance(submit.command, OwnerSucceed):
                    self._require_absent(submit.command)
                if isinstance(submit.command, ReactionSend):
                    self._gather(sender, submit, submit.command)
                    return
                done = self._apply(submit.command, actor, self._now_ms, rows)
                if isinstance(submit.command, RoomRelock):
                    here.loaded.has_password = rows.is_locked
                    here.proven.clear()
            except Rejected as error:
                answer = reject_of(submit.id, error)
                self.batch.leaving.append(Reply(sender, submit.conn, key, answer))
                return
            self.batch.commands.append(CommandRow(key, done, math.ceil(self._now_ms)))
            here.recent.add(key, done)
        self.batch.leaving.append(Reply(sender, submit.conn, key, ack(submit.id, done)))

    def _require_absent(self, command: OwnerSucceed) -> None:
        """An owner who is here uses no login for weeks, and is not away. Rejects: conflict."""
        owner_id = self._here.public.room.owner_id
        if command.reason == "absent" and self._here.presence.person(owner_id) is not None:
            raise Rejected(ErrorCode.CONFLICT, "The owner is here.")

    def _gather(self, sender: str, submit: Submit, command: ReactionSend) -> None:
        """Keep a reaction that the room would take; it is counted and answered with others.

        Rejects what the room rejects.
        """
        key, reactions = key_of(submit), self._here.reactions
        if key not in reactions:
            here, now_ms = self._here, self._now_ms
            context = context_of(here, command, submit.person, now_ms, self._commit_ms, Rows())
            here.loaded.room.weigh(command, context)
        reactions.add(key, command.emoji, Asker(sender, submit.conn, submit.id), self._now_ms)

    def _count_reactions(self, at_ms: float) -> None:
        """Count what was gathered, in one event; whoever asked is answered with it."""
        counts, askers = self._here.reactions.take()
        if not counts:
            return
        try:
            done = self._apply(ReactionsCount(counts=counts), SYSTEM, at_ms, Rows())
        except Rejected as error:
            for key, waiting in askers.items():
                for to, conn, frame_id in waiting:
                    self.batch.leaving.append(Reply(to, conn, key, reject_of(frame_id, error)))
            return
        for key, waiting in askers.items():
            self.batch.commands.append(CommandRow(key, done, math.ceil(self._now_ms)))
            self._here.recent.add(key, done)
            for to, conn, frame_id in waiting:
                self.batch.leaving.append(Reply(to, conn, key, ack(frame_id, done)))

    def _arrive(self, sender: str, arrive: Arrive, rows: Rows) -> None:
        here = self._here
        user_id = arrive.person.user_id
        try:
            require_entry(here, here.public, arrive, self._now_ms)
            if user_id in here.proven:
                self._apply(MemberAdd(person=arrive.person), SYSTEM, self._now_ms, Rows())
        except Rejected as error:
            answer = reject_of(arrive.id, error)
            self.batch.leaving.append(Refusal(sender, arrive.conn, answer))
            return
        finally:
            here.proven.discard(user_id)
        here.presence.arrive(
            arrive.conn,
            sender,
            arrive.person,
            arrive.rtt_ms,
            arrive.addresses,
            now_ms=self._now_ms,
        )
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
        due_at_ms = self._here.reactions.due_at_ms
        if due_at_ms is not None and due_at_ms <= self._now_ms:
            self._count_reactions(self._now_ms)
        while not self.is_full and (due := self._due()) is not None:
            command, at_ms = due
            seq = self._here.public.seq
            if isinstance(command, LoadingDone):
                self.batch.starts.append(self._start_of(command, at_ms))
            self._apply(command, SYSTEM, at_ms, Rows())
            if isinstance(command, VotesCount):
                self._here.counted_departures = self._here.presence.departures
            elif self._here.public.seq == seq:
                raise Stuck(f"{type(command).__name__} at {at_ms} changed nothing")

    def _due(self) -> tuple[RoomCommand, float] | None:
        here, now_ms = self._here, self._now_ms
        public, people = here.public, here.presence.people
        if public.room.closed:
            return None
        if (track_id := here.lost) is not None:
            return TrackGone(track_id=track_id), now_ms
        if public.suspended:
            return (RoomResume(), now_ms) if people else None
        if here.must_count_votes:
            return VotesCount(), now_ms
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

    def _start_of(self, command: LoadingDone, at_ms: float) -> Start:
        room = self._here.loaded.room
        wake_ms = room.next_wake()
        return Start(
            late=sum(map(room.private.waits_for, command.missing)),
            waited_ms=None if wake_ms is None else at_ms - wake_ms + LOADING_MS,
        )

    def _apply(self, command: RoomCommand, actor: Person, at_ms: float, rows: Rows) -> Done:
        """Rejects what the room rejects."""
        room = self._here.loaded.room
        context = context_of(self._here, command, actor, at_ms, self._commit_ms, rows)
        if isinstance(command, STIRRING) and self._here.reactions.due_at_ms is not None:
            # They were about what sounded until now; what is refused stirs nothing.
            room.weigh(command, context)
            self._count_reactions(at_ms)
        before = room.public.playback.entry
        steps = room.apply(command, context)
        rows.follow(steps)
        return self.batch.add(steps, (before, room.public.playback.entry))


def _newcomer(submit: Submit) -> Person | None:
    """Whom the sidecar brings in, who need not be the one who acts."""
    return submit.command.person if isinstance(submit.command, MemberAdd) else None


def _actor(sender: str, submit: Submit) -> Person:
    """Who acts. Only a sidecar may speak for the system."""
    if not isinstance(submit.command, SYSTEM_COMMANDS):
        return submit.person
    if not sender.startswith("http:"):
        raise Rejected(ErrorCode.NOT_ALLOWED)
    return SYSTEM
