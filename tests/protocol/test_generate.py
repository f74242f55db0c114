"""What is generated is right, the same each time, and watched."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from protocol.codec import encode
from protocol.errors import ErrorCode
from protocol.generate.__main__ import ROOT, drift, outputs, write
from protocol.generate.declared import CLIENT_FRAMES, SERVER_FRAMES, UNIONS
from protocol.generate.examples import examples
from protocol.generate.schema import schema_files
from protocol.snapshot import Snapshot


def test_what_is_committed_is_what_would_be_generated() -> None:
    assert drift(ROOT) == []


def test_a_drift_is_told_and_written_away(tmp_path: Path) -> None:
    write(tmp_path)
    assert drift(tmp_path) == []
    (tmp_path / "docs/protocol.md").write_text("# Old\n")
    (tmp_path / "protocol/schema/unisono.d.ts").unlink()
    (tmp_path / "protocol/schema/gone.json").write_text("{}")
    assert drift(tmp_path) == [
        "protocol/schema/unisono.d.ts",
        "docs/protocol.md",
        "protocol/schema/gone.json",
    ]
    write(tmp_path)
    assert drift(tmp_path) == []


def test_another_process_generates_the_same() -> None:
    code = "import protocol.generate.__main__ as g; print(list(g.outputs().values()))"
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("file", "shapes"),
    [
        ("client_frame.json", CLIENT_FRAMES),
        ("server_frame.json", SERVER_FRAMES),
        ("room_event.json", UNIONS["RoomEvent"]),
        ("snapshot.json", (Snapshot,)),
    ],
    ids=str,
)
def test_the_examples_hold_against_the_schema(file: str, shapes: tuple[type, ...]) -> None:
    schema = json.loads(schema_files()[file])
    check = jsonschema.Draft202012Validator(schema)
    jsonschema.Draft202012Validator.check_schema(schema)
    for shape in shapes:
        for line in examples()[shape]:
            check.validate(json.loads(line))


def test_the_schema_refuses_what_the_server_refuses() -> None:
    check = jsonschema.Draft202012Validator(json.loads(schema_files()["client_frame.json"]))
    assert not check.is_valid({"type": "probe", "t0": 1, "colour": "red"})
    assert not check.is_valid({"type": "shout"})
    assert check.is_valid({"type": "probe", "t0": 1})


def test_the_asyncapi_document_has_every_frame_and_no_loose_end() -> None:
    document = json.loads(outputs()["protocol/schema/asyncapi.json"])
    messages = document["components"]["messages"]
    assert len(messages) == len(CLIENT_FRAMES) + len(SERVER_FRAMES)

    def refs(value: object) -> list[str]:
        if isinstance(value, dict):
            inner = [ref for item in value.values() for ref in refs(item)]
            return inner + ([value["$ref"]] if "$ref" in value else [])
        return [ref for item in value for ref in refs(item)] if isinstance(value, list) else []

    for ref in refs(document):
        place = document
        for key in ref.removeprefix("#/").split("/"):
            place = place[key]


def test_the_page_has_every_code() -> None:
    module = outputs()["httpapi/web/codes.js"]
    assert all(f"  {code.value}: {{" in module for code in ErrorCode)
    assert '  4401: {"reconnect": true, "new_credentials": true' in module


def test_the_reference_tells_units_refusals_and_examples() -> None:
    page = outputs()["docs/protocol.md"]
    assert "| `position_ms` | `PositionMs` | required |" in page
    assert "Rejects: unknown_track" in page
    assert all(encode(code.value).decode().strip('"') in page for code in ErrorCode)
    assert all(line.decode() in page for lines in examples().values() for line in lines)
