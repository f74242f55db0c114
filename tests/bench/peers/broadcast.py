"""Peer: a `websockets` server that passes every message on with `websockets.broadcast`."""

import sys
from contextlib import suppress

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

everybody: set[ServerConnection] = set()


async def handle(connection: ServerConnection) -> None:
    everybody.add(connection)
    try:
        with suppress(ConnectionClosed):
            async for message in connection:
                broadcast(everybody, message)
    finally:
        everybody.discard(connection)


async def main(port: int) -> None:
    async with serve(handle, "127.0.0.1", port, compression=None, backlog=2048) as server:
        print("listening", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
