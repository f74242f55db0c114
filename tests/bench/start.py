"""Start: how long until the server listens, with 10,000 rooms and 1,000,000 events behind it.

The worst case: the process was killed while people were in all of these rooms, so that each is
still this node's and has its listeners; in 1,000 of them music must go on.
"""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg

from protocol.chat import ChatSent
from protocol.codec import encode
from protocol.ids import RoomId
from protocol.rooms import Room
from protocol.snapshot import new_room
from protocol.users import Person
from sql.embedded import EmbeddedPostgres
from tests.bench.unisono import unisono

ROOMS = 10_000
EVENTS_EACH = 100
AWAKE = 1_000
LISTENERS = 3
BAR_S = 2
ANN = Person(user_id=str(uuid.uuid4()), display_name="Ann")
AT_MS = 1_790_000_000_000


def body(seq: int) -> str:
    """One event as the log has it."""
    said = ChatSent(
        at_ms=AT_MS + seq, message_id=str(uuid.uuid4()), by=ANN, content=f"Message {seq}"
    )
    return encode(said).decode()


def events(room_ids: list[RoomId]) -> Iterator[tuple[Any, ...]]:
    """The log of all rooms; what is said repeats itself."""
    bodies = [body(seq) for seq in range(1, EVENTS_EACH + 1)]
    for room_id in room_ids:
        for seq, public in enumerate(bodies, 1):
            yield room_id, seq, AT_MS + seq, public


async def fill(url: str, node_id: str) -> None:
    """Rooms of a node as they are when it has just been killed."""
    rooms = [
        Room(room_id=str(uuid.uuid4()), name=f"Room {i}", owner_id=ANN.user_id)
        for i in range(ROOMS)
    ]
    lineages = [str(uuid.uuid4()) for _ in rooms]
    rows = {
        ("rooms", "room_id name name_key visibility owner_id suspended listeners wake_at_ms"): [
            (r.room_id, r.name, r.name.lower(), "public", ANN.user_id, False, LISTENERS,
             AT_MS if i < AWAKE else None)
            for i, r in enumerate(rooms)
        ],
        ("room_homes", "room_id node_id incarnation fence last_seq lineage"): [
            (r.room_id, node_id, 1, 1, EVENTS_EACH, lineage)
            for r, lineage in zip(rooms, lineages, strict=True)
        ],
        ("room_snapshots", "room_id seq lineage public"): [
            (r.room_id, 0, lineage, encode(new_room(r, lineage, ANN, AT_MS)).decode())
            for r, lineage in zip(rooms, lineages, strict=True)
        ],
        ("room_events", "room_id seq at_ms public"): events([r.room_id for r in rooms]),
    }  # fmt: skip
    # Without our codecs, which speak text: a copy is binary.
    connection = await asyncpg.connect(url)
    for (table, columns), records in rows.items():
        await connection.copy_records_to_table(table, records=records, columns=columns.split())
    await connection.close()


async def bench(rounds: int) -> list[str]:
    """Lines of a Markdown table with medians; empty and full by turns."""
    empty: list[float] = []
    full: list[float] = []
    with TemporaryDirectory(prefix="unisono-bench-") as folder:
        # Makes the database.
        async with unisono(folder):
            pass
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        await fill(await postgres.start(), (Path(folder) / "node-id").read_text().strip())
        await postgres.stop()
        for _ in range(rounds):
            for times, there in ((empty, None), (full, folder)):
                begun = time.monotonic()
                async with unisono(there):
                    times.append(time.monotonic() - begun)
                print(times[-1], flush=True)
    return [
        f"From the start of the process, its own PostgreSQL included, to “listening”: "
        f"{median(full):.2f} s (bar ≤ {BAR_S}). With a fresh database, made meanwhile: "
        f"{median(empty):.2f} s.",
    ]
