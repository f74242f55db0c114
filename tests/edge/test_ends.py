"""A connection that ends is gone: nothing of it waits for the garbage collector."""

import gc
from collections.abc import Awaitable, Callable, Iterator

import pytest
from msgspec.structs import replace
from websockets.server import ServerProtocol

from protocol.frames import Ack
from roomserver.edge.connection import Connection
from roomserver.edge.dialogue import Dialogue
from roomserver.edge.front import FrontDoor
from roomserver.edge.keepalive import Keepalive
from roomserver.edge.sweep import Seat
from tests.edge.raw import close_code, frame, raw
from tests.edge.stage import SLOW, Stage, stage

KINDS = (FrontDoor, Connection, Dialogue, Keepalive, Seat, ServerProtocol)
NO_HANDSHAKES = {
    "no upgrade": b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n",
    "an old version": b"GET /ws HTTP/1.0\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
    "no colon": b"GET /ws HTTP/1.1\r\nno colon\r\nUpgrade: websocket\r\n\r\n",
    "a long line": b"GET /ws HTTP/1.1\r\nA: " + b"x" * 9_000 + b"\r\nUpgrade: websocket\r\n\r\n",
    "a body": b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello",
    "no key": b"GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
}


Alive = Callable[[], list[object]]
End = Callable[[Stage, Alive], Awaitable[None]]


def found() -> list[object]:
    """What servers have of connections. (A weak proxy would ask what it stands for.)"""
    return [thing for thing in gc.get_objects() if issubclass(type(thing), KINDS)]


@pytest.fixture
def alive() -> Iterator[Alive]:
    """What there is since, with the garbage collector switched off."""
    gc.collect()
    before = found()
    known = {id(thing) for thing in before}
    gc.disable()
    yield lambda: [thing for thing in found() if id(thing) not in known]
    gc.enable()


async def in_a_room(on: Stage, alive: Alive) -> None:
    async with on.member("Ada") as ada:
        await ada.command()
        await ada.receive(Ack)
        await on.home.until_measured(ada.conn_id)
        assert len(alive()) == 5


async def without_a_word(on: Stage, alive: Alive) -> None:
    _, writer = await raw(on)
    assert alive()
    writer.transport.abort()


async def by_half_closing(on: Stage, alive: Alive) -> None:
    reader, writer = await raw(on)
    assert alive()
    writer.write_eof()
    await reader.read()
    writer.close()


async def in_a_head(on: Stage, alive: Alive) -> None:
    _, writer = await on.wire()
    writer.write(b"GET /ws HTTP/1.1\r\nX")
    await on.until(lambda: len(on.edge.strangers) == 1)
    assert alive()
    writer.transport.abort()


def after(last: bytes) -> End:
    """The server closes when it has read it."""

    async def end(on: Stage, alive: Alive) -> None:
        reader, writer = await raw(on)
        assert alive()
        writer.write(last)
        await close_code(reader)
        writer.close()

    return end


def refused(head: bytes) -> End:
    async def end(on: Stage, alive: Alive) -> None:
        reader, writer = await on.wire()
        await on.until(lambda: bool(alive()))
        writer.write(head)
        assert (await reader.read()).startswith(b"HTTP/1.1 ")
        writer.close()

    return end


@pytest.mark.parametrize(
    "end",
    [
        in_a_room,
        without_a_word,
        by_half_closing,
        in_a_head,
        pytest.param(after(frame(0x88, b"\x03\xe8")), id="by a goodbye"),
        pytest.param(after(frame(0x83, b"{}")), id="by nonsense"),
        *(pytest.param(refused(head), id=what) for what, head in NO_HANDSHAKES.items()),
    ],
)
async def test_who_goes_in_any_way_leaves_nothing_to_the_garbage_collector(
    end: End, alive: Alive
) -> None:
    # On a busy machine the first pong may come before somebody is in the room: then the next tells.
    async with stage(pace=replace(SLOW, ping_early_ms=(1, 100, 400, 1_000, 2_000))) as on:
        await end(on, alive)
        await on.until(lambda: (on.edge.connection_count, len(on.edge.strangers)) == (0, 0))
        await on.until(lambda: not alive())
