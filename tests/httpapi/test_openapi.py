"""The REST description: complete, valid, with an example for everything."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import openapi_spec_validator
import pytest
from jsonschema import Draft202012Validator

from httpapi.app import ROUTES
from httpapi.endpoint import Route
from httpapi.examples import example_of
from httpapi.openapi import document, statuses
from tests.httpapi.media.sounds import sound
from tests.httpapi.site import Site


@pytest.fixture(scope="module")
def told() -> Any:
    return msgspec.json.decode(msgspec.json.encode(document(ROUTES)))


def operation(told: Any, row: Route) -> Any:
    return told["paths"][row.path][row.method.lower()]


async def test_it_is_served_and_is_valid_openapi_3_1(site: Site) -> None:
    served = (await site.ask("GET", "/api/openapi.json")).body
    assert served["openapi"] == "3.1.0"
    openapi_spec_validator.validate(served)


def test_every_route_and_every_status_is_documented(told: Any) -> None:
    for row in ROUTES:
        about = operation(told, row)
        assert set(about["responses"]) == {str(status) for status in statuses(row)}
        assert about["summary"]
        assert {each["name"] for each in about["parameters"]} >= {*row.ids, *row.numbers}
        for status, response in about["responses"].items():
            if int(status) >= 400:
                assert response["content"]["application/problem+json"]["examples"]
    names = [each["operationId"] for item in told["paths"].values() for each in item.values()]
    assert len(names) == len(set(names))


def test_every_parameter_and_every_tag_is_described(told: Any) -> None:
    for row in ROUTES:
        for parameter in operation(told, row)["parameters"]:
            assert parameter["description"], (row.action, parameter["name"])
    used = {tag for row in ROUTES for tag in operation(told, row)["tags"]}
    described = {tag["name"] for tag in told["tags"] if tag["description"]}
    assert used <= described, "httpapi/wording.py lacks a tag"


def test_every_body_has_an_example_that_its_class_and_its_schema_take(told: Any) -> None:
    kinds = {kind for row in ROUTES for kind in (row.body, row.returns) if kind is not None}
    for kind in kinds:
        example = example_of(kind)
        msgspec.convert(example, kind)
        schema = {"$ref": f"#/components/schemas/{kind.__name__}", **told}
        Draft202012Validator(schema).validate(example)
    for row in ROUTES:
        about = operation(told, row)
        if row.body is not None:
            assert about["requestBody"]["content"]["application/json"]["example"]
        if row.returns is not None:
            good = about["responses"][str(row.status)]
            assert good["content"]["application/json"]["example"]


def test_every_reference_leads_somewhere(told: Any) -> None:
    text = json.dumps(told)
    for part in text.split('"#/components/')[1:]:
        place, name = part.partition('"')[0].split("/")
        assert name in told["components"][place]


SESSION = """
import io
import sys

from unisono_client import AuthenticatedClient, Client
from unisono_client.api.auth import get_auth_me, post_auth_guest
from unisono_client.api.rooms import get_rooms_room_id, post_rooms, post_rooms_room_id_messages
from unisono_client.api.tracks import post_tracks_uploads
from unisono_client.models import (
    ChatSendBody, GuestBody, PostTracksUploadsBody, Problem, RoomCreate
)
from unisono_client.types import File

url, token, music = sys.argv[1:]
ann = post_auth_guest.sync(client=Client(url), body=GuestBody(display_name="Ann"))
client = AuthenticatedClient(url, token=ann.access_token)
assert get_auth_me.sync(client=client).user_id == ann.user.user_id
room = post_rooms.sync(client=client, body=RoomCreate(name="Kitchen"))
said = post_rooms_room_id_messages.sync(
    room.room_id, client=client, body=ChatSendBody(content="hello")
)
assert said.content == "hello", said
assert get_rooms_room_id.sync(room.room_id, client=client).name == "Kitchen"
refused = get_rooms_room_id.sync(ann.user.user_id, client=client)
assert isinstance(refused, Problem) and refused.code == "room_not_found", refused
form = PostTracksUploadsBody(file=File(io.BytesIO(bytes.fromhex(music)), "tone.flac"))
track = post_tracks_uploads.sync(client=AuthenticatedClient(url, token=token), body=form)
assert track.duration_ms == 100, track
print("done")
"""


@pytest.mark.slow
async def test_a_client_generated_from_it_works(site: Site, tmp_path: Path, told: Any) -> None:
    description, settings = tmp_path / "openapi.json", tmp_path / "settings.yaml"
    description.write_bytes((await site.ask("GET", "/api/openapi.json")).data)
    # Its one need: it knows no other type of bytes.
    media = {kind for row in ROUTES for kind in row.media_types} - {"application/json"}
    overrides = dict.fromkeys(sorted(media), "application/octet-stream")
    settings.write_text(json.dumps({"post_hooks": [], "content_type_overrides": overrides}))
    client = tmp_path / "client"
    made = await run(
        "openapi_python_client", "generate", "--path", str(description), "--meta", "none",
        "--config", str(settings), "--output-path", str(client / "unisono_client"),
        "--fail-on-warning",
    )  # fmt: skip
    assert made.returncode == 0, made.stdout
    program = tmp_path / "session.py"
    program.write_text(SESSION)
    music = sound("flac", "flac", samples=4_800).hex()
    token = (await site.account()).token
    ended = await run(str(program), site.url, token, music, path=client)
    assert ended.stdout.endswith("done\n"), ended.stdout


async def run(what: str, *arguments: str, path: Path | None = None) -> Any:
    command = [sys.executable, *([] if what.endswith(".py") else ["-m"]), what, *arguments]
    return await asyncio.to_thread(
        subprocess.run,
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={"PYTHONPATH": str(path or ""), "PATH": "/usr/bin:/bin"},
    )
