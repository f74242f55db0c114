"""Peer: python-socketio on aiohttp, one room."""

import sys
from typing import Any

import socketio
import uvloop
from aiohttp import web

sio = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins="*", http_compression=False)


@sio.event
async def connect(sid: str, environ: dict[str, Any]) -> None:
    await sio.enter_room(sid, "room")


@sio.event
async def chat(sid: str, content: str) -> None:
    await sio.emit("chat", content, room="room")


if __name__ == "__main__":
    app = web.Application()
    sio.attach(app)
    web.run_app(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop=uvloop.new_event_loop(),
        print=lambda *_: print("listening", flush=True),
        backlog=2048,
    )
