"""Room core: `Room.apply` beside decoding and encoding the same frames, and what a room weighs."""

import gc
import random
import time
import uuid
from collections.abc import Callable
from itertools import cycle
from statistics import median
from typing import Final

from protocol import codec
from protocol.chat import ChatSend
from protocol.errors import Rejected
from protocol.frames import Cmd
from protocol.members import MemberAdd, MemberSetRole
from protocol.queue import QueueAdd, QueueRemove
from protocol.rooms import QueueMode, RoomSettings
from protocol.rooms import Room as RoomRow
from protocol.snapshot import new_room
from protocol.tracks import Track
from protocol.users import Person
from roomserver.edge.deflate import deflated
from roomserver.room.context import SYSTEM, Context
from roomserver.room.private import decode_fact, decode_private, encode_private
from roomserver.room.room import Room, Step
from tests.bench.evening import COMMANDS as COMMANDS_OF_AN_EVENING
from tests.bench.evening import EVENING, MEMBERS, NOON_MS, Evening, Told, person, room_of, track

QUEUED: Final = 100
COMMANDS: Final = 20_000
ADDERS, FULL = 50, 500
"""So many people queue so many entries."""
ROWS: Final = 200
"""So many events are folded when a room is loaded."""
ADDED: Final = 10
"""So many entries come and go at a time."""
KIB: Final = 1_024
TURNS: Final = 40
SLICE: Final = 250
"""So many commands of the evening, then the codec's turn."""
CROWD: Final = 1_000
DJS: Final = 30
"""So many of the crowd stand out."""
LETTERS: Final = "ABCDEFGHIJKLMNOPRSTW"
TEXT: Final = """the of love night heart blue river dance sun moon dream fire rain street city light
home time world song girl boy summer winter gold silver wild free run away again never always
forever tonight morning stars ocean mountain wind"""


clock = time.thread_time
"""What the processor did for others is not counted."""


def _us(work: Callable[[], object], times: int = COMMANDS) -> float:
    begin = clock()
    for _ in range(times):
        work()
    return (clock() - begin) / times * 1e6


def _by_turns(one: Callable[[], float], other: Callable[[], float]) -> tuple[float, float]:
    """Means of both, measured by turns: a processor that slows down does so for both."""
    pairs = [(one(), other()) for _ in range(TURNS)]
    return sum(pair[0] for pair in pairs) / TURNS, sum(pair[1] for pair in pairs) / TURNS


