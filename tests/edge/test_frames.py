"""What comes over an open socket: broken, too large, too much."""

import asyncio
import itertools
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from statistics import quantiles

import pytest
from msgspec.structs import replace
from websockets.frames import Frame, Opcode

from protocol.chat import ChatSend
from protocol.close_codes import CloseCode
from protocol.codec import encode
from protocol.frames import MAX_FRAME_BYTES, Cmd, Error, Probe, Probed, Reject
from tests.edge.raw import Port, close_code, frame, header, raw
from tests.edge.scripted_home import ROOM
from tests.edge.stage import SLOW, Client, stage


def probe_of(size: int) -> str:
    text = encode(Probe(t0=1.0)).decode()
    return text[:-1] + " " * (size - len(text)) + "}"


async def test_ws6_a_frame_of_32_kib_is_read_and_one_byte_more_ends_the_connection() -> None:
    async with stage() as on, on.client("Ada") as ada:
        await ada.socket.send(probe_of(MAX_FRAME_BYTES))
        assert (await ada.receive(Probed)).t0 == 1
        await ada.socket.send(probe_of(MAX_FRAME_BYTES + 1))
        assert await ada.close_code() == CloseCode.TOO_BIG


async def test_ws6_a_length_above_the_limit_is_refused_before_its_bytes_come() -> None:
    async with stage() as on:
        reader, writer = await raw(on)
        writer.write(header(0x81, 2**40))
        assert await close_code(reader) == CloseCode.TOO_BIG
        writer.close()


async def test_ws8_a_message_in_a_few_pieces_is_one_message() -> None:
    async with stage() as on, on.client("Ada") as ada:
        text = encode(Probe(t0=5.0)).decode()
        await ada.socket.send([text[:4], "", text[4:9], text[9:]])
        assert (await ada.receive(Probed)).t0 == 5


async def test_ws8_endless_pieces_end_the_connection_and_are_not_kept() -> None:
    pieces = frame(0x01, b"") + frame(0x00, b"") * 100_000
    async with stage() as on:
        reader, writer = await raw(on)
        tracemalloc.start()
        try:
            writer.write(pieces)
            assert await close_code(reader) == CloseCode.TOO_BIG
            assert tracemalloc.get_traced_memory()[1] < 1 << 20
        finally:
            tracemalloc.stop()
        writer.close()


@pytest.mark.parametrize(
    ("what", "data", "code"),
    [
        ("text that is not UTF-8", frame(0x81, b'{"type":"\xff"}'), CloseCode.INVALID_DATA),
        ("an unmasked frame", header(0x81, 2, masked=False) + b"{}", CloseCode.PROTOCOL_ERROR),
        ("a reserved bit", frame(0xC1, b"{}"), CloseCode.PROTOCOL_ERROR),
        ("an unknown opcode", frame(0x83, b"{}"), CloseCode.PROTOCOL_ERROR),
        ("a continuation of nothing", frame(0x80, b"{}"), CloseCode.PROTOCOL_ERROR),
        ("a fragmented ping", frame(0x09, b""), CloseCode.PROTOCOL_ERROR),
        ("binary", frame(0x82, b"{}"), CloseCode.UNSUPPORTED_DATA),
        # The frame before the broken one is answered; both came in one segment.
        ("a good and a bad one", frame(0x81, b"{") + frame(0xC1, b""), CloseCode.PROTOCOL_ERROR),
    ],
)
async def test_ws9_what_breaks_the_websocket_protocol_ends_the_connection(
    what: str, data: bytes, code: CloseCode
) -> None:
    async with stage() as on:
        reader, writer = await raw(on)
        writer.write(data)
        assert await close_code(reader) == code, what
        writer.close()
        await on.until(lambda: on.edge.connection_count == 0)


BROKEN = {
    "no object": "[1, 2]",
    "not JSON": '{"type":"cmd","id":7,',
    "empty": "",
    "nested a hundred thousand deep": '{"type":"cmd","id":7,"cmd":' + "[" * 30_000,
    "two thousand keys": '{"type":"cmd","id":7' + "".join(f',"k{n}":1' for n in range(2_000)) + "}",
    "NaN": '{"type":"probe","t0":NaN,"id":7}',
    "Infinity": '{"type":"probe","t0":Infinity}',
    "an integer of 5,000 digits": '{"type":"cmd","id":' + "9" * 5_000 + "}",
    "a lone surrogate": '{"type":"hello","id":7,"client_id":"\\ud800"}',
    "an unknown type": '{"type":"sudo","id":7}',
    "an unknown command": '{"type":"cmd","id":7,"room":"' + ROOM + '","cmd":{"type":"room.wake"}}',
    "a field too many": '{"type":"probe","t0":1,"id":7,"more":1}',
    "NUL in a text": '{"type":"cmd","id":7,"room":"'
    + ROOM
    + '","cmd":{"type":"chat.send","content":"a\\u0000"}}',
}


