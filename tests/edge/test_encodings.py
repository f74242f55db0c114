"""MessagePack beside JSON: agreed on in the handshake, and nothing else is different."""

import math
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from websockets.typing import Subprotocol

from protocol.chat import ChatSend
from protocol.close_codes import CloseCode
from protocol.cluster import Ended, Submit
from protocol.codec import encode
from protocol.encodings import ENCODINGS, MESSAGEPACK, EncodingName
from protocol.frames import (
    MAX_FRAME_BYTES,
    Ack,
    Cmd,
    Error,
    Events,
    Have,
    Joined,
    Left,
    Presence,
    Probe,
    Probed,
)
from tests.edge.scripted_home import LINEAGE, ROOM
from tests.edge.stage import stage
from tests.edge.test_deflate import join, snapshot

JSON_NAME, PACKED_NAME = (Subprotocol(e.subprotocol) for e in ENCODINGS.values())
PLAIN, DEFLATED = 0x82, 0xC2
pack = msgspec.msgpack.encode


@pytest.mark.parametrize(
    ("asked", "agreed"),
    [
        (None, None),
        ([PACKED_NAME], PACKED_NAME),
        ([PACKED_NAME, JSON_NAME], PACKED_NAME),
        ([JSON_NAME, PACKED_NAME], JSON_NAME),
        ([Subprotocol("unisono.v9.json"), PACKED_NAME], PACKED_NAME),
        ([Subprotocol("unisono.v9.json")], None),
    ],
)
async def test_the_handshake_takes_what_the_client_would_like_best(
    asked: list[Subprotocol] | None, agreed: Subprotocol | None
) -> None:
    async with stage() as on, on.socket(subprotocols=asked) as client:
        assert client.socket.subprotocol == agreed


async def test_two_in_one_room_see_the_same_each_in_its_own_encoding() -> None:
    async with (
        stage() as on,
        on.member("Ada", encoding="json") as ada,
        on.member("Ben", encoding="msgpack") as ben,
    ):
        frame_id = await ben.command(ChatSend(content="ja — 好"))
        submit = await on.home.until(Submit)
        assert submit.command == ChatSend(content="ja — 好")
        for _ in range(3):
            on.home.say(urgent=True)
        on.home.post(on.home.tell(2))
        heard: dict[str, list[Any]] = {"Ada": [], "Ben": []}
        for name, client in (("Ada", ada), ("Ben", ben)):
            while len(heard[name]) < 4:
                frame = await client.next()
                if isinstance(frame, Presence):
                    assert frame.count == 2
                elif isinstance(frame, Ack):
                    assert (frame.id, frame.seq) == (frame_id, 1)
                    assert heard[name][0].first_seq == 1, "its event came first"
                else:
                    assert isinstance(frame, Events)
                    heard[name].append(frame)
        assert heard["Ada"] == heard["Ben"]
        assert [frame.first_seq for frame in heard["Ada"]] == [1, 2, 3, 4]
        await ben.send(Probe(t0=1.5))
        assert (await ben.receive(Probed)).t0 == 1.5


async def test_what_many_read_is_spelt_once_for_all_of_them() -> None:
    async with (
        stage() as on,
        on.member("Ada", encoding="msgpack") as ada,
        on.member("Ben", encoding="msgpack") as ben,
    ):
        for message, kind in ((on.home.publish(), Events), (on.home.tell(2), Presence)):
            on.home.post(message)
            await ada.receive(kind)
            await ben.receive(kind)
            assert on.written(ada)[-1] is on.written(ben)[-1], "the very same bytes"
            assert on.written(ada)[-1][0] == PLAIN


