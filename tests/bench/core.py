"""Room core: `Room.apply` beside decoding and encoding the same frame."""

import time
import uuid
from collections.abc import Callable
from statistics import median

from protocol import codec
from protocol.chat import ChatSend
from protocol.frames import Cmd
from protocol.members import Member
from protocol.queue import QueueAdd, QueueRemove
from protocol.rooms import Room as RoomCard
from protocol.rooms import RoomSettings
from protocol.snapshot import new_room
from protocol.tracks import Track
from protocol.users import Person
from roomserver.room.context import Context
from roomserver.room.room import Room

MEMBERS = 200
QUEUED = 100
COMMANDS = 20_000


def _track() -> Track:
    return Track(
        track_id=str(uuid.uuid4()),
        title="A track of the usual length",
        artist="Somebody",
        duration_ms=200_000,
        duration_samples=9_600_000,
    )


def _room() -> tuple[Room, Context]:
    people = [
        Person(user_id=str(uuid.uuid4()), display_name=f"Person {index}")
        for index in range(MEMBERS)
    ]
    card = RoomCard(
        room_id=str(uuid.uuid4()),
        name="Bench",
        owner_id=people[0].user_id,
        settings=RoomSettings(always_on=True),
    )
    snapshot = new_room(card, str(uuid.uuid4()), people[0], 0)
    for person in people[1:]:
        snapshot.members[person.user_id] = Member(person=person, joined_at_ms=1)
    room = Room(snapshot)
    ctx = Context(actor=people[0], now_ms=1_000, present=MEMBERS, track=_track())
    for _ in range(QUEUED):
        room.apply(QueueAdd(track_id=_track().track_id), ctx)
    return room, ctx


def _us(work: Callable[[], None]) -> float:
    begin = time.perf_counter()
    for _ in range(COMMANDS):
        work()
    return (time.perf_counter() - begin) / COMMANDS * 1e6


def _codec_us(command: ChatSend | QueueAdd, room: Room) -> float:
    frame = codec.encode(Cmd(id=1, room=room.public.room.room_id, cmd=command))
    return _us(lambda: codec.encode(codec.decode_client_frame(frame)) and None)


def _one_round() -> dict[str, tuple[float, float]]:
    room, ctx = _room()
    say = ChatSend(content="x" * 120)
    chat_us = _us(lambda: room.apply(say, ctx) and None)
    add = QueueAdd(track_id=_track().track_id)

    def add_and_remove() -> None:
        room.apply(add, ctx)
        room.apply(QueueRemove(entry_id=room.public.queue[-1].entry_id), ctx)

    # The queue stays at its length: what is added is taken out again, and the taking out,
    # measured alone on entries added before, is subtracted.
    both_us = _us(add_and_remove)
    entries = []
    for _ in range(300):
        room.apply(add, ctx)
        entries.append(room.public.queue[-1].entry_id)
    begin = time.perf_counter()
    for entry_id in reversed(entries):
        room.apply(QueueRemove(entry_id=entry_id), ctx)
    remove_us = (time.perf_counter() - begin) / len(entries) * 1e6
    return {
        "chat.send": (chat_us, _codec_us(say, room)),
        "queue.add": (both_us - remove_us, _codec_us(add, room)),
    }


async def bench(rounds: int) -> list[str]:
    """Lines of a Markdown table with medians."""
    runs = [_one_round() for _ in range(rounds)]
    lines = ["| command | apply µs | decode + encode µs | ratio (bar ≤ 4) |", "|---|---|---|---|"]
    for command in runs[0]:
        apply_us = median(run[command][0] for run in runs)
        codec_us = median(run[command][1] for run in runs)
        lines.append(f"| {command} | {apply_us:.2f} | {codec_us:.2f} | {apply_us / codec_us:.2f} |")
    return lines
