"""Every metric tells what has happened: its value, before and after."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from httpapi.metrics import refresh_jobs
from roomserver.edge.metrics import refresh as refresh_edge
from roomserver.home.metrics import refresh as refresh_home
from roomserver.room.room import Room
from roomserver.runtime.metrics import REGISTRY, Watch, rendered
from sql.pool import connect
from tests.cluster.rest import tone
from tests.httpapi.site import Guest, Site
from tests.httpapi.test_slow_peers import wire

ELSEWHERE = {"start_late_listeners", "start_wait_seconds", "bus_refused", "bus_lost"}
"""What tests of its feature look at."""
WITHIN_S = 20


class Figures:
    """What would be read at /metrics, without the part that all names share."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.looked_at: set[str] = set()

    async def now(self) -> dict[str, float]:
        await refresh_jobs(self._site.database)
        node = self._site.node
        text = await rendered((partial(refresh_edge, node.edge), partial(refresh_home, node.home)))
        told = {}
        for family in text_string_to_metric_families(text.decode()):
            for sample in family.samples:
                labels = ",".join(sample.labels.values())
                told[f"{sample.name.removeprefix('unisono_')} {labels}".strip()] = sample.value
        return told

    async def become(self, **wanted: float) -> None:
        """Wait until gauges have these values."""
        self.looked_at |= wanted.keys()
        async with asyncio.timeout(WITHIN_S):
            while wanted.items() - (told := await self.now()).items():
                assert told.keys() >= wanted.keys()

    @asynccontextmanager
    async def grow(self, *least: str, **exactly: float) -> AsyncIterator[None]:
        """What happens in between adds exactly so much to each, or at least something.

        In a name, "__" stands before labels.
        """
        wanted = {name.replace("__", " "): value for name, value in exactly.items()}
        self.looked_at |= {name.split(" ")[0] for name in (*least, *wanted)}
        before = await self.now()
        yield
        missing = {*least, *wanted}
        with suppress(TimeoutError):
            async with asyncio.timeout(WITHIN_S):
                while missing:
                    after = await self.now()
                    grown = {name: value - before.get(name, 0) for name, value in after.items()}
                    missing = {name for name in least if grown.get(name, 0) <= 0} | {
                        name for name, value in wanted.items() if grown.get(name, 0) < value
                    }
        assert missing == set(), "these did not grow as much"
        assert {name: grown.get(name, 0) for name in wanted} == pytest.approx(wanted)


Socket = aiohttp.ClientWebSocketResponse


async def heard(socket: Socket, *kinds: str) -> dict[str, Any]:
    """The next frame of one of these kinds."""
    async with asyncio.timeout(WITHIN_S):
        while (frame := await socket.receive_json())["type"] not in kinds:
            pass
        return dict(frame)


async def command(socket: Socket, room_id: str, command: dict[str, Any]) -> int:
    """Send it; returns its id."""
    sent = next(IDS)
    await socket.send_json({"type": "cmd", "id": sent, "room": room_id, "cmd": command})
    return sent


async def answer(socket: Socket, sent: int) -> str:
    """The kind of answer to this command, and to no earlier one."""
    while (frame := await heard(socket, "ack", "reject"))["id"] != sent:
        pass
    return str(frame["type"])


def chat(content: str) -> dict[str, Any]:
    return {"type": "chat.send", "content": content}


IDS = iter(range(10, 10_000))


@pytest.fixture
def figures(site: Site) -> Figures:
    return Figures(site)


@asynccontextmanager
async def locked(database_url: str, room_id: str) -> AsyncIterator[None]:
    """The database keeps everything of a room waiting.

    On a connection of the test's own: one of the pool is lost when it is kept for long.
    """
    connection = await connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute(
                "select from room_homes where room_id = $1 for update", room_id
            )
            yield
    finally:
        await connection.close()


def nobody_sees_this(*_: object) -> None:
    raise ZeroDivisionError