@pytest.mark.parametrize("messages", [1, 50])
async def test_a_snapshot_reads_the_same_and_leaves_compressed_if_it_is_large(
    messages: int,
) -> None:
    async with stage() as on:
        for seq in (messages, messages + 1):
            full = replace(snapshot(messages), seq=seq)
            on.home.snapshot = encode(full)
            on.home.seq[ROOM] = seq
            for name, options in (("Ann", {}), ("Bob", {"compression": None})):
                async with on.socket(subprotocols=[PACKED_NAME], **options) as client:
                    joined, written = await join(on, client, name)
                    assert encode(joined.snapshot) == encode(full)
                    assert joined.you.person == client.who
                    shrinks = name == "Ann" and messages > 1
                    assert written[0] == (DEFLATED if shrinks else PLAIN)
                    assert not shrinks or len(written) < len(encode(full)) / 3


async def test_a_copy_made_in_one_encoding_goes_on_in_the_other() -> None:
    async with stage() as on:
        async with on.member("Ada", encoding="json") as ada:
            on.home.say(3)
            assert await ada.seqs(3) == [1, 2, 3]
        on.home.say(2)
        async with on.client("Ada", encoding="msgpack") as ada:
            await ada.ask_in(have=Have(lineage=LINEAGE, seq=3))
            joined = await ada.receive(Joined)
            assert joined.snapshot is None
            assert joined.resumed is not None and joined.resumed.from_seq == 4
            assert await ada.seqs(5) == [4, 5]


@pytest.mark.parametrize(
    ("encoding", "message"), [("msgpack", '{"type":"probe","t0":1}'), ("json", b"\x80")]
)
async def test_ws9_a_message_of_the_other_kind_ends_the_connection(
    encoding: EncodingName, message: str | bytes
) -> None:
    async with stage() as on:
        for pieces in (message, [message[:1], message[1:]]):
            async with on.client("Ada", encoding=encoding) as ada:
                await ada.socket.send(pieces)
                assert await ada.close_code() == CloseCode.UNSUPPORTED_DATA


async def test_a_message_in_pieces_is_one_message_and_one_byte_too_many_ends_it() -> None:
    async with stage() as on, on.client("Ada", encoding="msgpack") as ada:
        data = MESSAGEPACK.encode(Probe(t0=5.0))
        await ada.socket.send([data[:4], b"", data[4:]])
        assert (await ada.receive(Probed)).t0 == 5
        await ada.socket.send(b"\xc0" * (MAX_FRAME_BYTES + 1))
        assert await ada.close_code() == CloseCode.TOO_BIG


def command(content: object) -> bytes:
    said = {"type": "chat.send", "content": content}
    return pack({"type": "cmd", "id": 7, "room": ROOM, "cmd": said})


