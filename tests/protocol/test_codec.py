"""Bytes from strangers: every bad input is a refusal that names what is wrong."""

import math

import pytest
from msgspec.structs import replace

from protocol.cluster import Admitted
from protocol.codec import (
    decode_client_frame,
    decode_events,
    decode_server_frame,
    encode,
    events_frame,
)
from protocol.errors import ErrorCode, Rejected
from protocol.frames import Cmd, Events, Joined
from protocol.generate.examples import examples

ROOM = "5d1f6c1e-8d0f-4b4a-9d52-0c6c1f0f8a11"


def chat(content: str) -> str:
    return (
        f'{{"type":"cmd","id":1,"room":"{ROOM}","cmd":{{"type":"chat.send","content":{content}}}}}'
    )


BAD = {
    "empty": b"",
    "no object": b'"hello"',
    "a list": b"[1]",
    "cut off": b'{"type":"hello"',
    "text behind it": b'{"type":"probe","t0":1} {}',
    "deep": b"[" * 100_000,
    "deep inside": b'{"type":"probe","t0":' + b"[" * 100_000,
    "a million keys": b'{"type":"probe",' + b",".join(b'"%d":1' % n for n in range(100_000)) + b"}",
    "not a number": b'{"type":"probe","t0":NaN}',
    "infinity": b'{"type":"probe","t0":Infinity}',
    "too large a number": b'{"type":"probe","t0":1e999}',
    "5,000 digits": b'{"type":"leave","id":' + b"9" * 5_000 + b',"room":"x"}',
    "id 0": chat('"x"').replace('"id":1', '"id":0').encode(),
    "id of text": chat('"x"').replace('"id":1', '"id":"1"').encode(),
    "unknown type": b'{"type":"shout"}',
    "no type": b'{"t0":1}',
    "a type of number": b'{"type":1}',
    "an extra field": b'{"type":"probe","t0":1,"t1":2}',
    "a server's frame": b'{"type":"ack","id":1,"first_seq":1,"seq":1}',
    "a system command": b'{"type":"cmd","id":1,"room":"%s","cmd":{"type":"room.wake"}}'
    % ROOM.encode(),
    "a lone surrogate": chat('"\\ud800"').encode(),
    "NUL": chat('"a\\u0000b"').encode(),
    "bad UTF-8": chat('"~"').encode().replace(b"~", b"\xff\xfe"),
    "surrogate in UTF-8": chat('"~"').encode().replace(b"~", b"\xed\xa0\x80"),
    "nothing said": chat('""').encode(),
    "too much said": chat('"' + "x" * 2_001 + '"').encode(),
    "a room of another form": chat('"x"').replace(ROOM, ROOM.upper()).encode(),
    "a room and more": chat('"x"').replace(ROOM, ROOM + "\\n").encode(),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_ws16_bad_input_is_refused_and_says_why(data: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        decode_client_frame(data)
    assert caught.value.code is ErrorCode.BAD_REQUEST
    assert 0 < len(str(caught.value)) <= 300


def test_text_as_long_as_allowed_and_in_any_script_comes_through() -> None:
    for content in ("x" * 2_000, "سلام 👋🏽", 'quoted " and \\u0000 in words'):
        frame = decode_client_frame(chat(encode(content).decode()))
        assert isinstance(frame, Cmd)
        assert frame.cmd.content == content  # type: ignore[union-attr]


def test_no_number_that_json_cannot_hold_is_sent() -> None:
    # A NaN becomes null: readers then refuse it instead of computing with it.
    assert encode([math.nan, math.inf]) == b"[null,null]"


def test_a_frame_of_encoded_events_is_the_frame_of_the_events() -> None:
    for line in examples()[Events]:
        bodies = [encode(event) for event in decode_events(line[line.index(b"[") : -1])]
        assert events_frame(ROOM, 58, bodies) == line


def test_an_encoded_snapshot_ends_the_frame_that_lets_somebody_in() -> None:
    for line in examples()[Joined]:
        frame = decode_server_frame(line)
        assert isinstance(frame, Joined)
        snapshot = b"" if frame.snapshot is None else encode(frame.snapshot)
        own = encode(replace(frame, snapshot=None))
        admitted = Admitted(ROOM, "c", 1, 1, ROOM, 1, own, [], b"", snapshot, 1)
        assert decode_server_frame(admitted.frame()) == frame
