"""A client and the server's side of its conversation, by hand."""

import msgspec

from protocol.catalog import RoomEvent
from protocol.chat import ChatSent
from protocol.client import Client, Turn, Verdict
from protocol.codec import decode_snapshot, encode
from protocol.frames import AnyServerFrame, Events, Hello, Join, Joined, Resumed, Welcome
from protocol.generate.examples import examples
from protocol.members import Member
from protocol.snapshot import Snapshot
from protocol.users import Person

BOB = Person(user_id="b2b2b2b2-0000-4000-8000-000000000002", display_name="Bob", kind="guest")
ANN = Person(user_id="a1a1a1a1-0000-4000-8000-000000000001", display_name="Ann")
SNAPSHOT = decode_snapshot(examples()[Snapshot][0])
ROOM, LINEAGE, SEQ = SNAPSHOT.room.room_id, SNAPSHOT.lineage, SNAPSHOT.seq
SAID = msgspec.json.decode(examples()[ChatSent][0], type=ChatSent)
OTHER = "0b9a7a52-77b3-4f0e-8a53-7f1f2ddc6a99"


def said(*contents: str, first_seq: int) -> Events:
    """A run of messages."""
    events: list[RoomEvent] = [
        msgspec.structs.replace(SAID, content=content) for content in contents
    ]
    return Events(room=ROOM, first_seq=first_seq, events=events)


class Talk:
    """A client and the server's side of the conversation, by hand."""

    def __init__(self) -> None:
        self.client = Client("test-client")
        self.now_ms = 1_000.0

    def hear(self, frame: AnyServerFrame) -> Turn:
        return self.client.receive(encode(frame), self.now_ms)

    def connect(self) -> Turn:
        assert self.client.connected("token").send == [
            Hello(client_id="test-client", token="token")
        ]
        return self.hear(Welcome(user=BOB, conn_id="c", now_ms=5_000.0))

    def lose(self, code: int, chance: float = 0.0) -> Verdict:
        return self.client.disconnected(code, self.now_ms, chance)

    def join(self) -> Turn:
        (join,) = self.client.join(ROOM, self.now_ms).send
        assert isinstance(join, Join)
        return self.hear(self.joined(join.id))

    def joined(self, join_id: int, resumed_from: int | None = None) -> Joined:
        you = Member(person=BOB)
        if resumed_from is None:
            return Joined(id=join_id, room=ROOM, you=you, snapshot=SNAPSHOT)
        resumed = Resumed(lineage=LINEAGE, from_seq=resumed_from)
        return Joined(id=join_id, room=ROOM, you=you, resumed=resumed)

    @property
    def seq(self) -> int:
        snapshot = self.client.rooms[ROOM].snapshot
        assert snapshot is not None
        return snapshot.seq

    @property
    def heard(self) -> list[str]:
        snapshot = self.client.rooms[ROOM].snapshot
        assert snapshot is not None
        return [message.content for message in snapshot.chat[1:]]