PROBE = b"\x82\xa4type\xa5probe\xa2"
BROKEN = {
    "no map": pack([1, 2]),
    "cut off": command("a")[:-1],
    "something behind it": command("a") + b"\xc0",
    "empty": b"",
    "a byte that means nothing": b"\xc1",
    "nested thirty thousand deep": PROBE + b"t0" + b"\x91" * 30_000 + b"\xc0",
    "maps thirty thousand deep": PROBE + b"t0" + b"\x81\xa1a" * 10_000 + b"\xc0",
    "depth in a field too many": PROBE + b"xx" + b"\x91" * 30_000 + b"\xc0",
    "two thousand keys": pack({"type": "cmd", "id": 7} | {f"k{n}": 1 for n in range(2_000)}),
    "more entries than bytes": b"\xdf\xff\xff\xff\xff\xa4type",
    "a longer text than there is": b"\x82\xa4type\xdb\xff\xff\xff\xff",
    "NaN": pack({"type": "probe", "t0": math.nan}),
    "NaN of four bytes": PROBE + b"t0\xca\x7f\xc0\x00\x00",
    "infinity": pack({"type": "probe", "t0": -math.inf}),
    "NaN as a position": pack(
        {
            "type": "cmd",
            "id": 7,
            "room": ROOM,
            "cmd": {"type": "playback.seek", "entry_id": ROOM, "position_ms": math.nan},
        }
    ),
    "an integer of 64 bits": pack({"type": "leave", "id": 2**64 - 1, "room": ROOM}),
    "an id of 0": pack({"type": "leave", "id": 0, "room": ROOM}),
    "an id of text": pack({"type": "leave", "id": "7", "room": ROOM}),
    "an extension": pack({"type": "probe", "t0": msgspec.msgpack.Ext(5, b"x")}),
    "a timestamp": PROBE + b"t0\xd6\xff\x00\x00\x00\x01",
    "bytes for text": command(b"a"),
    "text that is not UTF-8": command("~").replace(b"~", b"\xff"),
    "a surrogate in UTF-8": command("~~~").replace(b"~~~", b"\xed\xa0\x80"),
    "a key that is not UTF-8": PROBE[:-1] + b"\xa2\xff\xff\x01",
    "a key of number": pack({"type": "probe", "t0": 1, 7: 1}),
    "NUL in a text": command("a\x00"),
    "nothing said": command(""),
    "an unknown type": pack({"type": "sudo", "id": 7}),
    "a type of bytes": pack({"type": b"probe", "t0": 1}),
    "no type": pack({"t0": 1}),
    "two types": b"\x83\xa4type\xa5probe\xa2t0\x01\xa4type\xa5leave",
    "a field too many": pack({"type": "probe", "t0": 1, "id": 7, "more": 1}),
    "a system command": pack({"type": "cmd", "id": 7, "room": ROOM, "cmd": {"type": "room.wake"}}),
    "JSON": b'{"type":"probe","t0":1}',
}


async def test_ws16_what_cannot_be_understood_is_answered_and_at_the_third_time_ended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with stage() as on:
        for what, data in BROKEN.items():
            async with on.member("Ada", encoding="msgpack") as ada:
                for _ in range(2):
                    await ada.socket.send(data)
                    answer = await ada.receive(Error)
                    assert answer.code == "bad_request", what
                    assert 0 < len(answer.message) <= 300, what
                    assert answer.id == (7 if b"\xa2id\x07" in data else None), what
                    await ada.send(Probe(t0=1))
                    await ada.receive(Probed)
                await ada.socket.send(data)
                assert await ada.close_code() == CloseCode.POLICY_VIOLATION, what
        assert on.home.all(Submit) == []
    assert [r for r in caplog.records if r.levelname in ("WARNING", "ERROR", "CRITICAL")] == []


async def test_of_two_equal_keys_the_last_counts_in_both_encodings() -> None:
    twice: dict[EncodingName, str | bytes] = {
        "json": '{"type":"probe","t0":1,"t0":2}',
        "msgpack": b"\x83\xa4type\xa5probe\xa2t0\x01\xa2t0\x02",
    }
    async with stage() as on:
        for encoding, message in twice.items():
            async with on.client("Ada", encoding=encoding) as ada:
                await ada.socket.send(message)
                assert (await ada.receive(Probed)).t0 == 2


@pytest.mark.parametrize("frame_id", [1, 127, 128, 255, 256, 65_536, 2**32, 1_795_000_000_000])
async def test_a_broken_frame_is_answered_under_its_id_however_long_it_is(frame_id: int) -> None:
    async with stage() as on, on.client("Ada", encoding="msgpack") as ada:
        whole = Cmd(id=frame_id, room=ROOM, cmd=ChatSend(content="a"))
        await ada.socket.send(MESSAGEPACK.encode(whole) + b"\xc0")
        assert (await ada.receive(Error)).id == frame_id


async def test_who_is_put_out_reads_why_in_its_own_encoding() -> None:
    async with (
        stage() as on,
        on.member("Ada", encoding="json") as ada,
        on.member("Ben", encoding="msgpack") as ben,
    ):
        on.home.post(Ended(ROOM, 1, None, "closed"))
        for client in (ada, ben):
            assert (await client.receive(Left)).reason == "closed"
