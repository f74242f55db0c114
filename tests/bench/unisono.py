"""Our own server as the benches see it: through REST and WebSocket, like any client."""

import asyncio
import json
import urllib.request
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench.measure import Server, free_port, server


@asynccontextmanager
async def unisono() -> AsyncIterator[Server]:
    """The whole server with its embedded PostgreSQL in a folder of its own."""
    port = free_port()
    with TemporaryDirectory(prefix="unisono-bench-") as folder:
        arguments = ("-m", "roomserver", "serve", "--port", str(port), "--data-dir", folder)
        async with server(*arguments, port=port, ready=b"listening") as running:
            yield running


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


async def guests(port: int, number: int) -> list[str]:
    """Access tokens of so many new guests."""
    gate = asyncio.Semaphore(8)

    async def one(index: int) -> str:
        async with gate:
            made = await asyncio.to_thread(
                post, port, "/auth/guest", {"display_name": f"Guest {index}"}
            )
            token: str = made["access_token"]
            return token

    return await asyncio.gather(*map(one, range(number)))


async def new_room(port: int, token: str, name: str) -> str:
    """Make a public room; its id."""
    made = await asyncio.to_thread(
        post, port, "/rooms", {"name": name, "visibility": "public"}, token
    )
    room_id: str = made["room_id"]
    return room_id


def opening(token: str, room_id: str) -> list[tuple[bytes, str]]:
    """What a client says to get into a room, each when the bytes before it were received."""
    hello = {"type": "hello", "client_id": uuid.uuid4().hex, "token": token}
    join = {"type": "join", "id": 1, "room": room_id}
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
