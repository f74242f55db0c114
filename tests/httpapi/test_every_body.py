"""What holds for the body of every route that takes one; a new route is covered by its row."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

import msgspec
import pytest

from httpapi.app import ROUTES
from httpapi.endpoint import Route
from httpapi.examples import example_of
from protocol.base import Body
from tests.httpapi.site import Guest, Site

TAKING: Final = [(row, row.body) for row in ROUTES if row.body is not None]
SOMEWHERE: Final = "00000000-0000-4000-8000-000000000000"
JSON: Final = {"Content-Type": "application/json"}
PRIVILEGED: Final = (
    "id", "user_id", "from_user_id", "owner_id", "role", "is_admin", "kind",
    "email_verified", "created_at", "password_hash",
)  # fmt: skip
NOT_TEXT: Final = ("\x00", "a\x00b", "\ud800")
LIKE_SQL: Final = ("'; drop table rooms; --", "a' or '1'='1", "%", "\\", "$1", "{}")
NUMBERS: Final = (-1, 2**31, 2**63, -(2**63) - 1, 10**400, 1e308, -0.0)


def leaves(value: object, place: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, object]]:
    """Where the scalars of a body are, and what they are."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, (*place, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from leaves(each, (*place, index))
    else:
        yield place, value


def put(body: object, place: tuple[str | int, ...], value: object) -> bytes:
    """The body with another value at a place; a lone surrogate is escaped as JSON can."""
    changed: Any = deepcopy(body)
    at = changed
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = "SURROGATE" if value == "\ud800" else value
    return msgspec.json.encode(changed).replace(b"SURROGATE", b"\\ud800")


def changed(kind: type[Body], values: tuple[Any, ...], of: type) -> Iterator[tuple[str, bytes]]:
    example = example_of(kind)
    for place, value in leaves(example):
        if type(value) is of:
            for other in values:
                yield f"{place}: {other!r}"[:80], put(example, place, other)


@pytest.fixture
async def ann(site: Site) -> Guest:
    return await site.account()


def path_of(row: Route, room_id: str = SOMEWHERE, user_id: str = SOMEWHERE) -> str:
    path = row.path.replace("{room_id}", room_id).replace("{user_id}", user_id)
    for name in row.ids:
        path = path.replace(f"{{{name}}}", SOMEWHERE)
    return path


async def test_r5_text_that_postgres_cannot_hold_is_refused_in_every_field(
    site: Site, ann: Guest, caplog: pytest.LogCaptureFixture
) -> None:
    room_id = await site.room(ann)
    for row, kind in TAKING:
        for what, body in changed(kind, NOT_TEXT, str):
            path = path_of(row, room_id, ann.user_id)
            answer = await site.ask(row.method, path, data=body, headers=JSON, who=ann)
            assert answer.status == 400, (row.action, what, answer)
    assert nothing_reached_the_database(caplog)


async def test_r5_numbers_out_of_any_range_are_no_crash(
    site: Site, ann: Guest, caplog: pytest.LogCaptureFixture
) -> None:
    room_id = await site.room(ann)
    for row, kind in TAKING:
        for of in (int, float):
            for what, body in changed(kind, NUMBERS, of):
                path = path_of(row, room_id, ann.user_id)
                answer = await site.ask(row.method, path, data=body, headers=JSON, who=ann)
                assert answer.status < 500, (row.action, what, answer)
    assert nothing_reached_the_database(caplog)


async def test_r6_text_that_looks_like_sql_is_only_text_in_every_field(
    site: Site, ann: Guest, caplog: pytest.LogCaptureFixture
) -> None:
    room_id = await site.room(ann)
    for row, kind in TAKING:
        for what, body in changed(kind, LIKE_SQL, str):
            path = path_of(row, room_id, ann.user_id)
            answer = await site.ask(row.method, path, data=body, headers=JSON, who=ann)
            assert answer.status < 500, (row.action, what, answer)
    assert nothing_reached_the_database(caplog)
    assert await site.scalar("select count(*) from rooms") >= 1


async def test_r2_r3_no_body_takes_a_field_that_is_not_the_callers_to_set(
    site: Site, ann: Guest
) -> None:
    for row, kind in TAKING:
        known = {field.encode_name for field in msgspec.structs.fields(kind)}
        for name in set(PRIVILEGED) - known:
            body = example_of(kind) | {name: SOMEWHERE}
            answer = await site.ask(row.method, path_of(row), body, who=ann)
            assert (answer.status, answer.code) == (400, "bad_request"), (row.action, name)


async def test_r3_no_route_takes_an_identity_from_its_query(site: Site, ann: Guest) -> None:
    for row in ROUTES:
        if row.query is not None and row.auth is not None:
            known = {field.encode_name for field in msgspec.structs.fields(row.query)}
            for name in {"user_id", "from_user_id"} - known:
                path = f"{path_of(row).replace('{number}', '0')}?{name}={SOMEWHERE}"
                answer = await site.ask(row.method, path, who=ann)
                assert answer.status == 400, (row.action, name)


async def test_r8_every_body_is_json_below_its_cap(site: Site, ann: Guest) -> None:
    for row, kind in TAKING:
        body = msgspec.json.encode(example_of(kind))
        for data, headers, status in (
            (body, {"Content-Type": "text/plain"}, 415),
            (body, {"Content-Type": "application/json; charset=latin-1"}, 415),
            (body + b"x", JSON, 400),
            (body + b" " * 2**16, JSON, 413),
        ):
            answer = await site.ask(row.method, path_of(row), data=data, headers=headers, who=ann)
            assert answer.status == status, (row.action, headers)


@pytest.mark.parametrize("name", ["a\u202eb", "\u3164", "a" + "\u0301" * 70, "a\u200bb"])
async def test_r7_what_is_shown_as_a_name_hides_and_disturbs_nothing(
    site: Site, ann: Guest, name: str
) -> None:
    named = [
        (row, kind, field)
        for row, kind in TAKING
        for field in ("name", "display_name", "username")
        if field in kind.__struct_fields__
    ]
    assert len(named) >= 5
    room_id = await site.room(ann)
    for row, kind, field in named:
        body = example_of(kind) | {field: name}
        answer = await site.ask(row.method, path_of(row, room_id), body, who=ann)
        assert answer.status == 400, (row.action, field)


def nothing_reached_the_database(caplog: pytest.LogCaptureFixture) -> bool:
    """The net that maps the database's complaints to 400 has caught nothing."""
    return [r.message for r in caplog.records if r.name == "httpapi.problems"] == []
