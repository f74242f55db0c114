"""What the fault proxy says it does to a connection is what a client and a server see."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.faults.proxy import Proxy

MEGABYTE = bytes(1_000_000)


class Echo:
    """Says what it hears, one connection after another; what became of each."""

    def __init__(self) -> None:
        self.ends: asyncio.Queue[bool] = asyncio.Queue()
        """Whether a connection ended with a goodbye."""
        self.hears = asyncio.Event()
        self.talks: set[asyncio.Task[None] | None] = set()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.talks.add(asyncio.current_task())
        try:
            while data := await reader.read(65_536):
                self.hears.set()
                writer.write(data)
                await writer.drain()
            self.ends.put_nowait(True)
            writer.write(b"goodbye")
        except OSError:
            self.ends.put_nowait(False)
        finally:
            writer.close()


@asynccontextmanager
async def echoing() -> AsyncIterator[tuple[Echo, Proxy, str]]:
    echo = Echo()
    server = await asyncio.start_server(echo.talk, "127.0.0.1", 0)
    proxy = Proxy(server.sockets[0].getsockname()[1])
    async with proxy.opened() as url:
        yield echo, proxy, url
    await asyncio.gather(*filter(None, echo.talks))
    server.close()
    await server.wait_closed()


async def reach(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", urlsplit(url).port)


async def test_without_faults_everything_passes_in_both_ways_and_so_does_the_end() -> None:
    async with echoing() as (echo, proxy, url):
        reader, writer = await reach(url)
        writer.write(MEGABYTE)
        assert await reader.readexactly(len(MEGABYTE)) == MEGABYTE
        writer.write_eof()
        assert await reader.read() == b"goodbye"
        assert await echo.ends.get()
        writer.close()
        assert (proxy.connections, proxy.asks.passed_bytes) == (1, len(MEGABYTE))
        assert proxy.answers.passed_bytes == len(MEGABYTE) + len(b"goodbye")


async def test_each_way_has_a_delay_of_its_own_and_keeps_the_order() -> None:
    async with echoing() as (_, proxy, url):
        reader, writer = await reach(url)
        proxy.asks.latency_ms, proxy.asks.jitter_ms = 30, 20
        proxy.answers.latency_ms = 10
        took_ms = []
        for n in range(40):
            begun_ns = time.monotonic_ns()
            writer.write(b"%02d" % n)
            assert await reader.readexactly(2) == b"%02d" % n
            took_ms.append((time.monotonic_ns() - begun_ns) / 1e6)
        assert 19 < min(took_ms) < 30
        assert max(took_ms) > 50
        proxy.asks.jitter_ms = 30
        for n in range(40):
            writer.write(b"%02d" % n)
            await asyncio.sleep(0)
        assert await reader.readexactly(80) == b"".join(b"%02d" % n for n in range(40))
        writer.close()


async def test_a_narrow_way_takes_its_time_and_makes_the_sender_wait() -> None:
    async with echoing() as (_, proxy, url):
        reader, writer = await reach(url)
        proxy.answers.bytes_per_s = 4_000_000
        begun_ns = time.monotonic_ns()
        writer.write(MEGABYTE)
        assert await reader.readexactly(len(MEGABYTE)) == MEGABYTE
        assert (time.monotonic_ns() - begun_ns) / 1e6 > 240
        writer.close()


async def test_a_black_hole_swallows_one_way_alone_and_the_end_too() -> None:
    async with echoing() as (echo, proxy, url):
        reader, writer = await reach(url)
        proxy.answers.is_black_hole = True
        writer.write(b"lost")
        await echo.hears.wait()
        while proxy.answers.passed_bytes != len(b"lost"):  # noqa: ASYNC110  (it sets no event)
            await asyncio.sleep(0)
        proxy.answers.is_black_hole = False
        writer.write(b"heard")
        assert await reader.readexactly(5) == b"heard"
        proxy.asks.is_black_hole = True
        writer.transport.abort()
        assert echo.ends.empty()
        proxy.cut()
        await echo.ends.get()


async def test_a_stalled_way_loses_nothing_and_fills_its_sender() -> None:
    async with echoing() as (_, proxy, url):
        reader, writer = await reach(url)
        writer.write(b"there")
        assert await reader.readexactly(5) == b"there"
        proxy.asks.is_stalled = True
        writer.write(MEGABYTE * 16)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await writer.drain()
        proxy.asks.is_stalled = False
        for _ in range(16):
            assert await reader.readexactly(len(MEGABYTE)) == MEGABYTE
        writer.close()


async def test_a_half_closed_way_ends_for_who_hears_it() -> None:
    async with echoing() as (echo, proxy, url):
        reader, writer = await reach(url)
        writer.write(b"there")
        assert await reader.readexactly(5) == b"there"
        proxy.asks.half_close()
        assert await echo.ends.get()
        assert await reader.read() == b"goodbye"
        writer.close()


async def test_who_is_cut_or_refused_is_told_so_and_others_may_come_later() -> None:
    async with echoing() as (echo, proxy, url):
        reader, writer = await reach(url)
        writer.write(b"there")
        assert await reader.readexactly(5) == b"there"
        proxy.cut()
        assert await reader.read() == b""
        writer.close()
        await echo.ends.get()
        proxy.refuses = True
        reader, writer = await reach(url)
        assert await reader.read() == b""
        writer.close()
        proxy.refuses = False
        reader, writer = await reach(url)
        writer.write(b"again")
        assert await reader.readexactly(5) == b"again"
        writer.close()


async def test_who_is_stranded_is_lost_to_itself_and_not_to_the_server() -> None:
    async with echoing() as (echo, proxy, url):
        reader, writer = await reach(url)
        writer.write(b"there")
        assert await reader.readexactly(5) == b"there"
        proxy.strand()
        assert await reader.read() == b""
        writer.close()
        reader, writer = await reach(url)
        writer.write(b"again")
        assert await reader.readexactly(5) == b"again"
        assert echo.ends.empty()
        writer.close()
        proxy.cut()


async def test_what_goes_one_way_can_be_meddled_with() -> None:
    async with echoing() as (_, proxy, url):
        proxy.asks.through = lambda send: lambda data: send(data + data)
        reader, writer = await reach(url)
        writer.write(b"twice")
        assert await reader.readexactly(10) == b"twicetwice"
        writer.close()


async def test_a_unix_socket_is_as_good_as_a_port(tmp_path: Path) -> None:
    echo = Echo()
    server = await asyncio.start_unix_server(echo.talk, tmp_path / "far")
    proxy = Proxy(tmp_path / "far")
    async with proxy.opened_at(tmp_path / "near"):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "near")
        writer.write(b"there")
        assert await reader.readexactly(5) == b"there"
        writer.close()
        await echo.ends.get()
    await asyncio.gather(*filter(None, echo.talks))
    server.close()
    await server.wait_closed()
