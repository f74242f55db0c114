"""Everybody asks for everything: each answer is the one that docs/permissions.md promises."""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from httpapi.app import ROUTES
from httpapi.endpoint import Route
from protocol.errors import ErrorCode
from tests.architecture.guards import (
    STANDINGS,
    Standing,
    Visibility,
    guarded,
    name_of,
    outcome,
)
from tests.httpapi.media.sounds import apic, id3, picture, sound
from tests.httpapi.site import Answer, Guest, Site

_E: Final = ErrorCode
DENIALS: Final = frozenset(
    (_E.UNAUTHENTICATED, _E.ACCOUNT_REQUIRED, _E.FOREIGN_ORIGIN, _E.NOT_ALLOWED, _E.OUTRANKED,
     _E.BANNED, _E.MUTED, _E.NOT_MEMBER, _E.ROOM_PASSWORD, _E.ROOM_NOT_FOUND, _E.ROOM_CLOSED,
     _E.NOT_FOUND, _E.UNKNOWN_TRACK, _E.UNKNOWN_PERSON, _E.BAD_REQUEST, _E.INTERNAL)
)  # fmt: skip
"""What nobody is told who is let through; a rule of the room may still have a word to say."""
LAST: Final = (
    "DELETE /api/tracks/{track_id}",
    "POST /api/rooms/{room_id}/leave",
    "DELETE /api/rooms/{room_id}",
)
"""After these other answers are different."""

People = dict[str, Guest]
Ids = dict[str, str]

BODIES: Final[dict[str, Callable[[Ids], object]]] = {
    "PATCH /api/rooms/{room_id}": lambda ids: {"description": "New."},
    "POST /api/rooms/{room_id}/owner": lambda ids: {"user_id": ids["owner_id"]},
    "PUT /api/rooms/{room_id}/members/{user_id}/role": lambda ids: {"role": "dj"},
    "POST /api/rooms/{room_id}/queue": lambda ids: {"track_id": ids["track_id"]},
    "PATCH /api/rooms/{room_id}/queue/{entry_id}": lambda ids: {"after": None},
    "PUT /api/rooms/{room_id}/playback": lambda ids: {
        "action": "pause",
        "entry_id": ids["entry_id"],
    },
    "POST /api/rooms/{room_id}/skip": lambda ids: {"entry_id": ids["entry_id"]},
    "POST /api/rooms/{room_id}/messages": lambda ids: {"content": "Hello."},
    "PATCH /api/tracks/{track_id}": lambda ids: {"title": "New"},
    "PATCH /api/rooms/{room_id}/messages/{message_id}": lambda ids: {"content": "Hi."},
}
"""What a route is asked with, where an empty body will not do."""


class Scene(NamedTuple):
    """A room with everybody in their place, and the ids of things that belong to its owner."""

    visibility: Visibility
    ids: Ids


async def made(site: Site, method: str, path: str, json: object, who: Guest) -> Answer:
    answer = await site.ask(method, path, json, who=who)
    assert answer.status < 300, (method, path, answer)
    return answer