async def test_every_figure_tells_what_happens(
    site: Site, figures: Figures, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    ann, ben = await site.account(), await site.guest("Ben")
    room_id = await site.room(ann)
    await here(site, figures, ann, ben, room_id)
    async with site.socket(ann, room_id) as socket:
        # Who said something gets it with the ack; what a sweep takes along is for others.
        async with site.socket(ben, room_id):
            await commands(figures, socket, room_id)
        await waiting(figures, socket, room_id, database_url)
        await broken(site, figures, socket, room_id, monkeypatch, database_url)
    await coming_back(site, figures, ann, room_id)
    await slow_reader(site, figures, ann, room_id)
    await requests(site, figures, ann)
    await process(figures)
    names = {family.name.removeprefix("unisono_") for family in REGISTRY.collect()}
    parts = ("_total", "_count", "_sum")
    told = {
        name.removesuffix(next((part for part in parts if name.endswith(part)), ""))
        for name in figures.looked_at
    }
    assert names - ELSEWHERE - told == set()


async def here(site: Site, figures: Figures, ann: Guest, ben: Guest, room_id: str) -> None:
    await figures.become(sockets=0, users=0, strangers=0, members_present=0, edge_rooms=0)
    async with site.socket(ann, room_id), site.socket(ann, room_id, "client-of-another-tab"):
        await figures.become(sockets=2, users=1, members_present=1, rooms=1, edge_rooms=1)
        async with site.socket(ben, room_id):
            await figures.become(sockets=3, users=2, members_present=2, rooms=1, edge_rooms=1)
            _, writer = await wire(site)
            await figures.become(sockets=3, strangers=1)
            writer.close()
    await figures.become(sockets=0, users=0, strangers=0, edge_rooms=0)


async def commands(figures: Figures, socket: Socket, room_id: str) -> None:
    async with figures.grow(
        "commit_seconds_sum", "flush_bytes_sum", "sweep_seconds_sum", "ack_seconds_sum ack",
        "flush_bytes_count", "sweep_seconds_count",
        **{
            "ack_seconds_count__ack": 1, "batches_total__committed": 1, "commit_rooms_sum": 1,
            "commit_events_sum": 1, "commit_events_count": 1, "commit_rooms_count": 1,
        },
    ):  # fmt: skip
        await answer(socket, await command(socket, room_id, chat("a word")))
    async with figures.grow("ack_seconds_sum reject", ack_seconds_count__reject=1):
        await answer(socket, await command(socket, room_id, {"type": "queue.undo"}))
    report = {"type": "clock_report", "rtt_ms": 20, "error_ms": -12.0}
    async with figures.grow(
        **{
            "playback_error_seconds_sum": 0.012, "playback_error_seconds_count": 1,
            "playback_error_seconds_bucket__0.01": 0, "playback_error_seconds_bucket__0.02": 1,
        }
    ):  # fmt: skip
        await socket.send_json({"type": "signal", "room": room_id, "signal": report})


async def waiting(figures: Figures, socket: Socket, room_id: str, database_url: str) -> None:
    begun_s = time.monotonic()
    async with locked(database_url, room_id):
        first = await command(socket, room_id, chat("waits in the gate"))
        await figures.become(gate_batches=1, questions=1)
        second = await command(socket, room_id, chat("waits in the mailbox"))
        await figures.become(gate_batches=1, questions=2, mailbox_letters=1)
        standstill_s = (await figures.now())["gate_standstill_seconds"]
        assert 0 < standstill_s < time.monotonic() - begun_s
    await answer(socket, first)
    await answer(socket, second)
    await figures.become(gate_batches=0, questions=0, mailbox_letters=0, gate_standstill_seconds=0)


async def broken(
    site: Site,
    figures: Figures,
    socket: Socket,
    room_id: str,
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Room, "apply", nobody_sees_this)
        async with figures.grow("turns_failed_total"):
            await answer(socket, await command(socket, room_id, chat("hits a bug")))
    # What has failed is read again: without its tables it would not come so far as to be refused.
    while await answer(socket, await command(socket, room_id, chat("is here again"))) != "ack":
        pass
    async with figures.grow("batches_total refused"):
        await site.execute("alter table chat_messages rename to elsewhere")
        await answer(socket, await command(socket, room_id, chat("cannot be stored")))
        await site.execute("alter table elsewhere rename to chat_messages")
    async with figures.grow("batches_total unknown"):
        async with locked(database_url, room_id):
            sent = await command(socket, room_id, chat("nobody knows"))
            await figures.become(gate_batches=1)
            killer = await connect(database_url)
            # It may still be on its way to the lock.
            while not await killer.fetchval(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity"
                " where datname = current_database() and wait_event_type = 'Lock'"
            ):
                pass
            await killer.close()
        await answer(socket, sent)
    async with figures.grow("batches_total fenced"):
        await site.execute("update room_homes set fence = fence + 1 where room_id = $1", room_id)
        await answer(socket, await command(socket, room_id, chat("from a former home")))


async def coming_back(site: Site, figures: Figures, ann: Guest, room_id: str) -> None:
    async def joined(have: dict[str, Any] | None) -> dict[str, Any]:
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(f"{site.url}/ws") as socket,
        ):
            hello = {"type": "hello", "client_id": "client-that-returns", "token": ann.token}
            await socket.send_json(hello)
            more = {"have": have} if have else {}
            await socket.send_json({"type": "join", "id": 1, "room": room_id, **more})
            return await heard(socket, "joined")

    async with figures.grow(resumes_total__ring=0, resumes_total__snapshot=0):
        snapshot = (await joined(None))["snapshot"]
    have = {"lineage": snapshot["lineage"], "seq": snapshot["seq"]}
    async with figures.grow(resumes_total__ring=1, resumes_total__snapshot=0):
        assert (await joined(have)).get("resumed")
    async with figures.grow(resumes_total__ring=0, resumes_total__snapshot=1):
        assert not (await joined(have | {"seq": snapshot["seq"] + 100_000})).get("resumed")


