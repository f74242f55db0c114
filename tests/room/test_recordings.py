"""Recordings replay byte-equal: the same log means the same room, today and after an update."""

import msgspec
import pytest

from protocol.catalog import RoomEvent
from protocol.codec import encode
from protocol.fold import FOLD, fold
from roomserver.room.recording import Closing, Line, Opening, replay
from tests.room.record import FOLDER
from tests.room.scenes import SCENES

RECORDINGS = sorted(FOLDER.glob("*.jsonl"))
by_name = pytest.mark.parametrize("name", SCENES)


def events_of(recording: bytes) -> list[RoomEvent]:
    lines = recording.splitlines()[1:-1]
    return [event for line in lines for event in msgspec.json.decode(line, type=Line).events]


@by_name
def test_a_recording_replays_byte_equal(name: str) -> None:
    recording = (FOLDER / f"{name}.jsonl").read_bytes()
    assert replay(recording) == recording


@by_name
def test_folding_the_recorded_events_gives_the_recorded_end(name: str) -> None:
    recording = (FOLDER / f"{name}.jsonl").read_bytes()
    first, *_, last = recording.splitlines()
    snapshot = msgspec.json.decode(first, type=Opening).snapshot
    for event in events_of(recording):
        fold(snapshot, event)
    assert encode(snapshot) == encode(msgspec.json.decode(last, type=Closing).final)


@by_name
def test_the_rules_still_make_of_a_scene_what_was_recorded(name: str) -> None:
    assert SCENES[name]().recording() == (FOLDER / f"{name}.jsonl").read_bytes()


def test_the_recordings_hold_every_kind_of_event() -> None:
    assert [path.stem for path in RECORDINGS] == sorted(SCENES)
    seen = {type(event) for path in RECORDINGS for event in events_of(path.read_bytes())}
    assert seen == set(FOLD)


def test_a_changed_outcome_is_noticed() -> None:
    recording = (FOLDER / "evening.jsonl").read_bytes()
    changed = recording.replace(b'"heard_ms":', b'"heard_ms":1', 1)
    assert changed != recording and replay(changed) == recording
