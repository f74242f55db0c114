"""REST: reads and writes of 50 clients beside bare aiohttp handlers, and chat in a storm of logins.

Each client sends its next request when the last one is answered, over a connection that it keeps.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple, cast

from sql.embedded import EmbeddedPostgres
from tests.bench.latency import Delays, chatter
from tests.bench.measure import free_port, percentile, server
from tests.bench.media import senders
from tests.bench.unisono import guests, new_rooms, post, unisono

CLIENTS = 50
REQUESTS = 2_000
WARM = 500
READ_BAR = WRITE_BAR = 3.0
STORM_BAR = 2.0
STORMERS = 20
STORMS = 3
"""A run's, each beside a talk without one: one standstill of the machine is the p99 of a talk."""
PASSWORD = "correct horse battery staple"


class Asked(NamedTuple):
    """One request as bytes."""

    data: bytes

    @classmethod
    def of(cls, method: str, path: str, token: str = "", body: object = None) -> "Asked":
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(content)}"]
        if token:
            lines.append(f"Authorization: Bearer {token}")
        if content:
            lines.append("Content-Type: application/json")
        return cls("\r\n".join([*lines, "", ""]).encode() + content)


class Client(asyncio.Protocol):
    """Keeps one connection; knows just enough HTTP to see where an answer ends."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or self._answer is None:
            return
        _, _, after = head.lower().partition(b"content-length: ")
        if len(body) >= int(after.partition(b"\r\n")[0] or 0):
            self._received = b""
            self._answer.set_result(head)

    async def ask(self, asked: Asked) -> float:
        """Milliseconds until the answer, which must be a good one."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        begun = time.monotonic()
        self._transport.write(asked.data)
        head = await self._answer
        assert head[9:10] == b"2", head
        return (time.monotonic() - begun) * 1e3

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


@asynccontextmanager
async def clients(port: int, number: int) -> AsyncIterator[list[Client]]:
    """So many connections."""
    loop = asyncio.get_running_loop()
    found = [(await loop.create_connection(Client, "127.0.0.1", port))[1] for _ in range(number)]
    yield found
    for client in found:
        client.close()


async def p99_ms(port: int, requests: Sequence[Asked]) -> float:
    """Of 50 clients that together send what there is, in turn."""
    async with clients(port, CLIENTS) as found:
        delays_ms: list[float] = []

        async def go(client: Client, number: int) -> None:
            for turn in range(number, WARM + REQUESTS, CLIENTS):
                delay_ms = await client.ask(requests[turn % len(requests)])
                if turn >= WARM:
                    delays_ms.append(delay_ms)

        await asyncio.gather(*(go(client, number) for number, client in enumerate(found)))
        return percentile(delays_ms, 0.99)


class Run(NamedTuple):
    """p99 of each kind of request, ms, and of acks of chat without and with a storm, in turn."""

    p99s_ms: dict[str, float]
    alone: list[Delays]
    storm: list[Delays]


def reads(tokens: list[str], room_ids: list[str]) -> dict[str, list[Asked]]:
    """What people read most; each list is one kind."""
    return {
        "GET /api/auth/me": [Asked.of("GET", "/api/auth/me", token) for token in tokens],
        "GET /api/rooms": [Asked.of("GET", "/api/rooms?sort=new", token) for token in tokens],
        "GET /api/rooms/{room_id}": [
            Asked.of("GET", f"/api/rooms/{room_id}", token)
            for token, room_id in zip(tokens, room_ids, strict=True)
        ],
        "GET …/messages": [
            Asked.of("GET", f"/api/rooms/{room_id}/messages", token)
            for token, room_id in zip(tokens, room_ids, strict=True)
        ],
    }


def writes(tokens: list[str], room_ids: list[str]) -> dict[str, list[Asked]]:
    """What people write most."""
    return {
        "POST …/messages": [
            Asked.of("POST", f"/api/rooms/{room_id}/messages", token, {"content": "x" * 200})
            for token, room_id in zip(tokens, room_ids, strict=True)
        ],
        "PATCH /api/users/me": [
            Asked.of("PATCH", "/api/users/me", token, {"bio": "x" * 200}) for token in tokens
        ],
        "POST /api/rooms": [
            Asked.of("POST", "/api/rooms", token, {"name": "A room"}) for token in tokens
        ],
    }


