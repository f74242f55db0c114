"""Our own server as the benches see it: through REST and WebSocket, like any client."""

import asyncio
import json
import urllib.request
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from protocol.frames import Have
from tests.bench.measure import Server, free_port, server

AT_ONCE = 8
"""REST calls under way when many are made."""


@asynccontextmanager
async def unisono(folder: str | None = None, **settings: str) -> AsyncIterator[Server]:
    """The whole server, in a folder of its own if none is given, with its embedded PostgreSQL
    unless `settings` (environment variables) name a database."""
    port = free_port()
    async with AsyncExitStack() as stack:
        if folder is None:
            folder = stack.enter_context(TemporaryDirectory(prefix="unisono-bench-"))
        arguments = ("-m", "roomserver", "serve", "--port", str(port), "--data-dir", folder)
        yield await stack.enter_async_context(
            server(*arguments, port=port, ready=b"listening", **settings)
        )


def post(port: int, path: str, body: dict[str, object], token: str | None = None) -> Any:
    """One REST call."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api{path}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"}
        | ({"Authorization": f"Bearer {token}"} if token else {}),
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


async def posts(
    port: int, path: str, bodies: Sequence[dict[str, object]], tokens: Sequence[str] = ()
) -> list[Any]:
    """Many REST calls, a few at a time; `tokens` are those of their callers, if they have any."""
    url = f"http://127.0.0.1:{port}/api{path}"
    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(connector=connector, raise_for_status=True) as client:

        async def one(index: int) -> Any:
            headers = {"Authorization": f"Bearer {tokens[index]}"} if tokens else {}
            async with client.post(url, json=bodies[index], headers=headers) as answer:
                return await answer.json()

        return await asyncio.gather(*map(one, range(len(bodies))))


async def guests(port: int, number: int) -> list[str]:
    """Access tokens of so many new guests."""
    names: list[dict[str, object]] = [{"display_name": f"Guest {i}"} for i in range(number)]
    return [made["access_token"] for made in await posts(port, "/auth/guest", names)]


async def new_rooms(port: int, tokens: Sequence[str]) -> list[str]:
    """Ids of new public rooms, one for each of these owners."""
    rooms: list[dict[str, object]] = [
        {"name": f"Room {i}", "visibility": "public"} for i in range(len(tokens))
    ]
    return [made["room_id"] for made in await posts(port, "/rooms", rooms, tokens)]


async def new_room(port: int, token: str) -> str:
    """The id of a new public room."""
    return (await new_rooms(port, [token]))[0]


def opening(token: str, room_id: str, have: Have | None = None) -> list[tuple[bytes, str]]:
    """What a client says to get into a room, each when the bytes before it were received. `have`
    is how far its copy of the room reaches, if it comes back."""
    hello = {"type": "hello", "client_id": uuid.uuid4().hex, "token": token}
    join: dict[str, object] = {"type": "join", "id": 1, "room": room_id}
    if have is not None:
        join["have"] = {"lineage": have.lineage, "seq": have.seq}
    return [
        (b"\r\n\r\n", json.dumps(hello)),
        (b'"welcome"', json.dumps(join)),
        (b'"joined"', ""),
        (b'"presence"', ""),
    ]


def chat(frame_id: int, room_id: str, content: str) -> str:
    """A `chat.send` command as it stands on the wire."""
    return json.dumps(
        {
            "type": "cmd",
            "id": frame_id,
            "room": room_id,
            "cmd": {"type": "chat.send", "content": content},
        }
    )
