"""What holds for every route: headers, methods, limits, who may call, and what is documented."""

import asyncio
import logging

import pytest

from httpapi.app import ROUTES
from httpapi.endpoint import Route
from httpapi.openapi import statuses
from roomserver.runtime.addresses import client_address, peer_address
from roomserver.runtime.config import load
from tests.httpapi.conftest import OpenSite
from tests.httpapi.site import Site

ID = "00000000-0000-4000-8000-000000000000"


def path_of(row: Route) -> str:
    path = row.path
    for name in row.ids:
        path = path.replace(f"{{{name}}}", ID)
    for name in row.numbers:
        path = path.replace(f"{{{name}}}", "0")
    return path


async def test_r17_every_route_says_no_to_nobody_or_needs_nobody(site: Site) -> None:
    """Without credentials: 401 where somebody is needed, a documented answer anywhere else."""
    for row in ROUTES:
        answer = await site.ask(row.method, path_of(row), {} if row.writes else None)
        if row.auth in ("any", "person"):
            assert (answer.status, answer.code) == (401, "unauthenticated"), row.action
        else:
            assert answer.status in statuses(row) & {200, 400, 404, 503}, row.action
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_r17_no_other_origin_is_let_in_and_no_method_is_overridden(site: Site) -> None:
    ann = await site.account()
    room_id = await site.room(ann)
    path = f"/api/rooms/{room_id}"
    evil = {"Origin": "https://evil.example"}
    preflight = evil | {
        "Access-Control-Request-Method": "DELETE",
        "Access-Control-Request-Headers": "authorization",
    }
    for method, headers in (("OPTIONS", preflight), ("GET", evil)):
        answer = await site.ask(method, path, headers=headers, who=ann)
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        await site.ask("POST", path, {}, who=ann, headers={name: "DELETE"})
        await site.ask("GET", f"{path}?_method=DELETE", who=ann, headers={name: "DELETE"})
    assert (await site.ask("GET", path)).status == 200


HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


ASKED = (
    ("GET", "/", 200),
    ("GET", f"/rooms/{ID}", 200),
    ("GET", "/web/main.js", 200),
    ("GET", "/web/style.css", 200),
    ("GET", "/web/nothing.js", 404),
    ("GET", "/web/../app.py", 404),
    ("GET", "/web/%2e%2e/app.py", 404),
    ("GET", "/docs", 200),
    ("GET", "/nothing", 404),
    ("GET", "/api/nothing", 404),
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("GET", "/api/auth/me", 401),
    ("PUT", "/api/rooms", 405),
    ("PATCH", "/api/rooms/mine", 405),
    ("GET", "/api/tracks/uploads", 405),
    ("DELETE", "/", 405),
    ("TRACE", "/api/rooms", 405),
    ("OPTIONS", "/api/rooms", 204),
    ("HEAD", "/api/rooms", 200),
    ("HEAD", "/", 200),
)


async def test_h1_every_answer_carries_the_headers(site: Site) -> None:
    for method, path, status in ASKED:
        answer = await site.ask(method, path, headers={"Origin": "https://evil.example"})
        assert answer.status == status, (method, path)
        assert answer.headers.items() >= HEADERS.items()
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "Strict-Transport-Security" not in answer.headers
        assert "Server" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
        if status in (204, 405):
            assert answer.headers["Allow"]
        if status >= 400 and method != "HEAD":
            assert answer.headers["Content-Type"] == "application/problem+json"


async def test_the_page_is_checked_again_by_its_tag(site: Site) -> None:
    first = await site.ask("GET", "/web/main.js")
    assert first.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert first.headers["Cache-Control"] == "no-cache"
    etag = first.headers["ETag"]
    again = await site.ask("GET", "/web/main.js", headers={"If-None-Match": etag})
    assert (again.status, again.data) == (304, b"")


