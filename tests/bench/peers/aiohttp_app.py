"""Peer: an aiohttp handler that sends every message to everybody."""

import sys

import uvloop
from aiohttp import WSMsgType, web

everybody: set[web.WebSocketResponse] = set()


async def handle(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    everybody.add(socket)
    try:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                for other in list(everybody):
                    await other.send_str(message.data)
    finally:
        everybody.discard(socket)
    return socket


if __name__ == "__main__":
    app = web.Application()
    app.router.add_get("/ws", handle)
    web.run_app(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop=uvloop.new_event_loop(),
        print=lambda *_: print("listening", flush=True),
        backlog=2048,
    )
