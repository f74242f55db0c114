"""A client's own copy of a room: the snapshot, kept up to date by folding events."""

from typing import NamedTuple

import msgspec
from msgspec import Raw, Struct

from protocol.base import Event
from protocol.catalog import RoomEvent, RoomSignal
from protocol.encodings import Encoding
from protocol.fold import FOLD, fold
from protocol.frames import Events, Have, Joined, Presence
from protocol.ids import RoomId, UserId
from protocol.members import Member
from protocol.presence import PRESENT_AT_JOIN
from protocol.snapshot import Snapshot
from protocol.users import Person


class UnknownEvent(Event, frozen=True, kw_only=True, tag="unknown"):
    """An event of a newer server: it has its seq, and changes nothing here."""


class Came(NamedTuple):
    """Somebody is here who was not."""

    person: Person


class Went(NamedTuple):
    """Somebody is no longer here: left, or was away for longer than the grace."""

    person: Person


class Signalled(NamedTuple):
    """Somebody here sent a passing message."""

    by: UserId
    signal: RoomSignal


class Resynced(NamedTuple):
    """Events are missing here: a new snapshot came instead, and what they did is in it."""

    after_seq: int
    """The last event that was told."""
    seq: int
    """How far the new snapshot reaches; it may be less where history was restored."""
    lineage_changed: bool


News = RoomEvent | UnknownEvent | Came | Went | Signalled | Resynced
"""What there is to hear of a room."""


class _LooseEvents(Struct, tag_field="type", tag="events"):
    room: RoomId
    first_seq: int
    events: list[Raw]


class RoomCopy:
    """What a client knows of one room."""

    def __init__(self, room: RoomId) -> None:
        self.room = room
        self.password: str | None = None
        self.invite: str | None = None
        self.give_up_at_ms = 0.0
        """Until when a first join that is refused for the time being is tried again."""
        self.snapshot: Snapshot | None = None
        self.present: dict[UserId, Person] = {}
        """Who is here, as far as was told (at most 200 at first)."""
        self.count = 0
        """How many are here."""
        self.here = False
        """Whether this connection is in the room."""
        self.asked = False
        """Whether a join is under way."""
        self.resynced: Resynced | None = None
        """What the last coming in skipped."""
        self._you: Member | None = None
        self._told: Have | None = None
        self._fence = 0
        self._new_here = True
        self._first_here = True

    @property
    def have(self) -> Have | None:
        """How far the copy reaches."""
        if self.snapshot is None:
            return None
        return Have(lineage=self.snapshot.lineage, seq=self.snapshot.seq)

    @property
    def was_in(self) -> bool:
        """Whether we have been let in before, on whatever connection."""
        return self._you is not None

    @property
    def you(self) -> Member | None:
        """One's own place, as it is now; None before the first snapshot."""
        if self.snapshot is None or self._you is None:
            return None
        # A snapshot tells of all members but plain listeners.
        person = self._you.person
        plain = Member(person=person, joined_at_ms=self._you.joined_at_ms)
        return self.snapshot.members.get(person.user_id, plain)

    def joined(self, frame: Joined) -> bool:
        """The door is open; False if the copy does not fit what follows and has been dropped."""
        self._told = self.have or self._told
        if frame.snapshot is not None:
            self.snapshot = frame.snapshot
        elif frame.resumed is None or not self._goes_on(
            frame.resumed.lineage, frame.resumed.from_seq
        ):
            self.snapshot = None
            return False
        self._you = frame.you
        self.here = self._new_here = True
        self.resynced = self._skipped(self._told, self.have)
        self._told = None
        return True

    def fold(self, frame: Events) -> Events | None:
        """Fold what is new of a run of events, and give it back; None if there is a gap."""
        snapshot = self.snapshot
        if snapshot is None or frame.first_seq > snapshot.seq + 1:
            return None
        new = frame.events[snapshot.seq + 1 - frame.first_seq :]
        first_seq = snapshot.seq + 1
        for event in new:
            if type(event) in FOLD:
                fold(snapshot, event)
            else:
                snapshot.seq += 1
        return Events(room=frame.room, first_seq=first_seq, events=new)

    def presence(self, frame: Presence) -> list[Came | Went] | None:
        """Take in who is here, and say who came and went; None for news of an older home."""
        before = self.present
        is_whole = self._new_here
        if not is_whole and frame.fence < self._fence:
            return None
        self._new_here = False
        self._fence = frame.fence
        self.count = frame.count
        told = {person.user_id: person for person in frame.present}
        self.present = told if is_whole else before | told
        for user_id in frame.gone:
            self.present.pop(user_id, None)
        if is_whole and (self._first_here or frame.count > PRESENT_AT_JOIN):
            # Whom a newcomer finds has not come just now; and a part of those present does not
            # say who went.
            self._first_here = False
            return []
        went: list[Came | Went] = [Went(p) for i, p in before.items() if i not in self.present]
        return went + [Came(p) for i, p in self.present.items() if i not in before]

    @staticmethod
    def decode_leniently(data: bytes | str, encoding: Encoding) -> Events | None:
        """An `events` frame with events that this client does not know; None for other frames."""
        try:
            loose: _LooseEvents = encoding.decode(data, type=_LooseEvents)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return Events(
            room=loose.room,
            first_seq=loose.first_seq,
            events=[_known_or_not(raw, encoding) for raw in loose.events],
        )

    @staticmethod
    def _skipped(told: Have | None, have: Have | None) -> Resynced | None:
        if told is None or have is None or have == told:
            return None
        return Resynced(told.seq, have.seq, lineage_changed=told.lineage != have.lineage)

    def _goes_on(self, lineage: str, from_seq: int) -> bool:
        have = self.have
        return have is not None and have.lineage == lineage and from_seq <= have.seq + 1


def _known_or_not(raw: Raw, encoding: Encoding) -> RoomEvent:
    try:
        return encoding.decode_event(raw)
    except msgspec.ValidationError:
        return UnknownEvent(at_ms=0)  # type: ignore[return-value]