async def raw(site: Site, data: bytes) -> bytes:
    """What comes back for bytes on a fresh connection, until the server closes it."""
    host, port = site.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    async with asyncio.timeout(15):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    "data",
    [
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: secret-token-in-a\x00-header\r\n\r\n",
    ],
)
async def test_r18_what_cannot_be_parsed_is_one_problem_that_repeats_nothing(
    site: Site, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = await raw(site, data)
    assert answer.startswith(b"HTTP/1.1 400 ") or answer.startswith(b"HTTP/1.0 400 ")
    assert answer.count(b"HTTP/1.") == 1
    assert b"application/problem+json" in answer
    assert b"aiohttp" not in answer
    assert b"secret-token" not in answer
    assert "secret-token" not in caplog.text


async def test_a_websocket_as_second_request_is_told_what_is_wrong(site: Site) -> None:
    answer = await raw(
        site,
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )
    first, _, second = answer.partition(b"HTTP/1.1 426 ")
    assert first.startswith(b"HTTP/1.1 200 ")
    assert b"first request of a new connection" in second


async def test_r13_limits_are_counted_a_user_and_told(open_site: OpenSite) -> None:
    async with open_site(limits_factor=1) as site:
        ann, ben = await site.guest("Ann"), await site.guest("Ben")
        for left in range(9, -1, -1):
            answer = await site.ask("GET", "/api/users/me", who=ann)
            assert answer.status == 200
            assert answer.headers["RateLimit-Limit"] == "10"
            assert answer.headers["RateLimit-Remaining"] == str(left)
        refused = await site.ask("GET", "/api/users/me", who=ann)
        assert (refused.status, refused.code) == (429, "rate_limited")
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert refused.headers["RateLimit-Remaining"] == "0"
        assert (await site.ask("GET", "/api/users/me", who=ben)).status == 200


async def test_r13_chat_has_five_in_five_seconds(open_site: OpenSite) -> None:
    async with open_site(limits_factor=1) as site:
        ann = await site.account()
        room_id = await site.room(ann)
        path = f"/api/rooms/{room_id}/messages"
        told = [(await site.ask("POST", path, {"content": "x"}, who=ann)).status for _ in range(6)]
        assert told == [201] * 5 + [429]


async def test_r13_r14_anonymous_callers_are_counted_by_address(open_site: OpenSite) -> None:
    async with open_site(limits_factor=1) as site:
        body = {"login": "nobody", "password": "wrong horse"}
        answers = [await site.ask("POST", "/api/auth/login", body) for _ in range(21)]
        assert [answer.status for answer in answers] == [401] * 20 + [429]
        # P4: another account, and the address as a whole, are not locked out by that.
        other = await site.ask("POST", "/api/auth/login", body | {"login": "somebody"})
        assert other.status == 401
        forged = {"X-Forwarded-For": "1.2.3.4"}
        assert (await site.ask("POST", "/api/auth/login", body, headers=forged)).status == 429


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("9.9.9.9", ["1.2.3.4"], "9.9.9.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["6.6.6.6, 1.2.3.4, 10.0.0.2"], "1.2.3.4"),
        ("10.0.0.1", ["6.6.6.6", "1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["1.2.3.4, garbage"], "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4, 10.0.0.2, garbage"], "10.0.0.1"),
        ("10.0.0.1", ["2001:db8:1:2:3::4"], "2001:db8:1:2::/64"),
        ("::ffff:9.9.9.9", [], "9.9.9.9"),
        ("2001:db8::1", [], "2001:db8::/64"),
    ],
)
def test_r14_only_trusted_proxies_say_who_calls(
    peer: str, forwarded: list[str], address: str
) -> None:
    trusted = load({}, trusted_proxies="10.0.0.0/8").trusted_proxies
    assert client_address(peer_address((peer, 1)), forwarded, trusted) == address


async def test_r5_no_value_reaches_the_database_unchecked(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """The net that maps database errors to 400 must stay empty."""
    owner = await site.account()
    room_id = await site.room(owner)
    odd = ["\ud83d", "a\x00", "9" * 400, "-1", "NaN", "%ED%A0%80", "' or 1=1", "٣"]
    for text in odd:
        for path in (f"/api/rooms/{text}", f"/api/tracks/{text}/audio", f"/web/{text}"):
            await site.ask("GET", path.encode(errors="replace").decode(), who=owner)
        for name in ("query", "cursor", "limit", "uploaded_by", "room_id", "before", "name"):
            for path in ("/api/rooms", "/api/tracks", f"/api/rooms/{room_id}/messages"):
                value = text.encode(errors="replace").decode()
                answer = await site.ask("GET", f"{path}?{name}={value}", who=owner)
                assert answer.status in (200, 400)
    assert [r.message for r in caplog.records if r.name == "httpapi.problems"] == []
