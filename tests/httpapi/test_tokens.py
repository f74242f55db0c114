"""Bot tokens: made by people, bound to scopes, hashed at rest, dead when deleted."""

import asyncio
from time import monotonic
from typing import Any, get_args
from uuid import uuid4

import aiohttp

from httpapi.app import ROUTES
from protocol.catalog import ClientCommand
from protocol.tokens import SCOPES, TOKENS_PER_MAKER, scope_of
from tests.httpapi.site import Answer, Guest, Site
from tests.httpapi.test_logins import WITHIN_S, closed_within_s, refused_hello, still_open, welcomed

TOKENS = "/api/users/me/tokens"


async def make(site: Site, maker: Guest, *scopes: str, **more: object) -> Answer:
    body = {"name": "Echo", "scopes": scopes or SCOPES, **more}
    return await site.ask("POST", TOKENS, body, who=maker)


async def bot(site: Site, maker: Guest, *scopes: str, **more: object) -> Guest:
    answer = await make(site, maker, *scopes, **more)
    assert answer.status == 201, answer
    return Guest(answer.body["bot"]["user_id"], answer.body["token"], "")


async def tokens_of(site: Site, maker: Guest) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await site.ask("GET", TOKENS, who=maker)).body["items"]
    return items


async def command(
    socket: aiohttp.ClientWebSocketResponse, room_id: str, id: int, cmd: dict[str, object]
) -> dict[str, Any]:
    """What a command is answered with."""
    await socket.send_json({"type": "cmd", "id": id, "room": room_id, "cmd": cmd})
    while True:
        frame: dict[str, Any] = await socket.receive_json()
        if frame["type"] in ("ack", "reject") and frame["id"] == id:
            return frame


async def kinds_told(socket: aiohttp.ClientWebSocketResponse, who: Guest) -> dict[str, str]:
    """As what the room shows somebody: among those present, and as the author of a message."""
    kinds: dict[str, str] = {}
    while len(kinds) < 2:
        frame = await socket.receive_json()
        told = [("here", person) for person in frame.get("present", ())]
        told += [(event["type"], event["by"]) for event in frame.get("events", ()) if "by" in event]
        for place, person in told:
            if person["user_id"] == who.user_id:
                kinds[place] = person["kind"]
    return kinds


async def test_a_token_is_told_once_and_stored_hashed(site: Site) -> None:
    ann = await site.account()
    answer = await make(site, ann, "chat", "read")
    made = answer.body
    token = made.pop("token")
    assert token.startswith("unb_")
    assert made["scopes"] == ["read", "chat"]
    assert made["bot"] | {"user_id": ""} == {"user_id": "", "display_name": "Echo", "kind": "bot"}
    assert await tokens_of(site, ann) == [made]
    assert token not in (await site.ask("GET", TOKENS, who=ann)).data.decode()
    stored = await site.scalar("select t::text || l::text from bot_tokens t, logins l")
    assert token not in stored
    assert await site.scalar("select octet_length(token_hash) from bot_tokens") == 32


async def test_a_bot_is_a_user_of_its_own_at_both_doors(site: Site) -> None:
    ann = await site.account()
    room_id = await site.room(ann)
    echo = await bot(site, ann)
    me = (await site.ask("GET", "/api/auth/me", who=echo)).body
    assert (me["user_id"], me["kind"], me["display_name"]) == (echo.user_id, "bot", "Echo")
    assert echo.user_id != ann.user_id
    async with site.socket(ann, room_id) as listener, site.socket(echo, room_id) as socket:
        told = await command(socket, room_id, 2, {"type": "chat.send", "content": "hello"})
        assert told["type"] == "ack"
        assert await kinds_told(listener, echo) == {"here": "bot", "chat.sent": "bot"}
        answer = await site.ask("GET", f"/api/rooms/{room_id}/messages", who=echo)
        assert answer.body["items"][0]["by"]["user_id"] == echo.user_id
    (told,) = await tokens_of(site, ann)
    assert told["last_used_at"] is not None


