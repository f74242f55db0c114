"""A login and its end: listed, ended one by one or all at once, and gone from open sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from uuid import uuid4

import aiohttp

from tests.httpapi.heard import frame
from tests.httpapi.site import Answer, Guest, Site

PASSWORD = "correct horse"
NEW_PASSWORD = "battery staple"
WITHIN_S = 2.0


async def log_in(site: Site, login: str, password: str = PASSWORD, **headers: str) -> Guest:
    body = {"login": login, "password": password}
    answer = await site.ask("POST", "/api/auth/login", body, headers=headers)
    assert answer.status == 200, answer
    told = answer.body
    return Guest(told["user"]["user_id"], told["access_token"], told["refresh_token"])


async def logins_of(site: Site, who: Guest) -> list[dict[str, str]]:
    answer = await site.ask("GET", "/api/auth/logins", who=who)
    assert answer.status == 200, answer
    items: list[dict[str, str]] = answer.body["items"]
    return items


async def is_known(site: Site, who: Guest) -> bool:
    return (await site.ask("GET", "/api/auth/me", who=who)).status == 200


async def refreshes(site: Site, who: Guest) -> bool:
    body = {"refresh_token": who.refresh_token}
    return (await site.ask("POST", "/api/auth/refresh", body)).status == 200


@asynccontextmanager
async def welcomed(
    site: Site, token: str | None = None, **more: str
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A socket that was let in."""
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{site.url}/ws", headers=more) as socket,
    ):
        await socket.send_json({"type": "hello", "client_id": str(uuid4()), "token": token})
        assert (await socket.receive_json())["type"] == "welcome"
        yield socket


async def refused_hello(site: Site, **credential: str) -> str:
    """The code with which a hello is refused."""
    async with aiohttp.ClientSession() as client, client.ws_connect(f"{site.url}/ws") as socket:
        await socket.send_json({"type": "hello", "client_id": "client-of-test", **credential})
        return str((await socket.receive_json())["code"])


async def closed_within_s(socket: aiohttp.ClientWebSocketResponse, since_s: float) -> float:
    """How long after `since_s` a socket is told that its login ended."""
    while (message := await socket.receive(timeout=10)).type != aiohttp.WSMsgType.CLOSE:
        pass
    assert message.data == 4401
    return monotonic() - since_s


async def still_open(socket: aiohttp.ClientWebSocketResponse) -> bool:
    await socket.send_json({"type": "probe", "t0": 0})
    return (await socket.receive_json())["type"] == "probed"


async def test_ones_logins_are_listed_and_ended_one_by_one(site: Site) -> None:
    await site.account("fred")
    phone = await log_in(site, "fred", **{"User-Agent": "Phone"})
    desk = await log_in(site, "fred", **{"User-Agent": "Desk"})
    other = await site.account("greta")
    told = await logins_of(site, desk)
    assert [login["user_agent"] for login in told[:2]] == ["Desk", "Phone"]
    assert [login["is_current"] for login in told] == [True, False, False]
    page = (await site.ask("GET", "/api/auth/logins?limit=2", who=desk)).body
    rest = f"/api/auth/logins?limit=2&cursor={page['next_cursor']}"
    assert page["items"] + (await site.ask("GET", rest, who=desk)).body["items"] == told
    phones = f"/api/auth/logins/{told[1]['login_id']}"
    # Somebody else's login is no login.
    assert (await site.ask("DELETE", phones, who=other)).status == 404
    assert await is_known(site, phone)
    assert (await site.ask("DELETE", phones, who=desk)).status == 204
    assert (await site.ask("DELETE", phones, who=desk)).status == 404
    assert not await is_known(site, phone)
    assert not await refreshes(site, phone)
    assert len(await logins_of(site, desk)) == 2
    assert await is_known(site, desk)


async def test_ending_the_own_login_takes_the_cookie_away(site: Site) -> None:
    own = {"Origin": site.url, "Sec-Fetch-Site": "same-origin"}
    body = {"display_name": "Ann", "cookie": True}
    answer = await site.ask("POST", "/api/auth/guest", body, headers=own)
    cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
    (told,) = (await site.ask("GET", "/api/auth/logins", headers=cookie)).body["items"]
    assert told["by_cookie"]
    ended = await site.ask("DELETE", f"/api/auth/logins/{told['login_id']}", headers=own | cookie)
    assert ended.status == 204
    assert 'unisono=""' in ended.headers["Set-Cookie"]
    assert (await site.ask("GET", "/api/auth/me", headers=cookie)).status == 401


