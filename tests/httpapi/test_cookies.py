"""The browser's cookie: rows S of the list of cases."""

import itertools
from http.cookies import SimpleCookie

from httpapi.app import ROUTES
from tests.httpapi.conftest import OpenSite
from tests.httpapi.site import Answer, Site
from tests.httpapi.test_platform import path_of

PUBLIC = "https://music.example.org"


def own(site: Site) -> dict[str, str]:
    return {"Origin": site.url, "Sec-Fetch-Site": "same-origin"}


def cookie_of(answer: Answer) -> tuple[str, str]:
    """Name and value of the one cookie that an answer sets."""
    ((name, morsel),) = SimpleCookie(answer.headers["Set-Cookie"]).items()
    return name, morsel.value


async def come_in(site: Site, headers: dict[str, str], **more: str) -> Answer:
    body = {"display_name": "Ann", "cookie": True}
    return await site.ask("POST", "/api/auth/guest", body, headers=headers | more)


async def test_s1_the_cookie_is_out_of_reach_of_scripts_and_foreign_pages(site: Site) -> None:
    answer = await come_in(site, own(site))
    text = answer.headers["Set-Cookie"]
    assert text.startswith("unisono=")
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(text.split("; "))
    assert "Secure" not in text
    assert answer.body.keys() == {"user"}


async def test_s1_with_https_the_cookie_is_secure_and_bound_to_the_host(
    open_site: OpenSite,
) -> None:
    async with open_site(public_url=PUBLIC) as site:
        answer = await come_in(site, {"Origin": PUBLIC})
        text = answer.headers["Set-Cookie"]
        assert text.startswith("__Host-unisono=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(text.split("; "))
        assert answer.headers["Strict-Transport-Security"]
        assert (await come_in(site, own(site))).code == "foreign_origin"


async def test_the_cookie_signs_in_and_is_stored_hashed(site: Site) -> None:
    name, secret = cookie_of(await come_in(site, own(site)))
    answer = await site.ask("GET", "/api/auth/me", headers={"Cookie": f"{name}={secret}"})
    assert answer.body["display_name"] == "Ann"
    stored = await site.scalar("select cookie_hash from logins")
    assert secret.encode() not in stored
    assert len(stored) == 32


async def test_s2_signing_in_changes_the_cookie(site: Site) -> None:
    name, planted = cookie_of(await come_in(site, own(site)))
    _, fresh = cookie_of(await come_in(site, own(site), Cookie=f"{name}={planted}"))
    assert fresh != planted


async def test_s2_a_planted_guest_cookie_does_not_open_the_account(site: Site) -> None:
    name, planted = cookie_of(await come_in(site, own(site)))
    body = {"username": "ann", "email": "a@example.org", "password": "correct horse"}
    answer = await site.ask(
        "POST",
        "/api/auth/register",
        body | {"cookie": True},
        headers=own(site) | {"Cookie": f"{name}={planted}"},
    )
    assert answer.body["user"]["kind"] == "person"
    _, fresh = cookie_of(answer)
    for secret, status in ((planted, 401), (fresh, 200)):
        me = await site.ask("GET", "/api/auth/me", headers={"Cookie": f"{name}={secret}"})
        assert me.status == status


async def test_s3_a_cookie_cannot_be_replayed_after_logout(site: Site) -> None:
    name, secret = cookie_of(await come_in(site, own(site)))
    cookie = {"Cookie": f"{name}={secret}"}
    answer = await site.ask("POST", "/api/auth/logout", headers=own(site) | cookie)
    assert answer.status == 204
    assert cookie_of(answer) == (name, "")
    assert (await site.ask("GET", "/api/auth/me", headers=cookie)).status == 401


FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {},
]


# What a page may send elsewhere without asking, and what ours sends.
MEDIA_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain",
               "application/json")  # fmt: skip
WRITES = [row for row in ROUTES if row.writes and row.auth is not None]


async def test_s4_a_foreign_page_writes_nothing(site: Site) -> None:
    name, secret = cookie_of(await come_in(site, own(site)))
    cookie = {"Cookie": f"{name}={secret}"}
    for headers, media_type in itertools.product(FOREIGN, MEDIA_TYPES):
        answer = await site.ask(
            "POST",
            "/api/rooms",
            data=b'{"name":"Mine"}',
            headers=headers | cookie | {"Content-Type": media_type},
        )
        assert (answer.status, answer.code) == (403, "foreign_origin"), headers
    for headers in FOREIGN:
        assert (await come_in(site, headers)).code == "foreign_origin"
        for row in WRITES:
            answer = await site.ask(row.method, path_of(row), headers=headers | cookie)
            assert (answer.status, answer.code) == (403, "foreign_origin"), (row.action, headers)
        # Reading is allowed: the answer cannot be read by the foreign page.
        assert (await site.ask("GET", "/api/auth/me", headers=headers | cookie)).status == 200
    assert await site.scalar("select count(*) from rooms") == 0


async def test_s4_a_bearer_needs_no_origin(site: Site) -> None:
    ann = await site.guest()
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = await site.ask("POST", "/api/rooms", {"name": "Mine"}, who=ann, headers=headers)
    assert answer.status == 201


async def test_a_named_host_is_not_own_without_a_public_url(site: Site) -> None:
    headers = {"Host": "rebound.example", "Origin": "http://rebound.example"}
    assert (await come_in(site, headers)).code == "foreign_origin"


async def test_s5_a_cookie_that_opens_nothing_is_nobody(site: Site) -> None:
    for value in ("", "x", "x" * 200, "%00", '"quoted', "a.b.c", "é"):
        cookie = {"Cookie": f"unisono={value}"}
        assert (await site.ask("GET", "/api/auth/me", headers=cookie)).status == 401, value
        assert (await site.ask("GET", "/api/rooms", headers=cookie)).status == 200