async def test_over_rest_a_token_does_what_its_scopes_say(site: Site) -> None:
    ann = await site.account()
    room_id = await site.room(ann)
    reader, talker = await bot(site, ann, "read"), await bot(site, ann, "chat")
    messages = f"/api/rooms/{room_id}/messages"
    refused = await site.ask("POST", messages, {"content": "hi"}, who=reader)
    assert (refused.status, refused.code) == (403, "scope_missing")
    assert refused.body["details"] == {"scope": "chat"}
    assert (await site.ask("POST", messages, {"content": "hi"}, who=talker)).status == 201
    assert (await site.ask("GET", messages, who=talker)).code == "scope_missing"
    assert len((await site.ask("GET", messages, who=reader)).body["items"]) == 1
    # A place in a room is a matter of reading.
    assert (await site.ask("POST", f"/api/rooms/{room_id}/join", {}, who=reader)).status == 200
    assert (await site.ask("POST", f"/api/rooms/{room_id}/join", {}, who=talker)).status == 403


async def test_no_write_is_open_to_a_token_that_may_only_read(site: Site) -> None:
    ann = await site.account()
    room_id = await site.room(ann)
    reader = await bot(site, ann, "read")
    for row in ROUTES:
        if not row.writes or row.auth is None or row.path.endswith(("/join", "/leave")):
            continue
        path = row.path.replace("{room_id}", room_id)
        for name in row.ids:
            path = path.replace(f"{{{name}}}", str(uuid4()))
        answer = await site.ask(row.method, path, {}, who=reader)
        # An empty body may be found wanting first, a thing that is not there missing.
        allowed = (400, 404) if row.command else ()
        assert answer.status in (403, *allowed), (row.method, row.path, answer)
        if answer.status == 403 and not row.command:
            assert answer.code == "scope_missing", row.path


async def test_on_a_socket_a_token_does_what_its_scopes_say(site: Site) -> None:
    ann = await site.account()
    room_id = await site.room(ann)
    queuer, talker = await bot(site, ann, "read", "queue"), await bot(site, ann, "chat")
    async with site.socket(queuer, room_id) as socket:
        told = await command(socket, room_id, 2, {"type": "chat.send", "content": "hello"})
        assert (told["code"], told["temporary"]) == ("scope_missing", False)
        assert told["details"] == {"scope": "chat"}
        told = await command(socket, room_id, 3, {"type": "queue.add", "track_id": str(uuid4())})
        assert told["code"] == "unknown_track"
        told = await command(socket, room_id, 4, {"type": "room.close"})
        assert (told["code"], told.get("details")) == ("scope_missing", None)
    async with welcomed(site, talker.token) as socket:
        await socket.send_json({"type": "join", "id": 1, "room": room_id})
        assert (await socket.receive_json())["code"] == "scope_missing"


async def test_each_command_takes_one_scope_or_is_for_people() -> None:
    of_people = {kind for kind in get_args(ClientCommand) if scope_of(kind) is None}
    assert {str(kind.__struct_config__.tag) for kind in of_people} == {
        "room.close",
        "owner.transfer",
    }


async def test_a_deleted_token_is_off_its_open_socket_within_2_s(site: Site) -> None:
    ann, ben = await site.account(), await site.account()
    echo, other = await bot(site, ann), await bot(site, ann)
    token_id = next(
        each["token_id"]
        for each in await tokens_of(site, ann)
        if each["bot"]["user_id"] == echo.user_id
    )
    path = f"{TOKENS}/{token_id}"
    async with welcomed(site, echo.token) as socket, welcomed(site, other.token) as others:
        assert (await site.ask("DELETE", path, who=ben)).status == 404
        assert (await site.ask("DELETE", path, who=echo)).code == "scope_missing"
        since_s = monotonic()
        assert (await site.ask("DELETE", path, who=ann)).status == 204
        assert (await site.ask("GET", "/api/auth/me", who=echo)).status == 401
        assert await closed_within_s(socket, since_s) < WITHIN_S
        assert await still_open(others)
    assert (await site.ask("DELETE", path, who=ann)).status == 404
    assert len(await tokens_of(site, ann)) == 1