async def ours() -> Run:
    """Unisono: 50 people, each in a room of their own."""
    async with unisono() as running:
        port = running.port
        tokens = await guests(port, CLIENTS)
        room_ids = await new_rooms(port, tokens)
        kinds = reads(tokens, room_ids) | writes(tokens, room_ids)
        p99s_ms = {kind: await p99_ms(port, requests) for kind, requests in kinds.items()}
        found, chatting = await senders(running)
        talk = chatter(found, chatting)
        # The first minute of a database is not like the others.
        await talk()
        await stormers(port)
        run = Run(p99s_ms, [], [])
        for _ in range(STORMS):
            run.alone.append(await talk())
            async with storm(port):
                run.storm.append(await talk())
        return run


async def stormers(port: int) -> None:
    """Make the accounts of those who will sign in."""
    for number in range(STORMERS):
        username = f"stormer{number}"
        body: dict[str, object] = {
            "username": username,
            "email": f"{username}@example.org",
            "password": PASSWORD,
        }
        await asyncio.to_thread(post, port, "/auth/register", body)


@asynccontextmanager
async def storm(port: int) -> AsyncIterator[None]:
    """People who sign in as fast as they are let."""
    logins = 0

    async def sign_in(client: Client, number: int) -> None:
        nonlocal logins
        body = {"login": f"stormer{number}", "password": PASSWORD}
        while True:
            await client.ask(Asked.of("POST", "/api/auth/login", body=body))
            logins += 1

    async with clients(port, STORMERS) as found:
        at_it = [asyncio.ensure_future(sign_in(c, number)) for number, c in enumerate(found)]
        yield
        for task in at_it:
            task.cancel()
        ended = await asyncio.gather(*at_it, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended
    assert logins > 0, "there was no storm"


async def peer() -> dict[str, float]:
    """p99 of one indexed query and of one INSERT, ms."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="unisono-bench-"))
        postgres = EmbeddedPostgres(Path(folder))
        url = await postgres.start()
        stack.push_async_callback(postgres.stop)
        port = free_port()
        await stack.enter_async_context(
            server("-m", "tests.bench.peers.rest_one", str(port), url, port=port)
        )
        return {
            "read": await p99_ms(port, [Asked.of("GET", f"/said/{i}") for i in range(1, 51)]),
            "write": await p99_ms(port, [Asked.of("POST", "/said", body={"content": "x" * 200})]),
        }


async def bench(rounds: int) -> list[str]:
    """Alternate ours and the peer; lines of a Markdown table with medians."""
    mine: list[Run] = []
    others: list[dict[str, float]] = []
    for _ in range(rounds):
        others.append(await peer())
        mine.append(await ours())
        print(others[-1], mine[-1], flush=True)
    other = {kind: median(run[kind] for run in others) for kind in ("read", "write")}
    lines = [
        f"{CLIENTS} clients, each with its next request as soon as the last is answered. "
        f"Bare aiohttp: {other['read']:.1f} ms for one indexed query, {other['write']:.1f} ms for "
        "one INSERT.",
        "",
        "| request | p99 ms | × bare aiohttp | bar |",
        "|---|---|---|---|",
    ]
    for kind in mine[0].p99s_ms:
        p99 = median(run.p99s_ms[kind] for run in mine)
        bare, bar = (
            (other["read"], READ_BAR) if kind.startswith("GET") else (other["write"], WRITE_BAR)
        )
        lines.append(f"| `{kind}` | {p99:.1f} | {p99 / bare:.2f} | ≤ {bar:.0f} |")
    alone = median(delays.p99_ms for run in mine for delays in run.alone)
    with_storm = median(delays.p99_ms for run in mine for delays in run.storm)
    return [
        *lines,
        "",
        f"Acks of chat while {STORMERS} clients sign in without a pause: p99 {with_storm:.1f} ms, "
        f"{with_storm / alone:.2f} × what it is without them ({alone:.1f} ms; bar ≤ "
        f"{STORM_BAR:.0f}).",
    ]