@pytest.mark.parametrize("what", BROKEN)
async def test_ws16_what_cannot_be_understood_is_answered_and_at_the_third_time_ended(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    text = BROKEN[what]
    async with stage() as on, on.member("Ada") as ada:
        for _ in range(2):
            await ada.socket.send(text)
            answer = await ada.receive(Error)
            assert answer.code == "bad_request"
            assert answer.id == (7 if '"id":7' in text else None)
            await ada.send(Probe(t0=1))
            await ada.receive(Probed)
        await ada.socket.send(text)
        assert await ada.close_code() == CloseCode.POLICY_VIOLATION
    assert [r for r in caplog.records if r.levelname in ("WARNING", "ERROR", "CRITICAL")] == []


async def test_ws18_a_command_for_a_room_that_was_not_joined_reaches_no_home() -> None:
    async with stage() as on, on.client("Ada") as ada:
        frame_id = await ada.command()
        refusal = await ada.receive(Reject)
        assert (refusal.id, refusal.code) == (frame_id, "not_member")
        assert on.home.heard == []


PROBES = 200
"""So many answers that a p99 means something: one hiccup of the machine is none."""
PROBE_EVERY_S = 0.006
"""No more than a connection may ask."""


async def flood(on: Port, data: bytes, times: int) -> int:
    """Send as fast as the server takes it; returns the close code."""
    reader, writer = await raw(on)

    async def pour() -> None:
        for _ in range(times):
            writer.write(data)
            await writer.drain()

    code, _ = await asyncio.gather(close_code(reader), pour())
    writer.close()
    return code


@pytest.mark.parametrize(
    "data", [frame(0x89, b""), frame(0x8A, b""), frame(0x89, b"x" * 125)], ids=str
)
async def test_ws11_a_flood_of_pings_or_pongs_ends_the_connection_and_hurts_nobody(
    data: bytes,
) -> None:
    async with stage(limits_factor=1) as on, on.client("Ada") as ada:
        codes, waits_ms = await beside(ada, lambda: flood(on, data * 10_000, 20))
        assert set(codes) == {CloseCode.RATE_LIMITED}
        assert quantiles(waits_ms, n=100)[98] < 250


async def test_ws11_empty_texts_are_malformed_and_hurt_nobody() -> None:
    async with stage(limits_factor=1) as on, on.client("Ada") as ada:
        codes, waits_ms = await beside(ada, lambda: flood(on, frame(0x81, b"") * 10_000, 20))
        assert set(codes) == {CloseCode.POLICY_VIOLATION}
        assert quantiles(waits_ms, n=100)[98] < 250


async def beside(
    client: Client, attack: Callable[[], Awaitable[int]]
) -> tuple[list[int], list[float]]:
    """How attack after attack ended, and how long a client waited for each answer meanwhile."""
    codes: list[int] = []

    async def attacks() -> None:
        while len(waits_ms) < PROBES:
            codes.append(await attack())

    waits_ms: list[float] = []
    attacking = asyncio.ensure_future(attacks())
    while not attacking.done():
        since_s = time.monotonic()
        await client.send(Probe(t0=1))
        await client.receive(Probed)
        waits_ms.append((time.monotonic() - since_s) * 1_000)
        await asyncio.wait([attacking], timeout=PROBE_EVERY_S)
    await attacking
    return codes, waits_ms


@pytest.mark.slow
@pytest.mark.alone
async def test_ws10_ten_thousand_commands_a_second_hurt_nobody_else() -> None:
    command = Cmd(id=1, room=ROOM, cmd=ChatSend(content="spam"))
    data = Frame(Opcode.TEXT, encode(command)).serialize(mask=True) * 10_000
    async with stage(limits_factor=1) as on, on.client("Ada") as ada:
        names = (f"Eve{n}" for n in itertools.count())

        async def spam() -> int:
            async with on.member(next(names)) as eve:
                assert eve.socket.transport is not None
                eve.socket.transport.write(data)
                return await eve.close_code()

        codes, waits_ms = await beside(ada, spam)
        assert set(codes) == {CloseCode.RATE_LIMITED}
        assert quantiles(waits_ms, n=100)[98] < 100


async def test_ws10_ten_thousand_commands_are_refused_and_then_the_connection_ends() -> None:
    async with stage(limits_factor=1) as on, on.member("Ada") as ada, on.member("Ben") as ben:
        command = Cmd(id=1, room=ROOM, cmd=ChatSend(content="spam"))
        data = Frame(Opcode.TEXT, encode(command)).serialize(mask=True)
        assert ada.socket.transport is not None
        ada.socket.transport.write(data * 10_000)
        refusal = await ada.receive(Reject)
        assert refusal.code == "rate_limited"
        assert refusal.temporary
        assert refusal.retry_after_ms is not None and 0 < refusal.retry_after_ms <= 5_000
        assert await ada.close_code() == CloseCode.RATE_LIMITED
        assert on.home.seq[ROOM] == 5
        assert await ben.seqs(5) == [1, 2, 3, 4, 5]


async def test_ws14_who_answers_no_ping_is_dropped_and_departs_once() -> None:
    pace = replace(SLOW, ping_every_ms=20, pong_within_ms=500)
    async with stage(pace=pace) as on, on.member("Ada") as ada:
        # The answers lie in a socket that does not read.
        async with on.member("Ben") as ben:
            transport = ada.socket.transport
            transport.pause_reading()
            departed = await on.home.until_departed(ada.conn_id)
            assert not departed.explicit
            transport.resume_reading()
            assert await ada.close_code() == CloseCode.ABNORMAL
            await ben.send(Probe(t0=1))
            await ben.receive(Probed)
        assert len(on.home.departures(ada.conn_id)) == 1


async def test_pongs_tell_the_home_how_far_away_somebody_is() -> None:
    pace = replace(SLOW, ping_early_ms=(5, 5, 5), measured_every_ms=5)
    async with stage(pace=pace) as on, on.member("Ada") as ada:
        measured = await on.home.until_measured(ada.conn_id)
        assert 0 < measured < 5_000
