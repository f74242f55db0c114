"""snapshot + events = snapshot: folds are total and care for nothing but their order."""

import random

import pytest

from protocol.codec import decode_event, decode_snapshot, encode
from protocol.fold import fold
from protocol.generate.declared import EVENTS
from protocol.generate.examples import examples
from protocol.snapshot import Snapshot

LINES = [line for shape in EVENTS for line in examples()[shape]]
START = examples()[Snapshot][0]


@pytest.mark.parametrize("start", examples()[Snapshot])
@pytest.mark.parametrize("line", LINES, ids=lambda line: line[:40].decode())
def test_any_event_folds_onto_any_snapshot(start: bytes, line: bytes) -> None:
    snapshot = decode_snapshot(start)
    seq = snapshot.seq
    fold(snapshot, decode_event(line))
    assert snapshot.seq == seq + 1
    assert encode(decode_snapshot(encode(snapshot))) == encode(snapshot)


@pytest.mark.parametrize("seed", range(20))
def test_a_snapshot_in_between_changes_nothing(seed: int) -> None:
    chance = random.Random(seed)
    run = [chance.choice(LINES) for _ in range(100)]
    whole, parts = decode_snapshot(START), decode_snapshot(START)
    for line in run:
        fold(whole, decode_event(line))
        parts = decode_snapshot(encode(parts))
        fold(parts, decode_event(line))
    assert encode(parts) == encode(whole)


def test_what_an_event_does_is_seen_in_the_snapshot() -> None:
    snapshot = decode_snapshot(START)
    waiting = snapshot.queue[0].entry_id
    for line in LINES:
        event = decode_event(line)
        if type(event).__name__ == "QueueRemoved":
            assert event.entry_id == waiting
            fold(snapshot, event)
    assert snapshot.queue == []
    assert len(snapshot.chat) == 1
