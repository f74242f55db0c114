"""A client's own copy of a room: the snapshot, kept up to date by folding events."""

import msgspec
from msgspec import Raw, Struct

from protocol.base import Event
from protocol.catalog import RoomEvent
from protocol.codec import decode_event
from protocol.fold import FOLD, fold
from protocol.frames import Events, Have, Joined, Presence
from protocol.ids import RoomId, UserId
from protocol.members import Member
from protocol.snapshot import Snapshot
from protocol.users import Person


class UnknownEvent(Event, frozen=True, kw_only=True, tag="unknown"):
    """An event of a newer server: it has its seq, and changes nothing here."""


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
        self.snapshot: Snapshot | None = None
        self.you: Member | None = None
        self.present: dict[UserId, Person] = {}
        """Who is here, as far as was told (at most 200 at first)."""
        self.count = 0
        """How many are here."""
        self.here = False
        """Whether this connection is in the room."""
        self.asked = False
        """Whether a join is under way."""
        self._fence = 0
        self._new_here = True

    @property
    def have(self) -> Have | None:
        """How far the copy reaches."""
        if self.snapshot is None:
            return None
        return Have(lineage=self.snapshot.lineage, seq=self.snapshot.seq)

    def joined(self, frame: Joined) -> bool:
        """The door is open; False if the copy does not fit what follows and has been dropped."""
        if frame.snapshot is not None:
            self.snapshot = frame.snapshot
        elif frame.resumed is None or not self._goes_on(
            frame.resumed.lineage, frame.resumed.from_seq
        ):
            self.snapshot = None
            return False
        self.you = frame.you
        self.here = self._new_here = True
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

    def presence(self, frame: Presence) -> bool:
        """Take in who came and went; False for news of a home that is no longer."""
        if self._new_here:
            self._new_here = False
            self.present = {}
        elif frame.fence < self._fence:
            return False
        self._fence = frame.fence
        self.count = frame.count
        self.present |= {person.user_id: person for person in frame.present}
        for user_id in frame.gone:
            self.present.pop(user_id, None)
        return True

    @staticmethod
    def decode_leniently(data: bytes | str) -> Events | None:
        """An `events` frame with events that this client does not know; None for other frames."""
        try:
            loose = msgspec.json.decode(data, type=_LooseEvents)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return Events(
            room=loose.room,
            first_seq=loose.first_seq,
            events=[_known_or_not(raw) for raw in loose.events],
        )

    def _goes_on(self, lineage: str, from_seq: int) -> bool:
        have = self.have
        return have is not None and have.lineage == lineage and from_seq <= have.seq + 1


def _known_or_not(raw: Raw) -> RoomEvent:
    try:
        event: RoomEvent = decode_event(raw)
        return event
    except msgspec.ValidationError:
        return UnknownEvent(at_ms=0)  # type: ignore[return-value]