async def test_j8_a_new_password_ends_all_other_logins(site: Site) -> None:
    first = await site.account("fred")
    here, there = await log_in(site, "fred"), await log_in(site, "fred")
    bodies = {"current_password": "wrong", "new_password": NEW_PASSWORD}
    refused = await site.ask("PUT", "/api/auth/password", bodies, who=here)
    assert refused.code == "wrong_credentials"
    assert await is_known(site, there)
    async with welcomed(site, there.token) as far, welcomed(site, here.token) as near:
        bodies["current_password"] = PASSWORD
        changed = await site.ask("PUT", "/api/auth/password", bodies, who=here)
        assert changed.status == 204
        assert await closed_within_s(far, monotonic()) < WITHIN_S
        assert await still_open(near)
    for other in (first, there):
        assert not await is_known(site, other)
        assert not await refreshes(site, other)
    assert await is_known(site, here)
    assert await refreshes(site, here)
    old = {"login": "fred", "password": PASSWORD}
    assert (await site.ask("POST", "/api/auth/login", old)).status == 401
    await log_in(site, "fred", NEW_PASSWORD)


async def test_of_two_new_passwords_at_once_one_holds_and_bad_ones_do_not(site: Site) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    refused = await site.ask("PUT", "/api/auth/password", body, who=await site.guest())
    assert refused.code == "account_required"
    fred = await site.account("fred")
    for change in ({"new_password": "short"}, {"new_password": "a\0b" * 8}, {"user_id": "x"}):
        wrong = await site.ask("PUT", "/api/auth/password", body | change, who=fred)
        assert wrong.status == 400, change
    wishes = [
        {"current_password": PASSWORD, "new_password": f"{NEW_PASSWORD} {number}"}
        for number in range(4)
    ]
    answers = await asyncio.gather(
        *(site.ask("PUT", "/api/auth/password", wish, who=fred) for wish in wishes)
    )
    assert sorted(answer.status for answer in answers) == [204, 401, 401, 401]
    chosen = wishes[[answer.status for answer in answers].index(204)]["new_password"]
    await log_in(site, "fred", chosen)


End = Callable[[Site, str, Guest], Awaitable[Answer]]


async def logout(site: Site, name: str, who: Guest) -> Answer:
    return await site.ask("POST", "/api/auth/logout", who=who)


async def logout_all(site: Site, name: str, who: Guest) -> Answer:
    return await site.ask("POST", "/api/auth/logout-all", who=await log_in(site, name))


async def end_from_the_list(site: Site, name: str, who: Guest) -> Answer:
    other = await log_in(site, name)
    (_, mine, _) = await logins_of(site, other)
    return await site.ask("DELETE", f"/api/auth/logins/{mine['login_id']}", who=other)


ENDS: dict[str, End] = {"anna": logout, "bert": logout_all, "cora": end_from_the_list}


async def test_ws17_j8_an_ended_login_is_off_its_open_sockets_within_2_s(site: Site) -> None:
    async def ended(name: str, end: End) -> None:
        await site.account(name)
        who = await log_in(site, name)
        ticket = (await site.ask("POST", "/api/auth/ws-ticket", {}, who=who)).body["ticket"]
        async with welcomed(site, who.token) as socket:
            assert (await end(site, name, who)).status == 204
            assert await closed_within_s(socket, monotonic()) < WITHIN_S
        # Neither the token nor a ticket from before lets anybody in again.
        for credential in ({"token": who.token}, {"ticket": ticket}):
            assert await refused_hello(site, **credential) == "unauthenticated"

    async with welcomed(site, (await site.guest()).token) as strangers:
        await asyncio.gather(*(ended(name, end) for name, end in ENDS.items()))
        assert await still_open(strangers)


async def test_who_is_signed_out_is_not_in_the_room_for_the_grace(site: Site) -> None:
    owner, guest = await site.account(), await site.guest()
    room_id = await site.room(owner)
    async with welcomed(site, owner.token) as near, welcomed(site, guest.token) as far:
        for socket in (near, far):
            await socket.send_json({"type": "join", "id": 1, "room": room_id})
            await frame(socket, "joined")
        since_s = monotonic()
        assert (await site.ask("POST", "/api/auth/logout", who=guest)).status == 204
        while guest.user_id not in (await frame(near, "presence")).get("gone", ()):
            pass
        assert monotonic() - since_s < WITHIN_S


async def test_j8_a_socket_that_a_cookie_opened_ends_with_it(site: Site) -> None:
    own = {"Origin": site.url, "Sec-Fetch-Site": "same-origin"}
    body = {"display_name": "Ann", "cookie": True}
    answer = await site.ask("POST", "/api/auth/guest", body, headers=own)
    cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
    async with welcomed(site, **own | cookie) as socket:
        since_s = monotonic()
        assert (await site.ask("POST", "/api/auth/logout", headers=own | cookie)).status == 204
        assert await closed_within_s(socket, since_s) < WITHIN_S