async def scene(site: Site, people: People, visibility: Visibility) -> Scene:
    owner = people["owner"]
    locked = {"password": "sesame"} if visibility == "private" else {}
    room_id = await site.room(owner, visibility=visibility, **locked)
    room = f"/api/rooms/{room_id}"
    inside = [s.name for s in STANDINGS if s.has_place and s.name != "owner"]
    await asyncio.gather(
        *(made(site, "POST", f"{room}/join", locked, people[name]) for name in inside)
    )
    member = f"{room}/members/{{}}"
    for name, method, end, body in (
        ("dj", "PUT", "role", {"role": "dj"}),
        ("moderator", "PUT", "role", {"role": "moderator"}),
        ("muted", "POST", "mute", {}),
        ("banned", "POST", "ban", {}),
    ):
        path = f"{member.format(people[name].user_id)}/{end}"
        await made(site, method, path, body, owner)
    music = id3([apic(picture(8, 8))]) + sound("mp3", "mp3")
    uploaded = (await site.upload(owner, music, room_id=room_id)).body
    queued = {"track_id": uploaded["track_id"]}
    entries = [(await made(site, "POST", f"{room}/queue", queued, owner)).body for _ in range(2)]
    said = await made(site, "POST", f"{room}/messages", {"content": "Hello."}, owner)
    token = {"name": "Robot", "scopes": ["read"]}
    robot = await made(site, "POST", "/api/users/me/tokens", token, owner)
    await made(
        site, "POST", "/api/auth/login", {"login": "owner_here", "password": "correct horse"}, owner
    )
    [another, *_] = (await made(site, "GET", "/api/auth/logins", None, owner)).body["items"]
    ids = {
        "room_id": room_id,
        "owner_id": owner.user_id,
        "user_id": people["target"].user_id,
        "entry_id": entries[-1]["entry_id"],
        "message_id": said.body["message_id"],
        "track_id": uploaded["track_id"],
        "job_id": uploaded["job_id"],
        "token_id": robot.body["token_id"],
        "login_id": another["login_id"],
        "number": "0",
    }
    return Scene(visibility, ids)


def wrong(row: Route, who: Standing, where: Scene, answer: Answer) -> str | None:
    """What is to be said about an answer that is not the promised one."""
    expected = outcome(row, who, where.visibility)
    code = answer.code if answer.status >= 400 else None
    if code == expected or (expected is None and code not in DENIALS):
        return None
    promised = expected or "let through"
    got = code or answer.status
    return f"{name_of(row)}, {who.name}, {where.visibility}: {promised} promised, {got} answered"


async def asked(site: Site, row: Route, who: Standing, people: People, where: Scene) -> str | None:
    missing = [name for name in (*row.ids, *row.numbers) if name not in where.ids]
    assert not missing, f"{name_of(row)}: this test needs to know an id for {missing}"
    path = row.path.format(**where.ids)
    body = BODIES.get(name_of(row), lambda ids: {} if row.writes else None)(where.ids)
    answer = await site.ask(row.method, path, body, who=people.get(who.name))
    return wrong(row, who, where, answer)


def turn(row: Route) -> int:
    name = name_of(row)
    return LAST.index(name) + 1 if name in LAST else 0


async def test_r1_everybody_gets_the_answer_that_the_table_promises(site: Site) -> None:
    people: People = {
        each.name: await (
            site.guest() if each.grade == "guest" else site.account(f"{each.name}_here")
        )
        for each in STANDINGS
        if each.grade is not None
    }
    people["target"] = await site.guest("Target")
    scenes = [await scene(site, people, visibility) for visibility in ("public", "private")]
    calls = [(row, who, where) for row in guarded() for who in STANDINGS for where in scenes]
    # A refusal changes nothing; what is let through is asked in the order of the table.
    refused = [call for call in calls if outcome(call[0], call[1], call[2].visibility)]
    let_in = sorted((call for call in calls if call not in refused), key=lambda c: turn(c[0]))
    told = await asyncio.gather(*(asked(site, row, who, people, at) for row, who, at in refused))
    told += [await asked(site, row, who, people, at) for row, who, at in let_in]
    assert [each for each in told if each is not None] == []


async def test_r3_nobody_says_in_the_query_who_they_are(site: Site) -> None:
    who = await site.account()
    nothing = {name: "00000000-0000-4000-8000-000000000000" for row in ROUTES for name in row.ids}
    told = await asyncio.gather(
        *(
            site.ask(
                row.method,
                f"{row.path.format(**nothing, number=0)}?{name}={who.user_id}",
                {} if row.writes else None,
                who=who if row.auth else None,
            )
            for row in ROUTES
            for name in ("from_user_id", "owner_id")
        )
    )
    assert {(answer.status, answer.code) for answer in told} == {(400, "bad_request")}
