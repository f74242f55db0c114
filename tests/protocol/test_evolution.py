"""The evolution rule of `protocol/generate/released.py`, held against every released level."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from protocol.base import FEATURE_LEVEL
from protocol.catalog import ClientCommand, RoomEvent, RoomSignal
from protocol.codec import encode
from protocol.fold import fold
from protocol.frames import AnyClientFrame, AnyServerFrame
from protocol.generate.declared import EVENTS, SERVER_FRAMES, tag_of
from protocol.generate.examples import examples
from protocol.generate.released import FOLDER, SCHEMAS, freeze, levels
from protocol.generate.schema import schema_files
from protocol.snapshot import Snapshot

SENT = (ClientCommand, RoomSignal, AnyClientFrame)
TOLD = (RoomEvent, AnyServerFrame)
OF_A_CLIENT = {"hello", "join", "cmd", "leave", "probe"}
by_level = pytest.mark.parametrize("kept", [FOLDER / str(level) for level in levels()], ids=str)


def lines(kept: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(kept.glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            if line:
                yield path.stem, line


def read(line: bytes, kinds: tuple[Any, ...]) -> list[Any]:
    """The line as each of the kinds that takes it."""
    found = []
    for kind in kinds:
        try:
            found.append(msgspec.json.decode(line, type=kind))
        except msgspec.ValidationError:
            continue
    return found


def holds(now: Any, then: Any) -> bool:
    """Whether everything that was said is still said."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(
            key in now and holds(now[key], then[key]) for key in then
        )
    if isinstance(then, list):
        return isinstance(now, list) and len(now) == len(then) and all(map(holds, now, then))
    return bool(now == then)


def schema_of(kept: Path, name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads((kept / SCHEMAS / name).read_text("utf-8")))


def tags_in(kept: Path, name: str) -> set[str]:
    told = json.loads((kept / SCHEMAS / name).read_text("utf-8"))
    shapes = [told["$defs"][ref["$ref"].rpartition("/")[2]] for ref in told["anyOf"]]
    return {shape["properties"]["type"]["const"] for shape in shapes}


@by_level
def test_what_was_released_is_still_understood(kept: Path) -> None:
    for stem, line in lines(kept):
        found = read(line, (Snapshot,) if stem == "snapshot" else (*SENT, *TOLD))
        assert any(holds(json.loads(encode(each)), json.loads(line)) for each in found), line


@by_level
def test_a_released_snapshot_takes_the_events_of_its_level(kept: Path) -> None:
    told = list(lines(kept))
    events = [event for _, line in told for event in read(line, (RoomEvent,))]
    for snapshot in [read(line, (Snapshot,))[0] for stem, line in told if stem == "snapshot"]:
        seq = snapshot.seq
        for event in events:
            fold(snapshot, event)
        assert snapshot.seq == seq + len(events) > seq


@by_level
def test_a_client_of_that_level_understands_what_is_sent_today(kept: Path) -> None:
    for name, shapes in (("room_event.json", EVENTS), ("server_frame.json", SERVER_FRAMES)):
        check, known = schema_of(kept, name), tags_in(kept, name)
        for shape in shapes:
            for line in examples()[shape] if tag_of(shape) in known else []:
                check.validate(json.loads(line))
    for line in examples()[Snapshot]:
        schema_of(kept, "snapshot.json").validate(json.loads(line))


@by_level
def test_a_released_level_is_complete(kept: Path) -> None:
    assert {stem for stem, _ in lines(kept)} >= {"frames", "rooms", "queue", "chat", "snapshot"}
    assert tags_in(kept, "client_frame.json") >= OF_A_CLIENT


def test_the_level_rises_with_what_goes_beyond_the_last_release() -> None:
    assert levels() == list(range(1, len(levels()) + 1))
    assert FEATURE_LEVEL in (len(levels()), len(levels()) + 1)
    if FEATURE_LEVEL in levels():
        kept = FOLDER / str(FEATURE_LEVEL) / SCHEMAS
        assert {path.name: path.read_text("utf-8") for path in kept.iterdir()} == schema_files()


def test_a_release_is_kept_once(tmp_path: Path) -> None:
    kept = freeze(tmp_path, 7)
    assert sorted(path.name for path in (kept / SCHEMAS).iterdir()) == sorted(schema_files())
    with pytest.raises(FileExistsError):
        freeze(tmp_path, 7)


def test_a_dropped_field_is_noticed() -> None:
    assert holds({"a": 1, "b": [{"c": 2, "d": 3}]}, {"a": 1, "b": [{"c": 2}]})
    assert not holds({"b": [{"c": 2}]}, {"a": 1, "b": [{"c": 2}]})
    assert not holds({"a": [1]}, {"a": [1, 2]})
