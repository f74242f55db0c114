"""Connections: what they are set to, and that nobody waits for ever."""

import asyncio
import socket
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from sql.faults import FAULTS, is_refused, is_unreachable
from sql.pool import SILENCE_MAX_MS, Database, DatabaseBusy, connect


async def test_ids_are_text_alone_and_in_lists(database: Database) -> None:
    ids = [str(uuid4()), str(uuid4())]
    async with database.acquire() as connection:
        assert await connection.fetchval("select $1::uuid", ids[0]) == ids[0]
        assert await connection.fetchval("select $1::uuid[]", ids) == ids
        assert await connection.fetchval("select $1::uuid is null", None) is True


async def test_json_comes_back_as_the_text_that_went_in(database: Database) -> None:
    text = '{"b": 1,  "a": 1.0}'
    async with database.acquire() as connection:
        assert await connection.fetchval("select $1::json", text) == text
        assert await connection.fetchval("select $1::json[]", [text, None]) == [text, None]


async def test_an_exhausted_pool_says_so(database_url: str) -> None:
    pool = await Database.open(database_url, max_size=1, acquire_timeout_ms=20)
    async with pool.acquire() as connection:
        with pytest.raises(DatabaseBusy):
            async with pool.acquire():
                pass
        assert await connection.fetchval("select 1") == 1
    async with pool.acquire() as connection:
        assert await connection.fetchval("select 1") == 1
    await pool.close()


async def test_who_asks_first_is_served_first(database_url: str) -> None:
    pool = await Database.open(database_url, min_size=4, max_size=4, acquire_timeout_ms=5_000)
    served = 0

    async def go() -> int:
        nonlocal served
        most = 0
        for _ in range(20):
            before = served
            async with pool.acquire() as connection:
                most = max(most, served - before)
                served += 1
                await connection.fetchval("select 1")
        return most

    others_first = await asyncio.gather(*(go() for _ in range(10)))
    assert max(others_first) <= 9, others_first
    await pool.close()


async def test_who_gives_up_waiting_takes_no_turn(database_url: str) -> None:
    pool = await Database.open(database_url, max_size=1, acquire_timeout_ms=5_000)
    async with pool.acquire():
        waiting = [asyncio.ensure_future(pool.acquire().__aenter__()) for _ in range(3)]
        await asyncio.sleep(0)
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)
    async with asyncio.timeout(1), pool.acquire() as connection:
        assert await connection.fetchval("select 1") == 1
    await pool.close()


async def test_a_statement_that_was_cut_off_leaves_its_connection_usable(database_url: str) -> None:
    pool = await Database.open(database_url, max_size=1)
    with pytest.raises(TimeoutError):
        async with pool.transaction() as connection, asyncio.timeout(0.05):
            await connection.execute("create temporary table cut_off (id int)")
            await connection.execute("select pg_sleep(30)")
    async with asyncio.timeout(5), pool.acquire() as connection:
        assert await connection.fetchval("select to_regclass('cut_off')") is None
    await pool.close()


async def test_a_database_that_does_not_answer_is_not_waited_for(database_url: str) -> None:
    pool = await Database.open(database_url, max_size=1, answer_within_ms=1_000)
    async with asyncio.timeout(5):
        with pytest.raises(FAULTS) as caught:
            async with pool.transaction() as connection:
                await connection.execute("select pg_sleep(30)")
        assert is_unreachable(caught.value)
        assert not is_refused(caught.value)
        async with pool.acquire() as connection:
            assert await connection.fetchval("select 1") == 1
    await pool.close()


async def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(LookupError):
        async with database.transaction() as connection:
            await connection.execute("update cluster_clock set step_ms = 1")
            raise LookupError
    async with database.transaction() as connection:
        assert await connection.fetchval("select step_ms from cluster_clock") == 0
        await connection.execute("update cluster_clock set step_ms = 2")
    async with database.acquire() as connection:
        assert await connection.fetchval("select step_ms from cluster_clock") == 2


@pytest.mark.parametrize(
    ("setting", "value"),
    [("lock_timeout", "2s"), ("idle_in_transaction_session_timeout", "2s"), ("jit", "off")],
)
async def test_nobody_waits_for_ever(
    database: Database, database_url: str, setting: str, value: str
) -> None:
    alone = await connect(database_url)
    async with database.acquire() as connection:
        for one in (alone, connection):
            assert await one.fetchval("select current_setting($1)", setting) == value
    await alone.close()


async def test_a_connection_that_is_lost_while_nobody_asks_is_let_go(
    database: Database, database_url: str
) -> None:
    pool = await Database.open(database_url, max_size=1, answer_within_ms=1_000)
    due = asyncio.Event()
    async with pool.acquire() as connection:
        # Behind the pool's own timer: what that raises fails the test.
        asyncio.get_running_loop().call_later(1, due.set)
        async with database.acquire() as other:
            await other.execute("select pg_terminate_backend($1)", connection.get_server_pid())
        await due.wait()
    async with pool.acquire() as connection:
        assert await connection.fetchval("select 1") == 1
    await pool.close()


async def test_a_server_beyond_a_network_that_falls_silent_is_noticed(database_url: str) -> None:
    address = urlsplit(database_url)
    path = parse_qs(address.query)["host"][0] + "/.s.PGSQL.5432"
    copying: list[asyncio.Task[None]] = []

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(path)
        copying.append(asyncio.create_task(copy(server_reader, writer)))
        copying.append(asyncio.create_task(copy(reader, server_writer)))

    async with await asyncio.start_server(forward, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        url = f"postgresql://unisono@127.0.0.1:{port}{address.path}?sslmode=disable"
        connection = await connect(url)
        assert await connection.fetchval("select 1") == 1
        used = connection._transport.get_extra_info("socket")
        assert used.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == SILENCE_MAX_MS
        await connection.close()
        await asyncio.gather(*copying)


@pytest.mark.parametrize("cuts", [1, 2])
async def test_a_transaction_that_is_cut_off_anywhere_is_not_left_open_to_the_next(
    database_url: str, cuts: int
) -> None:
    database = await Database.open(database_url, max_size=1)

    async def write() -> None:
        async with database.transaction() as connection:
            await connection.execute("create table if not exists never (n int)")
            await asyncio.Event().wait()

    for turns in range(25):
        writing = asyncio.ensure_future(write())
        for _ in range(turns):
            await asyncio.sleep(0)
        for _ in range(cuts):
            writing.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await writing
    async with database.acquire() as connection:
        assert not connection.is_in_transaction()
        assert await connection.fetchval("select to_regclass('never')") is None
    await database.close()
