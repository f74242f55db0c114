"""Loaded by Schemathesis: puts what exists into the requests, and counts what was answered."""

import atexit
import json
import os
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final

import schemathesis

from tests.httpapi.contract.world import MUSIC, PASSWORD, World

URL: Final = os.environ["UNISONO_CONTRACT_URL"]
COUNTS: Final = Path(os.environ["UNISONO_CONTRACT_COUNTS"])
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ENDS_LOGIN: Final = re.compile(r"POST .*/logout(-all)?|PUT .*/password|DELETE /api/users/me")
ENDS_CREDENTIALS: Final = re.compile(r"DELETE .*/(tokens|logins)/.*")
ENDS_TRACK: Final = re.compile(r"DELETE /api/tracks/{track_id}")
ENDS_ROOM: Final = re.compile(
    r"DELETE /api/rooms/.*|PATCH /api/rooms/{room_id}|POST .*/(kick|ban|mute|owner|skip|leave)"
    r"|PUT .*/(role|playback)"
)
"""Operations after which something of the world may be gone."""

_world: World | None = None
_counts: dict[str, Counter[int]] = {}
_chance: Final = random.Random(1)


def world() -> World:
    """What there is now; all of it new where the people in it were logged out."""
    global _world
    if _world is None or not _world.alive():
        _world = World(URL)
    return _world


@schemathesis.auth(refresh_interval=None)
class Bearer:
    """Mostly the room's owner, sometimes its member."""

    def get(self, case: Any, context: Any) -> str:
        if ENDS_LOGIN.fullmatch(case.operation.label):
            return world().stranger().token
        return (world().ben if _chance.random() < 0.1 else world().ann).token

    def set(self, case: Any, data: str, context: Any) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    voting = case.operation.label.endswith("/vote")
    ids = world().ids_where_people_vote() if voting else world().ids
    for name, value in case.path_parameters.items():
        if _ID.fullmatch(str(value)) and name in ids and _chance.random() < 0.95:
            case.path_parameters[name] = ids[name]
        elif name == "number":
            case.path_parameters[name] = 0
    if case.meta is not None and all(
        part.mode.is_positive for part in case.meta.components.values()
    ):
        if _chance.random() < 0.8:
            case.headers.pop("Idempotency-Key", None)
        if isinstance(case.body, dict):
            _fill(case.operation.label, case.body)
        if case.operation.label == "POST /api/tracks/uploads":
            # Beside the case: bytes in its body would count as a violation of the schema.
            if isinstance(case.body, dict):
                case.body["file"] = "tone.wav"
            kwargs["files"] = {"file": ("tone.wav", MUSIC)}
        if "name" in case.query:
            case.query["name"] = world().room_name


def _fill(label: str, body: dict[str, Any]) -> None:
    ids = world().ids
    for name, value in body.items():
        if name in ids and isinstance(value, str):
            body[name] = ids[name]
    if "mentions" in body:
        body["mentions"] = [world().ben.user_id]
    if label == "POST /api/auth/login":
        body |= {"login": world().ann.username, "password": PASSWORD}
    elif label == "POST /api/auth/refresh":
        body["refresh_token"] = world().stranger().refresh_token
    elif label.endswith(("/playback", "/skip")):
        body["entry_id"] = ids["playing"]


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    label = case.operation.label
    if response.request.method != case.operation.method.upper():
        return
    _counts.setdefault(label, Counter())[response.status_code] += 1
    if response.status_code == 401 and _world is not None:
        _world.look()
    if response.status_code >= 300:
        return
    if ENDS_TRACK.fullmatch(label):
        world().new_track()
    elif ENDS_ROOM.fullmatch(label):
        world().new_room()
    elif ENDS_CREDENTIALS.fullmatch(label):
        world().new_credentials()


@atexit.register
def write() -> None:
    COUNTS.write_text(json.dumps({label: dict(found) for label, found in _counts.items()}))
