"""One port for everything: heads are read whole, then the right protocol goes on."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web
from msgspec.structs import replace

from httpapi.connections import factory
from protocol.cluster import Arrive
from protocol.frames import Probe, Probed
from roomserver.edge.pace import Pace
from tests.edge.raw import HANDSHAKE
from tests.edge.scripted_home import person
from tests.edge.stage import DIGESTS, SLOW, Stage, stage


async def echo(request: web.Request) -> web.Response:
    body = await request.read()
    return web.Response(text=f"{request.path} {len(body)} {hashlib.sha256(body).hexdigest()}")


@asynccontextmanager
async def site(pace: Pace = SLOW, **settings: object) -> AsyncIterator[Stage]:
    """An edge with aiohttp behind its door."""
    app = web.Application(client_max_size=10**7)
    app.router.add_route("*", "/{path:.*}", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    assert runner.server is not None
    async with stage(pace=pace, http=factory(runner.server), **settings) as on:  # type: ignore[arg-type]
        yield on
    await runner.cleanup()


def said(path: str, body: bytes) -> bytes:
    return f"{path} {len(body)} {hashlib.sha256(body).hexdigest()}".encode()


def post(path: str, body: bytes, more: str = "") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


async def answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of the next answer."""
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        return head, await reader.readexactly(length)


async def test_a_head_that_comes_byte_by_byte_is_read_whole() -> None:
    async with site() as on:
        reader, writer = await on.wire()
        for byte in b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        assert (await answer(reader))[1] == said("/page", b"")
        writer.close()


async def test_a_body_in_the_segment_of_its_head_reaches_the_handler() -> None:
    async with site() as on:
        reader, writer = await on.wire()
        writer.write(post("/upload", b"all at once"))
        assert (await answer(reader))[1] == said("/upload", b"all at once")
        writer.close()


async def test_an_upload_of_5_mb_goes_through_the_door_whole() -> None:
    body = bytes(range(256)) * 20_480
    async with site() as on:
        reader, writer = await on.wire()
        writer.write(post("/upload", body))
        assert (await answer(reader))[1] == said("/upload", body)
        writer.close()


async def test_second_and_pipelined_requests_on_one_connection_are_served() -> None:
    async with site() as on:
        reader, writer = await on.wire()
        writer.write(post("/1", b"a") + post("/2", b"bb"))
        assert (await answer(reader))[1] == said("/1", b"a")
        assert (await answer(reader))[1] == said("/2", b"bb")
        writer.write(post("/3", b"ccc"))
        assert (await answer(reader))[1] == said("/3", b"ccc")
        writer.close()


