"""A run as it should be, acted without a server: what was decided, and what all were shown."""

from protocol.catalog import ClientCommand, RoomCommand
from protocol.chat import ChatSent
from protocol.codec import decode_snapshot, encode
from protocol.frames import Ack, Cmd, Events, Have, Join, Joined, Presence, Resumed
from protocol.ids import cmd_id
from protocol.members import Member
from protocol.rooms import Room as RoomRow
from protocol.rooms import Wake
from protocol.snapshot import new_room
from protocol.tracks import Track
from protocol.users import Person
from roomserver.room.context import SYSTEM, Context
from roomserver.room.room import Room
from tests.cluster.checker import check
from tests.cluster.journal import Connected, Journal
from tests.cluster.log import Done, Message, RoomLog, Row, Stored
from tests.room.people import ANN, BOB, uid

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
            [
                Message(e.message_id, s, e.content, 0, False)
                for s, e in said
                if isinstance(e, ChatSent)
            ],
            self._places(),
        )

    def _places(self) -> dict[str, str]:
        public, private = self.room.public, self.room.private
        return {
            user_id: public.members[user_id].role if user_id in public.members else "listener"
            for user_id in private.members
        }

    def check(self, log: RoomLog | None = None) -> set[str]:
        return {v.name for v in check(list(self.journals.values()), [log or self.log()])}

    def _apply(self, command: RoomCommand, ctx: Context) -> None:
        steps = self.room.apply(command, ctx)
        first = len(self.rows) + 1
        self.rows += [Row(first + n, encode(step.event)) for n, step in enumerate(steps)]
        events = Events(room=uid(0x900), first_seq=first, events=[step.event for step in steps])
        for journal in self.journals.values():
            if any(isinstance(line, Connected) for line in journal.lines):
                journal.received(int(self.now_ms * 1e6), events)
