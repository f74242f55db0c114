"""Peer: FastAPI on uvicorn, the connection manager of its own tutorial."""

import sys

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()
everybody: set[WebSocket] = set()


@app.websocket("/ws")
async def handle(websocket: WebSocket) -> None:
    await websocket.accept()
    everybody.add(websocket)
    try:
        while True:
            message = await websocket.receive_text()
            for other in list(everybody):
                await other.send_text(message)
    except WebSocketDisconnect:
        pass
    finally:
        everybody.discard(websocket)


class Server(uvicorn.Server):
    """Says when it listens."""

    async def startup(self, sockets: list | None = None) -> None:  # type: ignore[type-arg]
        await super().startup(sockets)
        print("listening", flush=True)


if __name__ == "__main__":
    Server(
        uvicorn.Config(
            app,
            port=int(sys.argv[1]),
            loop="uvloop",
            ws_per_message_deflate=False,
            log_level="error",
        )
    ).run()