def _codec_us(command: ChatSend | QueueAdd, room: Room) -> float:
    frame = codec.encode(Cmd(id=1, room=room.public.room.room_id, cmd=command))
    return _us(lambda: codec.encode(codec.decode_client_frame(frame)), COMMANDS // TURNS)


def one_command() -> dict[str, tuple[float, float]]:
    """Microseconds of `apply` and of the codec, for the two commonest commands."""
    room = room_of(MEMBERS, RoomSettings(always_on=True))
    ctx = Context(actor=person(0), now_ms=NOON_MS, present=MEMBERS, track=track(1))
    add = QueueAdd(track_id=track(1).track_id)
    for _ in range(QUEUED):
        room.apply(add, ctx)
    say, times = ChatSend(content="x" * 120), COMMANDS // TURNS
    return {
        "chat.send": _by_turns(
            lambda: _us(lambda: room.apply(say, ctx), times), lambda: _codec_us(say, room)
        ),
        "queue.add": _by_turns(lambda: _add_us(room, ctx, times), lambda: _codec_us(add, room)),
    }


def _add_us(room: Room, ctx: Context, times: int) -> float:
    """Of one `queue.add`. The queue stays at its length: what is added is taken out again, and the
    taking out is not counted."""
    add = QueueAdd(track_id=track(1).track_id)
    before = {entry.entry_id for entry in room.public.queue}
    spent = 0.0
    for _ in range(times // ADDED):
        begin = clock()
        for _ in range(ADDED):
            room.apply(add, ctx)
        spent += clock() - begin
        for entry in list(room.public.queue):
            if entry.entry_id not in before:
                room.apply(QueueRemove(entry_id=entry.entry_id), ctx)
    return spent / times * 1e6


def evening_of(told: list[Told]) -> tuple[float, float]:
    """Microseconds a command of an evening: `apply`, with the home's own commands; the codec."""
    room = room_of(MEMBERS, EVENING)
    apply_s, codec_s, count = 0.0, 0.0, 0
    # As a server does: what stays is not looked through again and again.
    gc.collect()
    gc.freeze()
    for first in range(0, len(told), SLICE):
        some = told[first : first + SLICE]
        frames = [one.frame for one in some if one.frame is not None]
        begin = clock()
        for command, context, _ in some:
            try:
                room.apply(command, context)
            except Rejected:
                continue
        between = clock()
        for frame in frames:
            codec.encode(codec.decode_client_frame(frame))
        apply_s += between - begin
        codec_s += clock() - between
        count += len(frames)
    return apply_s / count * 1e6, codec_s / count * 1e6


def _full(mode: QueueMode) -> Room:
    """A room in which nearly 500 entries of 50 people wait."""
    room = room_of(ADDERS, RoomSettings(queue_mode=mode, queue_limit=FULL))
    for number in range(FULL - ADDED):
        actor, one = person(number % ADDERS), track(number)
        ctx = Context(actor=actor, now_ms=NOON_MS, present=ADDERS, track=one)
        room.apply(QueueAdd(track_id=one.track_id), ctx)
    return room


def modes() -> tuple[float, float]:
    """Microseconds of one more entry behind 500 of 50 people: mode open, mode fair."""
    rooms = _full("open"), _full("fair")
    turn = cycle(range(ADDERS))

    def add(room: Room) -> float:
        number = next(turn)
        ctx = Context(actor=person(number), now_ms=NOON_MS, present=ADDERS, track=track(number))
        return _add_us(room, ctx, COMMANDS // TURNS // 10)

    return _by_turns(lambda: add(rooms[0]), lambda: add(rooms[1]))


def loading(told: list[Told]) -> float:
    """Milliseconds to load a room from its stored snapshot and 200 events of the evening."""
    room = room_of(MEMBERS, EVENING)
    stored = codec.encode(room.public), encode_private(room.private)
    rows: list[tuple[bytes, bytes | None]] = []
    for command, context, _ in told:
        if len(rows) >= ROWS:
            stored, rows = (codec.encode(room.public), encode_private(room.private)), []
        try:
            steps = room.apply(command, context)
        except Rejected:
            continue
        for step in steps:
            fact = None if step.private is None else encode_private(step.private)
            rows.append((codec.encode(step.event), fact))
    rows = (rows * ROWS)[:ROWS]

    def load() -> None:
        loaded = Room(codec.decode_snapshot(stored[0]), decode_private(stored[1]))
        for event, fact in rows:
            told_fact = None if fact is None else decode_fact(fact)
            loaded.replay(Step(codec.decode_event(event), told_fact))

    return _us(load, 20) / 1_000


def weight() -> tuple[int, int]:
    """Bytes of a snapshot with 500 entries and 1,000 members: as JSON, and deflated.

    With names of chance: what repeats itself would weigh nothing.
    """
    chance, text = random.Random(1), TEXT.split()

    def anything() -> str:
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))

    def words(count: int) -> str:
        return " ".join(chance.choice(text) for _ in range(count)).title()

    people = [
        Person(user_id=anything(), display_name=f"{words(1)} {chance.choice(LETTERS)}.")
        for _ in range(CROWD)
    ]
    row = RoomRow(room_id=anything(), name="Crowd", owner_id=people[0].user_id)
    room = Room(new_room(row, anything(), people[0], NOON_MS))
    for one in people:
        room.apply(MemberAdd(person=one), Context(SYSTEM, NOON_MS))
    for one in people[1:DJS]:
        command = MemberSetRole(user_id=one.user_id, role="dj")
        room.apply(command, Context(people[0], NOON_MS, target=one))
    for number in range(FULL):
        samples = chance.randrange(48_000 * 120, 48_000 * 360)
        added = Track(
            track_id=anything(),
            title=words(chance.randint(2, 5)),
            artist=words(2),
            duration_ms=round(samples / 48),
            duration_samples=samples,
        )
        at_ms = NOON_MS + number * 7_919
        ctx = Context(people[number % ADDERS], at_ms, track=added)
        room.apply(QueueAdd(track_id=added.track_id), ctx)
        if number % 10 == 0:
            room.apply(ChatSend(content=words(chance.randint(3, 20))), ctx)
    assert len(room.public.queue) == FULL
    encoded = codec.encode(room.public)
    return len(encoded), len(deflated(encoded))


async def bench(rounds: int) -> list[str]:
    """Lines of Markdown: medians, each beside its peer or its bar."""
    told = Evening().play()
    runs = [one_command() for _ in range(rounds)]
    evenings = [evening_of(told) for _ in range(rounds)]
    both = [modes() for _ in range(rounds)]
    loads = [loading(told) for _ in range(rounds)]
    lines = ["| command | apply µs | decode + encode µs | ratio (bar ≤ 4) |", "|---|---|---|---|"]
    rows = {command: [run[command] for run in runs] for command in runs[0]}
    for command, pairs in (rows | {f"an evening of {COMMANDS_OF_AN_EVENING:,}": evenings}).items():
        apply_us, codec_us = (median(column) for column in zip(*pairs, strict=True))
        lines.append(f"| {command} | {apply_us:.2f} | {codec_us:.2f} | {apply_us / codec_us:.2f} |")
    open_us, fair_us = (median(column) for column in zip(*both, strict=True))
    raw, sent = weight()
    return [
        *lines,
        "",
        "| | measured | bar |",
        "|---|---|---|",
        f"| `queue.add` behind {FULL} entries of {ADDERS} people, mode open | {open_us:.2f} µs | |",
        f"| the same, mode fair | {fair_us:.2f} µs, {fair_us / open_us:.2f} × open | ≤ 2 × |",
        f"| load a room: snapshot + {ROWS} events | {median(loads):.2f} ms | ≤ 20 ms |",
        f"| snapshot, {FULL} entries, {CROWD:,} members, deflated as it is sent "
        f"({raw / KIB:.0f} KiB of JSON) | {sent / KIB:.1f} KiB | ≤ 64 KiB |",
    ]
