"""Peer for REST: bare aiohttp handlers with one indexed query and with one INSERT."""

import asyncio
import sys

import asyncpg
import uvloop
from aiohttp import web


async def main(port: int, database_url: str) -> None:
    pool = await asyncpg.create_pool(database_url, min_size=10, max_size=10)
    await pool.execute("create table if not exists said (id bigserial primary key, body text)")
    await pool.execute("insert into said (body) select 'x' from generate_series(1, 1000)")

    async def read(request: web.Request) -> web.Response:
        row = await pool.fetchrow(
            "select id, body from said where id = $1", int(request.match_info["id"])
        )
        return web.json_response(dict(row))

    async def write(request: web.Request) -> web.Response:
        body = (await request.json())["content"]
        made = await pool.fetchval("insert into said (body) values ($1) returning id", body)
        return web.json_response({"id": made, "body": body}, status=201)

    app = web.Application()
    app.router.add_get("/said/{id}", read)
    app.router.add_post("/said", write)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print("listening", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2]))
