"""Peer for latency: a `websockets` handler that inserts one row, with fsync, and answers."""

import sys

import asyncpg
import uvloop
from websockets.asyncio.server import ServerConnection, serve


async def main(port: int, database_url: str) -> None:
    pool = await asyncpg.create_pool(database_url, min_size=10, max_size=10)
    await pool.execute("create table if not exists said (id bigserial primary key, body text)")

    async def handle(connection: ServerConnection) -> None:
        async for message in connection:
            await pool.execute("insert into said (body) values ($1)", message)
            await connection.send(message)

    async with serve(handle, "127.0.0.1", port, compression=None, backlog=2048) as server:
        print("listening", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2]))
