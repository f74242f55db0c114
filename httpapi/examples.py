"""Examples for the reference, composed from the classes: a new field or body has one by itself.

A field is shown with the value that its name has here, or else with one that its type allows. So a
name shows the same thing wherever it stands, and the examples of one page are about one evening.
"""

import re
from typing import Any, Final

from msgspec import Struct, inspect

ROOM_ID: Final = "5d1f6c1e-8d0f-4b4a-9d52-0c6c1f0f8a11"
ANN: Final = "a1a1a1a1-0000-4000-8000-000000000001"
INSTANT: Final = "2026-09-21T14:00:00.000Z"
AT_MS: Final = 1_790_000_000_000

BY_NAME: Final[dict[str, object]] = {
    "access_token": "eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJhMWExIn0.c2lnbmF0dXJl",
    "after": "e2e2e2e2-0000-5000-8000-000000000002",
    "album": "Kitchen Songs",
    "artist": "The Ladles",
    "bio": "Cooks to music.",
    "codec": "flac",
    "content": "What is this song?",
    "country": "AT",
    "cursor": "WyJuZXcgcm9vbXMiLDEyXQ",
    "current_password": "correct horse battery staple",
    "description": "What we cook to.",
    "display_name": "Ann",
    "duration_ms": 215_040,
    "duration_samples": 10_321_920,
    "email": "ann@example.org",
    "entry_id": "e1e1e1e1-0000-5000-8000-000000000001",
    "error": None,
    "expires_in_ms": 900_000,
    "integrated_lufs": -14.2,
    "job_id": "70b70b70-0000-4000-8000-000000000001",
    "joined_at_ms": AT_MS,
    "kind": "person",
    "limit": 20,
    "listeners": 3,
    "locale": "de-AT",
    "login": "ann",
    "login_id": "10910910-0000-4000-8000-000000000001",
    "media_type": "audio/flac",
    "member_count": 12,
    "message_id": "c1c1c1c1-0000-5000-8000-000000000001",
    "name": "Kitchen",
    "needed": 2,
    "new_password": "a newer horse battery staple",
    "next_cursor": None,
    "owner_id": ANN,
    "password": "correct horse battery staple",
    "password_min_length": 8,
    "position_ms": 8_749.5,
    "progress": 1.0,
    "public_url": "https://unisono.example.org",
    "query": "kit",
    "quota_bytes": 2 * 1024**3,
    "rate": 1.0,
    "reason": "Cool down.",
    "refresh_token": "kq2Hj5Zx0w8rT1nYb7cV4mL9pS3dF6gA",
    "role": "dj",
    "room_id": ROOM_ID,
    "sent_at": INSTANT,
    "seq": 57,
    "size_bytes": 4_210_688,
    "state": "done",
    "status": "playing",
    "ticket": "p3Rz8sYq1uWv6xNb0kJt5mHc2gLd9eFa",
    "title": "Slow Simmer",
    "token": "kq2Hj5Zx0w8rT1nYb7cV4mL9pS3dF6gA",
    "track_id": "7e7e7e7e-0000-4000-8000-000000000001",
    "true_peak_db": -1.1,
    "upload_max_bytes": 200 * 1024**2,
    "upload_max_duration_ms": 14_400_000,
    "uploaded_by": ANN,
    "user_id": ANN,
    "username": "ann",
    "websocket_path": "/ws",
}
_LEFT_OUT: Final = frozenset({"cookie", "invite", "mute"})
"""Optional, and more often absent than not."""
_BY_PATTERN: Final = (ROOM_ID, INSTANT, "AT", "ann@example.org", "ann-on-the-sofa", "ann")


def example_of(kind: type[Struct]) -> dict[str, object]:
    """An object as it might be sent; it decodes as `kind`."""
    return _object(inspect.type_info(kind))


def example_value(name: str, kind: inspect.Type) -> object:
    """A value of a field or parameter."""
    if name in BY_NAME and _fits(BY_NAME[name], kind):
        return BY_NAME[name]
    return _value(name, kind)


def _object(told: inspect.Type) -> dict[str, object]:
    assert isinstance(told, inspect.StructType), told
    config = told.cls.__struct_config__
    found: dict[str, object] = {}
    if config.tag is not None and config.tag_field is not None:
        found[config.tag_field] = config.tag
    for field in told.fields:
        if field.required or field.encode_name not in _LEFT_OUT:
            found[field.encode_name] = _field(field)
    return found


def _field(field: inspect.Field) -> object:
    if field.encode_name in BY_NAME and _fits(BY_NAME[field.encode_name], field.type):
        return BY_NAME[field.encode_name]
    if isinstance(field.default, str | int | float) and field.default != "":
        return field.default
    return _value(field.encode_name, field.type)


def _value(name: str, kind: inspect.Type) -> Any:
    match kind:
        case inspect.Metadata(type=inner):
            return _value(name, inner)
        case inspect.StructType():
            return _object(kind)
        case inspect.UnionType(types=types):
            real = [each for each in types if not isinstance(each, inspect.NoneType)]
            return example_value(name, real[0])
        case inspect.ListType(item_type=item, min_length=least):
            return [example_value(name, item)] * (least or 1)
        case inspect.DictType(key_type=key, value_type=value):
            return {str(_value("", key)): _value("", value)}
        case inspect.LiteralType(values=values):
            return values[0]
        case inspect.BoolType():
            return False
        case inspect.IntType(ge=least):
            return AT_MS if name.endswith("at_ms") or name == "until_ms" else least or 1
        case inspect.FloatType(ge=least):
            return float(AT_MS) if name.endswith(("at_ms", "until_ms")) else float(least or 1)
        case inspect.StrType(pattern=None, min_length=least):
            return "text".ljust(least or 0, "t")
        case inspect.StrType():
            return next(each for each in _BY_PATTERN if _fits(each, kind))
    return None


def _fits(value: object, kind: inspect.Type) -> bool:
    match kind:
        case inspect.UnionType(types=types):
            return any(_fits(value, each) for each in types)
        case inspect.LiteralType(values=values):
            return value in values
        case inspect.NoneType():
            return value is None
        case inspect.StrType(pattern=pattern, min_length=least, max_length=most):
            return (
                isinstance(value, str)
                and (least or 0) <= len(value) <= (most or len(value))
                and (pattern is None or re.search(pattern, value) is not None)
            )
        case inspect.IntType(ge=least, le=most) | inspect.FloatType(ge=least, le=most):
            wanted = int if isinstance(kind, inspect.IntType) else float
            return (
                type(value) is wanted
                and (least is None or value >= least)
                and (most is None or value <= most)
            )
    return False
