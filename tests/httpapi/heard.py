"""What a socket of a room hears."""

import asyncio
from typing import Any

import aiohttp

Socket = aiohttp.ClientWebSocketResponse


async def frame(socket: Socket, kind: str) -> Any:
    """The next frame of a kind."""
    async with asyncio.timeout(10):
        while (found := await socket.receive_json())["type"] != kind:
            pass
    return found


async def event(socket: Socket, kind: str) -> Any:
    """The next event of a kind; what comes in the same frame behind it is not looked at again."""
    while True:
        for found in (await frame(socket, "events"))["events"]:
            if found["type"] == kind:
                return found
