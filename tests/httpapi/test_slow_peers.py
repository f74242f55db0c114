"""Peers that send next to nothing, or read nothing, are let go; nobody else notices."""

import asyncio
import logging
import socket
from contextlib import suppress

import pytest

from httpapi import bodies, connections, uploads
from httpapi.metrics import UNDER_WAY
from tests.httpapi.site import Site

PAGE = b"GET /web/style.css HTTP/1.1\r\nHost: x\r\n\r\n"


async def wire(site: Site) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bare connection that takes little in before it has to be read."""
    own = socket.socket()
    own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    own.setblocking(False)
    port = int(site.url.rpartition(":")[2])
    await asyncio.get_running_loop().sock_connect(own, ("127.0.0.1", port))
    return await asyncio.open_connection(sock=own)


async def until_cut(writer: asyncio.StreamWriter) -> None:
    """Write until the other side is gone."""
    async with asyncio.timeout(20):
        with suppress(ConnectionError):
            while True:
                writer.write(b"\r\n")
                await writer.drain()
                await asyncio.sleep(0)


async def test_who_reads_nothing_of_its_answers_is_let_go(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "STALLED_AFTER_S", 0.2)
    reader, writer = await wire(site)
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(PAGE * 2_000)
    await until_cut(writer)
    assert (await site.ask("GET", "/healthz")).status == 200
    writer.close()


async def test_who_reads_slowly_gets_everything(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "STALLED_AFTER_S", 5)
    reader, writer = await wire(site)
    writer.write(PAGE * 100)
    found, answer = 0, b"HTTP/1.1 200"
    async with asyncio.timeout(20):
        begun = b""
        while found < 100:
            # One piece may end in the middle of what is counted.
            told = begun + await reader.read(4_096)
            found += told.count(answer)
            begun = told[1 - len(answer) :]
    writer.close()


async def test_r8_a_body_that_drips_is_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_WITHIN_MS", 100)
    reader, writer = await wire(site)
    writer.write(
        b"POST /api/auth/guest HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 1000000\r\n\r\n{"
    )
    async with asyncio.timeout(10):
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_r9_an_upload_that_drips_is_cut_off(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "CHUNK_WITHIN_MS", 200)
    # No test drips as slowly as an attacker: what counts as dripping is faster, too.
    monkeypatch.setattr(uploads, "LEAST_BYTES_PER_S", 10**9)
    who = await site.account()
    reader, writer = await wire(site)
    writer.write(
        f"POST /api/tracks/uploads HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {who.token}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'.encode()
    )

    async def drip() -> None:
        while not writer.is_closing():
            writer.write(b"RIFF")
            await asyncio.sleep(0)

    async with asyncio.timeout(10):
        dripping = asyncio.ensure_future(drip())
        answer = await reader.readuntil(b"\r\n")
        dripping.cancel()
    assert answer.startswith(b"HTTP/1.1 400 ")
    writer.close()


@pytest.mark.parametrize(
    "head",
    [
        "POST /api/auth/guest HTTP/1.1\r\nContent-Type: application/json\r\n",
        "POST /api/tracks/uploads HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\n",
    ],
)
async def test_who_leaves_in_the_middle_of_a_body_is_no_fault_of_ours(
    site: Site, head: str, caplog: pytest.LogCaptureFixture
) -> None:
    who = await site.account()
    reader, writer = await wire(site)
    writer.write(
        f"{head}Host: x\r\nAuthorization: Bearer {who.token}\r\nContent-Length: 1000\r\n"
        "Expect: 100-continue\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRI'.encode()
    )
    # It waits for the rest by now.
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
    under_way = UNDER_WAY._value.get
    assert under_way() == 1
    writer.transport.abort()
    async with asyncio.timeout(10):
        while under_way():  # noqa: ASYNC110  (a gauge sets no event)
            await asyncio.sleep(0)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