async def test_a_socket_asked_for_on_a_kept_connection_reaches_the_sidecar_instead() -> None:
    # So a proxy must open a connection of its own for each WebSocket; all of them do.
    async with site() as on:
        reader, writer = await on.wire()
        writer.write(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n")
        await answer(reader)
        writer.write(b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n")
        assert (await answer(reader))[0].startswith(b"HTTP/1.1 200 ")
        assert on.edge.connection_count == 0
        writer.close()


@pytest.mark.parametrize("path", [b"/wsx", b"/WS", b"/ws/", b"//ws"])
async def test_only_ws_is_the_socket(path: bytes) -> None:
    async with site() as on:
        reader, writer = await on.wire()
        writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n")
        assert (await answer(reader))[0].startswith(b"HTTP/1.1 200 ")
        writer.close()


@pytest.mark.parametrize("ends", [False, True])
async def test_a_head_above_16_kib_is_refused(ends: bool) -> None:
    async with site() as on:
        reader, writer = await on.wire()
        end = b"\r\n\r\n" if ends else b""
        writer.write(b"GET / HTTP/1.1\r\nCookie: " + b"x" * 17_000 + end)
        head, _ = await answer(reader)
        assert head.startswith(b"HTTP/1.1 431 ")
        assert b"nosniff" in head
        assert await reader.read() == b""
        writer.close()


async def test_without_a_sidecar_there_is_nothing_but_the_socket() -> None:
    async with stage() as on:
        reader, writer = await on.wire()
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await answer(reader))[0].startswith(b"HTTP/1.1 404 ")
        writer.close()


async def test_h1_what_the_door_itself_refuses_carries_the_headers_and_tells_no_version() -> None:
    async with stage(public_url="https://music.example") as on:
        for asked in (b"GET / HTTP/1.1\r\nCookie: " + b"x" * 17_000, b"GET / HTTP/1.1\r\n\r\n"):
            reader, writer = await on.wire()
            writer.write(asked)
            head = (await answer(reader))[0].lower()
            for wanted in (b"nosniff", b"no-referrer", b"frame-ancestors", b"strict-transport"):
                assert wanted in head
            assert b"\r\nserver:" not in head
            assert b"unsafe-inline" not in head
            writer.close()


async def test_ws12_heads_that_never_end_are_cut_while_others_come_in() -> None:
    pace = replace(SLOW, head_within_ms=500)
    async with site(pace) as on:
        slow = [await on.wire() for _ in range(50)]
        for _, writer in slow:
            writer.write(b"GET /ws HTTP/1.1\r\nX: ")
        async with on.member("Ada"):
            pass
        async with asyncio.timeout(5):
            for reader, writer in slow:
                # The end, or a reset: an aborted connection may show as either.
                with suppress(ConnectionResetError):
                    assert await reader.read() == b""
                writer.close()
        await on.until(lambda: len(on.edge.strangers) == 0)


async def test_ws12_one_address_holds_only_so_many_unfinished_heads() -> None:
    async with site(replace(SLOW, heads_per_address=2), limits_factor=1) as on:
        held = [await on.wire() for _ in range(2)]
        await on.until(lambda: len(on.edge.strangers) == 2)
        reader, writer = await on.wire()
        assert (await answer(reader))[0].startswith(b"HTTP/1.1 503 ")
        writer.close()
        for _, other in held:
            other.close()
        await on.until(lambda: len(on.edge.strangers) == 0)
        reader, writer = await on.wire()
        writer.write(post("/again", b""))
        assert (await answer(reader))[1] == said("/again", b"")
        writer.close()


async def test_h1_one_address_has_so_many_http_connections_and_places_come_free_again() -> None:
    async with site(limits_factor=1, connections_per_address=2) as on:
        held = [await on.wire() for _ in range(2)]
        for reader, writer in held:
            writer.write(post("/kept", b""))
            await answer(reader)
        reader, writer = await on.wire()
        writer.write(post("/too-many", b""))
        head, _ = await answer(reader)
        assert head.startswith(b"HTTP/1.1 503 ") and b"nosniff" in head
        writer.close()
        # Sockets are counted apart, and a connection that is open goes on being served.
        async with on.member("Ada"):
            held[0][1].write(post("/again", b""))
            assert (await answer(held[0][0]))[1] == said("/again", b"")
        for _, writer in held:
            writer.close()
        await on.until(lambda: (len(on.edge.visitors), len(on.edge.strangers)) == (0, 0))
        reader, writer = await on.wire()
        writer.write(post("/now", b""))
        assert (await answer(reader))[1] == said("/now", b"")
        writer.close()


async def test_r14_connections_that_a_trusted_proxy_keeps_are_not_counted() -> None:
    async with site(
        limits_factor=1, connections_per_address=1, trusted_proxies="127.0.0.1/32"
    ) as on:
        held = [await on.wire() for _ in range(5)]
        for reader, writer in held:
            writer.write(post("/", b"", "X-Forwarded-For: 9.9.9.9\r\n"))
            assert (await answer(reader))[1] == said("/", b"")
        for _, writer in held:
            writer.close()


async def test_ws13_all_addresses_together_have_so_many_strangers() -> None:
    async with stage(pace=replace(SLOW, heads_in_all=1), limits_factor=1) as on, on.socket():
        reader, writer = await on.wire()
        assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
        writer.close()


async def test_ws12_a_rush_of_handshakes_leaves_every_other_turn_to_who_is_here() -> None:
    async with stage() as on, on.client("Ada") as ada:
        crowd = [await on.wire() for _ in range(100)]
        # What they send lies in the kernel until the loop turns.
        for _, writer in crowd:
            writer.write(HANDSHAKE)
        await ada.send(Probe(t0=1))
        assert (await ada.receive(Probed)).t0 == 1
        assert on.edge.connection_count < 90
        for reader, writer in crowd:
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
            writer.close()


async def test_ws12_the_wait_behind_others_does_not_count_as_ones_own() -> None:
    def come_in() -> None:
        done_s = time.monotonic() + 0.01
        while time.monotonic() < done_s:
            pass

    async with stage(pace=replace(SLOW, head_within_ms=500)) as on:
        reader, writer = await on.wire()
        await on.until(lambda: len(on.edge.strangers) == 1)
        # Three times as long as a head may take.
        for _ in range(150):
            on.edge.turnstile.wait(come_in)
        writer.write(HANDSHAKE)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        assert len(on.edge.turnstile) == 0
        writer.close()


async def test_ws12_who_gives_up_waiting_to_come_in_leaves_nothing() -> None:
    async with stage() as on:
        crowd = [await on.wire() for _ in range(50)]
        await on.until(lambda: len(on.edge.strangers) == 50)
        for _, writer in crowd:
            writer.write(HANDSHAKE)
            writer.transport.abort()
        edge = on.edge
        await on.until(
            lambda: not (edge.strangers or edge.sockets or edge.turnstile or edge.connections)
        )


FORWARDED = {
    "the last that a proxy wrote": ("6.6.6.6, 9.9.9.9", "9.9.9.9"),
    "IPv6 by its /64": ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    "garbage": ("9.9.9.9, who knows", "127.0.0.1"),
}


@pytest.mark.parametrize("what", FORWARDED)
@pytest.mark.parametrize("trusted", [True, False])
async def test_r14_the_home_hears_a_digest_of_the_address_that_a_trusted_proxy_tells(
    what: str, trusted: bool
) -> None:
    header, address = FORWARDED[what]
    proxies = "127.0.0.1/32" if trusted else "10.0.0.0/8"
    async with stage(trusted_proxies=proxies) as on:
        who = on.people.introduce(person("Ada")).person
        async with on.socket(additional_headers={"X-Forwarded-For": header}) as ada:
            ada.who = who
            await ada.hello()
            await ada.join()
        (arrive,) = on.home.all(Arrive)
        assert arrive.addresses == DIGESTS.of(address if trusted else "127.0.0.1")


async def test_r14_the_bound_for_strangers_holds_behind_a_proxy_by_their_own_address() -> None:
    pace = replace(SLOW, heads_per_address=1)
    async with (
        stage(pace=pace, limits_factor=1, trusted_proxies="127.0.0.1/32") as on,
        on.socket(additional_headers={"X-Forwarded-For": "9.9.9.9"}),
        on.socket(additional_headers={"X-Forwarded-For": "8.8.8.8"}),
    ):
        reader, writer = await on.wire()
        writer.write(b"GET /ws HTTP/1.1\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n")
        assert (await answer(reader))[0].startswith(b"HTTP/1.1 503 ")
        writer.close()


async def test_ws12_empty_lines_are_no_head() -> None:
    async with site(replace(SLOW, head_within_ms=500)) as on:
        reader, writer = await on.wire()
        writer.write(b"\r\n\r\n\r\n\r\n")
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        reader, writer = await on.wire()
        writer.write(b"\r\n" + post("/after-one", b""))
        assert (await answer(reader))[1] == said("/after-one", b"")
        writer.close()


@pytest.mark.parametrize("opening", [b"", b"GET /ws HTTP/1.1\r\n", HANDSHAKE])
async def test_ws12_who_stops_sending_is_let_go_at_once(opening: bytes) -> None:
    async with stage() as on:
        reader, writer = await on.wire()
        writer.write(opening)
        await on.until(lambda: len(on.edge.strangers) == 1)
        writer.write_eof()
        await asyncio.wait_for(reader.read(), 5)
        await on.until(lambda: (len(on.edge.strangers), on.edge.connection_count) == (0, 0))
        writer.close()