async def test_a_token_runs_out_where_it_is_told_to(site: Site) -> None:
    ann = await site.account()
    echo = await bot(site, ann, expires_in_ms=60_000)
    assert (await tokens_of(site, ann))[0]["expires_at"] is not None
    # One second before its end, so that the socket lives to see it.
    await site.execute("update bot_tokens set expires_at = now() + interval '1 second'")
    async with welcomed(site, echo.token) as socket:
        assert await closed_within_s(socket, monotonic()) < 1 + WITHIN_S
    assert (await site.ask("GET", "/api/auth/me", who=echo)).status == 401


async def test_a_bot_outlives_its_token_and_gets_another_from_its_maker_alone(site: Site) -> None:
    ann, ben = await site.account(), await site.account()
    echo = await bot(site, ann)
    again = await bot(site, ann, "read", name="Echo's second", bot_id=echo.user_id)
    assert (again.user_id, again.token != echo.token) == (echo.user_id, True)
    assert (await site.ask("GET", "/api/auth/me", who=again)).body["display_name"] == "Echo"
    assert (await make(site, ben, bot_id=echo.user_id)).status == 404
    # Not even oneself is one's bot.
    assert (await make(site, ann, bot_id=ann.user_id)).status == 404
    assert (await make(site, echo)).code == "scope_missing"
    assert (await make(site, await site.guest())).code == "account_required"
    assert await tokens_of(site, echo) == []
    await site.execute("update users set blocked_at = now() where user_id = $1", ann.user_id)
    assert (await site.ask("GET", "/api/auth/me", who=echo)).status == 401


async def test_ten_tokens_and_no_more_however_fast_they_are_asked_for(site: Site) -> None:
    ann = await site.account()
    answers = await asyncio.gather(*(make(site, ann) for _ in range(TOKENS_PER_MAKER + 5)))
    assert sorted(answer.status for answer in answers) == [201] * TOKENS_PER_MAKER + [409] * 5
    assert {each.code for each in answers if each.status == 409} == {"too_many_tokens"}
    assert await site.scalar("select count(*) from users where kind = 'bot'") == TOKENS_PER_MAKER
    page = (await site.ask("GET", f"{TOKENS}?limit=6", who=ann)).body
    rest = (await site.ask("GET", f"{TOKENS}?cursor={page['next_cursor']}", who=ann)).body
    assert page["items"] + rest["items"] == await tokens_of(site, ann)
    one = rest["items"][0]["token_id"]
    assert (await site.ask("DELETE", f"{TOKENS}/{one}", who=ann)).status == 204
    assert (await make(site, ann)).status == 201


async def test_a_token_that_is_none_opens_nothing(site: Site) -> None:
    ann = await site.account()
    token = (await bot(site, ann)).token
    for text in (
        "unb_",
        "unb_x",
        token + "x",
        token[:-1],
        "unb_" + "x" * 4_000,
        "UNB_" + token[4:],
    ):
        answer = await site.ask("GET", "/api/auth/me", who=Guest("", text, ""))
        assert (answer.status, answer.code) == (401, "unauthenticated"), text
        assert await refused_hello(site, token=text) == "unauthenticated"
    # It is no refresh token either, and no ticket.
    body = {"refresh_token": token}
    assert (await site.ask("POST", "/api/auth/refresh", body)).status == 401
    bodies: tuple[dict[str, object], ...] = (
        {},
        {"name": "Echo", "scopes": []},
        {"name": "Echo", "scopes": ["admin"]},
        {"name": "\u202e", "scopes": ["read"]},
        {"name": "Echo", "scopes": ["read"], "expires_in_ms": 0},
        {"name": "Echo", "scopes": ["read"], "user_id": ann.user_id},
    )
    for wrong in bodies:
        assert (await site.ask("POST", TOKENS, wrong, who=ann)).status == 400, wrong
    assert len(await tokens_of(site, ann)) == 1
