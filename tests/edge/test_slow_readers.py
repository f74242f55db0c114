"""Who reads slowly is paused and brought up to date later, or let go; nobody waits for it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from protocol.close_codes import CloseCode
from protocol.cluster import Arrive, Submit
from protocol.encodings import ENCODINGS, EncodingName
from protocol.frames import Ack, Events, Have, Joined, Presence, Probe, Probed
from roomserver.edge.pace import Pace
from tests.edge.scripted_home import LINEAGE, ROOM, person
from tests.edge.stage import SLOW, Client, Stage, stage

EVENT_BYTES = 1_900
NEVER_MS = 3_600_000


@asynccontextmanager
async def narrow(
    on: Stage, name: str, window_bytes: int = 4_096, encoding: EncodingName = "json"
) -> AsyncIterator[Client]:
    """Somebody whose socket takes little; hello is said."""
    who = on.people.introduce(person(name)).person
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window_bytes)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", on.port))
    async with connect(
        on.url,
        subprotocols=[Subprotocol(ENCODINGS[encoding].subprotocol)],
        sock=sock,
        max_size=None,
        max_queue=2,
        close_timeout=1,
    ) as ws:
        client = Client(ws, who)
        await client.hello()
        yield client


async def pile_up(on: Stage, slow: Client) -> None:
    """Publish until the slow reader is paused, and some more that it will not be sent."""
    connection = on.connection(slow)
    while not connection.paused:
        on.home.say(50, urgent=True, size=EVENT_BYTES)
        await asyncio.sleep(0)
    on.home.say(50, urgent=True, size=EVENT_BYTES)


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_a_paused_reader_goes_on_without_a_gap_and_holds_nobody_up(
    encoding: EncodingName,
) -> None:
    async with (
        stage() as on,
        narrow(on, "Slow", encoding=encoding) as slow,
        on.member("Ben") as ben,
    ):
        await slow.join()
        await pile_up(on, slow)
        seen = on.home.seq[ROOM]
        assert await ben.seqs(seen) == list(range(1, seen + 1))
        assert on.connection(slow).paused
        on.home.say(urgent=True)
        assert await ben.seqs(seen + 1) == [seen + 1]
        seqs: list[int] = []
        while not on.home.all(Arrive)[-1].have:
            frame = await slow.next()
            if isinstance(frame, Events):
                seqs += range(frame.first_seq, frame.first_seq + len(frame.events))
        have = on.home.all(Arrive)[-1].have
        assert have is not None and have.lineage == LINEAGE and have.seq < seen
        on.home.say(urgent=True)
        seqs += await slow.seqs(seen + 2)
        assert seqs == list(range(1, seen + 3))


async def test_a_paused_reader_gets_its_acks_behind_their_events() -> None:
    async with stage() as on, narrow(on, "Slow") as slow:
        on.home.answers_commands = False
        await slow.join()
        frame_id = await slow.command()
        submit = await on.home.until(Submit)
        await pile_up(on, slow)
        seq = on.home.seq[ROOM] + 1
        on.home.say()
        on.home.post(on.home.ack(submit, seq, seq))
        seen: list[int] = []
        while not isinstance(frame := await slow.next(), Ack):
            if isinstance(frame, Events):
                seen += range(frame.first_seq, frame.first_seq + len(frame.events))
        assert frame.id == frame_id
        assert seen[-1] == seq


async def test_a_paused_reader_hears_who_is_here_when_it_has_caught_up() -> None:
    async with stage() as on, narrow(on, "Slow") as slow:
        await slow.join()
        connection = on.connection(slow)
        while not connection.paused:
            connection.send(Probed(t0=0, t1=0, t2=0))
        on.home.post(on.home.tell(7))
        on.home.post(on.home.tell(1))
        assert (await slow.receive(Presence)).count == 1


async def test_a_reader_paused_for_too_long_is_let_go_and_the_others_go_on() -> None:
    async with (
        stage(pace=replace(SLOW, slow_after_ms=50)) as on,
        narrow(on, "Slow") as slow,
        on.member("Ben") as ben,
    ):
        await slow.join()
        await pile_up(on, slow)
        seen = on.home.seq[ROOM]
        assert await ben.seqs(seen) == list(range(1, seen + 1))
        assert not (await on.home.until_departed(slow.conn_id)).explicit
        await on.until(lambda: on.edge.connection_count == 1)
        assert await slow.close_code() in (CloseCode.TOO_SLOW, CloseCode.ABNORMAL)
        on.home.say()
        assert await ben.seqs(seen + 1) == [seen + 1]


async def test_a_reader_that_lets_too_much_pile_up_is_let_go() -> None:
    async with stage(pace=replace(SLOW, slow_bytes=1)) as on, narrow(on, "Slow") as slow:
        await slow.join()
        await pile_up(on, slow)
        assert on.edge.connection_count == 1
        await slow.send(Probe(t0=1))
        await on.home.until_departed(slow.conn_id)


async def heavy_arrival(pace: Pace, padding: int) -> None:
    async with stage(pace=pace) as on, narrow(on, "Slow", 65_536) as slow, on.member("Ben") as ben:
        on.home.padding = padding
        for _ in range(400):
            on.home.publish(10)
        on.home.say()
        await ben.seqs(4_001)
        on.written(slow).clear()
        await slow.ask_in()
        await on.home.until(Arrive, lambda arrive: arrive.conn == slow.conn_id)
        await slow.send(Probe(t0=7))
        for _ in range(30):
            on.home.say(urgent=True)
            await asyncio.sleep(0)
        assert on.connection(slow).paused
        last = on.home.seq[ROOM] + 1
        on.home.say(urgent=True)
        seqs: list[int] = []
        kinds = set()
        while not seqs or seqs[-1] != last:
            frame = await slow.next()
            kinds.add(type(frame))
            if isinstance(frame, Events):
                seqs += range(frame.first_seq, frame.first_seq + len(frame.events))
        assert seqs == list(range(1, last + 1))
        await ben.seqs(last)
        assert {Joined, Presence, Events, Probed} == kinds
        assert max(map(len, on.written(slow))) <= max(pace.piece_bytes, 5_000)


async def test_what_is_large_leaves_in_pieces_and_the_rest_follows_in_order() -> None:
    pace = replace(
        SLOW, piece_bytes=4_096, ping_early_ms=(5,) * 20, ping_every_ms=5, slow_bytes=10**8
    )
    await heavy_arrival(pace, 7_600_000)


async def test_coming_in_is_not_being_slow() -> None:
    # Seven megabytes wait, but none of it is live: only what comes on top counts.
    await heavy_arrival(replace(SLOW, slow_bytes=200_000), 7_600_000)


async def test_who_comes_back_says_what_it_has() -> None:
    async with stage() as on:
        on.home.publish(5)
        async with on.member("Ada", have=Have(lineage=LINEAGE, seq=3)) as ada:
            on.home.say()
            assert await ada.seqs(6) == [6]
        assert on.home.all(Arrive)[0].have == Have(lineage=LINEAGE, seq=3)