async def slow_reader(site: Site, figures: Figures, ann: Guest, room_id: str) -> None:
    edge = site.node.edge
    patient, edge.pace = edge.pace, replace(edge.pace, slow_after_ms=50)
    await figures.become(sockets=0)
    async with site.socket(ann, room_id):
        (connection,) = edge.connections.values()
        async with figures.grow(
            slow_consumers_total__paused=1, slow_consumers_total__dropped=1, closes_total__4008=1
        ):
            # As the transport does when the socket takes no more.
            connection.pause_writing()
            await figures.become(sockets=0)
    edge.pace = patient
    async with figures.grow(closes_total__1008=1), site.socket(ann, room_id) as socket:
        for _ in range(3):
            await socket.send_str("no message")


async def requests(site: Site, figures: Figures, ann: Guest) -> None:
    route = "/api/rooms"
    async with figures.grow(
        f"http_request_seconds_sum {route}",
        **{f"http_requests_total__POST,{route},201": 1, f"http_request_seconds_count__{route}": 1},
    ):
        await site.room(ann)
    await figures.become(http_requests_under_way=0)
    _, writer = await wire(site)
    writer.write(b"POST /api/rooms HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
    await figures.become(http_requests_under_way=1)
    writer.close()
    await figures.become(http_requests_under_way=0)
    async with figures.grow(jobs__waiting=1):
        assert (await site.upload(ann, tone(200), "tone.wav")).status in (200, 201, 202)


async def process(figures: Figures) -> None:
    async with figures.grow(
        "gc_pause_seconds_sum 2", "loop_lag_seconds_count", "loop_lag_seconds_sum"
    ):
        watching = asyncio.ensure_future(Watch().run())
        await asyncio.sleep(0)
        gc.collect()
        # Whoever wanted to be woken in the meantime is late.
        stands_until_s = time.monotonic() + 0.2
        while time.monotonic() < stands_until_s:
            pass
    async with asyncio.timeout(WITHIN_S):
        # Others may come and go meanwhile.
        while (await figures.now())["tasks"] != len(asyncio.all_tasks()):
            pass
    figures.looked_at |= {"tasks"}
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    assert 0 <= (await figures.now())["beat_age_seconds"] < 5
    figures.looked_at |= {"beat_age_seconds"}
