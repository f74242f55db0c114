"""Accounts and logins: rows J of the list of cases."""

import asyncio
from time import monotonic

import pytest

from tests.httpapi.site import Guest, Site
from tests.httpapi.test_logins import WITHIN_S, closed_within_s, still_open, welcomed

PASSWORD = "correct horse"


async def refresh(site: Site, token: str) -> tuple[int, dict[str, str]]:
    answer = await site.ask("POST", "/api/auth/refresh", {"refresh_token": token})
    return answer.status, answer.body


async def log_in(site: Site, login: str, password: str = PASSWORD) -> int:
    body = {"login": login, "password": password}
    return (await site.ask("POST", "/api/auth/login", body)).status


async def test_a_guest_comes_in_by_name_alone(site: Site) -> None:
    ann = await site.guest("Ann")
    me = (await site.ask("GET", "/api/auth/me", who=ann)).body
    assert me["display_name"] == "Ann"
    assert me["kind"] == "guest"
    assert me["user_id"] == ann.user_id


async def test_an_account_signs_in_by_name_or_by_e_mail(site: Site) -> None:
    await site.account("Berta")
    assert await log_in(site, "berta") == 200
    assert await log_in(site, "BERTA@example.org") == 200
    assert await log_in(site, "berta", "wrong") == 401


async def test_a_guest_becomes_an_account_and_keeps_everything(site: Site) -> None:
    ann = await site.guest("Ann")
    room_id = await site.room(ann)
    body = {"username": "ann", "email": "ann@example.org", "password": PASSWORD}
    answer = await site.ask("POST", "/api/auth/register", body, who=ann)
    assert answer.body["user"]["user_id"] == ann.user_id
    assert (answer.body["user"]["kind"], answer.body["user"]["display_name"]) == ("person", "Ann")
    now = Guest(ann.user_id, answer.body["access_token"], answer.body["refresh_token"])
    mine = (await site.ask("GET", "/api/rooms/mine", who=now)).body["items"]
    assert [room["room_id"] for room in mine] == [room_id]
    # What opened the guest's login before opens the account no more.
    assert (await refresh(site, ann.refresh_token))[0] == 401
    assert (await refresh(site, now.refresh_token))[0] == 200
    assert (await site.ask("GET", "/api/auth/me", who=ann)).status == 401
    # It is done once: the account cannot become another.
    again = body | {"username": "anna"}
    other = (await site.ask("POST", "/api/auth/register", again, who=now)).body["user"]
    assert other["user_id"] != ann.user_id


async def test_s2_what_a_guest_left_open_does_not_stay_in_the_account(site: Site) -> None:
    ann, ben = await site.guest("Ann"), await site.guest("Ben")
    body = {"username": "ann", "email": "ann@example.org", "password": PASSWORD}
    async with welcomed(site, ann.token) as planted, welcomed(site, ben.token) as others:
        since_s = monotonic()
        assert (await site.ask("POST", "/api/auth/register", body, who=ann)).status == 201
        assert await closed_within_s(planted, since_s) < WITHIN_S
        assert await still_open(others)


async def test_a_refresh_token_is_good_once(site: Site) -> None:
    ann = await site.guest()
    status, first = await refresh(site, ann.refresh_token)
    assert status == 200
    status, second = await refresh(site, first["refresh_token"])
    assert status == 200
    assert len({ann.refresh_token, first["refresh_token"], second["refresh_token"]}) == 3
    assert (await refresh(site, "never issued"))[0] == 401


async def test_j6_a_used_refresh_token_ends_the_family(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    ann = await site.guest()
    _, first = await refresh(site, ann.refresh_token)
    await site.execute("update refresh_tokens set used_at = used_at - interval '6 seconds'")
    async with welcomed(site, ann.token) as socket:
        since_s = monotonic()
        assert (await refresh(site, ann.refresh_token))[0] == 401
        assert await closed_within_s(socket, since_s) < WITHIN_S
    assert (await refresh(site, first["refresh_token"]))[0] == 401
    access = Guest(ann.user_id, first["access_token"], "")
    assert (await site.ask("GET", "/api/auth/me", who=access)).status == 401
    assert await site.scalar("select reason from revocations") == "reuse"
    (told,) = (record for record in caplog.records if "used twice" in record.message)
    assert vars(told)["user_id"] == ann.user_id
    assert ann.refresh_token not in caplog.text


async def test_j6_within_the_grace_a_used_successor_gives_the_thief_away(site: Site) -> None:
    ann = await site.guest()
    _, first = await refresh(site, ann.refresh_token)
    _, second = await refresh(site, first["refresh_token"])
    assert (await refresh(site, ann.refresh_token))[0] == 401
    assert (await refresh(site, second["refresh_token"]))[0] == 401


async def test_j7_of_parallel_refreshes_one_wins_and_nobody_is_thrown_out(site: Site) -> None:
    ann = await site.guest()
    answers = await asyncio.gather(*(refresh(site, ann.refresh_token) for _ in range(5)))
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409, 409]
    assert {body["code"] for status, body in answers if status == 409} == {"refresh_raced"}
    winner = next(body for status, body in answers if status == 200)
    assert (await refresh(site, winner["refresh_token"]))[0] == 200


async def test_j8_logout_ends_access_and_refresh(site: Site) -> None:
    ann = await site.guest()
    _, first = await refresh(site, ann.refresh_token)
    assert (await site.ask("POST", "/api/auth/logout", who=ann)).status == 204
    assert (await site.ask("GET", "/api/auth/me", who=ann)).status == 401
    # Nor is anybody told to wait for the one who refreshed a moment ago.
    for token in (ann.refresh_token, first["refresh_token"]):
        assert (await refresh(site, token))[0] == 401


async def test_j8_a_logout_elsewhere_is_learnt_from_the_table(site: Site) -> None:
    ann = await site.guest()
    await site.execute(
        "insert into revocations (user_id, login_id, reason)"
        " select user_id, login_id, 'logout' from logins"
    )
    await site.services.revocations.poll(site.database)
    assert (await site.ask("GET", "/api/auth/me", who=ann)).status == 401


async def test_logout_all_ends_every_login(site: Site) -> None:
    await site.account("fred")
    body = {"login": "fred", "password": PASSWORD}
    tokens = [(await site.ask("POST", "/api/auth/login", body)).body for _ in range(2)]
    one, two = (Guest("", each["access_token"], each["refresh_token"]) for each in tokens)
    assert (await site.ask("POST", "/api/auth/logout-all", who=one)).status == 204
    assert (await site.ask("GET", "/api/auth/me", who=two)).status == 401


async def test_a_bad_token_is_unauthenticated(site: Site) -> None:
    for header in ("Bearer x", "Bearer", "Basic YTpi", "Bearer a.b.c", "bearer " + "x" * 9_000):
        answer = await site.ask("GET", "/api/auth/me", headers={"Authorization": header})
        assert (answer.status, answer.code) == (401, "unauthenticated"), header
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_j3_a_refresh_token_or_a_ticket_is_no_access_token(site: Site) -> None:
    ann = await site.guest()
    ticket = (await site.ask("POST", "/api/auth/ws-ticket", {}, who=ann)).body["ticket"]
    for text in (ann.refresh_token, ticket):
        swapped = Guest(ann.user_id, text, ann.token)
        assert (await site.ask("GET", "/api/auth/me", who=swapped)).status == 401
    assert (await refresh(site, ann.token))[0] == 401


async def test_a_ticket_is_stored_hashed_and_runs_out(site: Site) -> None:
    ann = await site.guest()
    answer = await site.ask("POST", "/api/auth/ws-ticket", {}, who=ann)
    assert answer.body["expires_in_ms"] == 30_000
    stored = await site.scalar("select ticket_hash from ws_tickets")
    assert answer.body["ticket"].encode() not in stored
    assert len(stored) == 32


async def test_a_profile_changes_where_it_is_told_to(site: Site) -> None:
    ann = await site.guest()
    answer = await site.ask(
        "PATCH", "/api/users/me", {"bio": "hi", "country": "IR", "locale": "fa"}, who=ann
    )
    assert (answer.body["bio"], answer.body["country"]) == ("hi", "IR")
    answer = await site.ask("PATCH", "/api/users/me", {"country": None}, who=ann)
    assert (answer.body["bio"], answer.body["country"], answer.body["locale"]) == ("hi", None, "fa")


async def test_r2_only_ones_own_profile_can_be_set(site: Site) -> None:
    ann = await site.guest()
    bodies: tuple[dict[str, object], ...] = (
        {"role": "owner"},
        {"user_id": "x"},
        {"created_at": "x"},
        {"password_hash": "x"},
        {"email_verified": True},
        {"country": "xx"},
        {"display_name": "\u202e"},
    )
    for body in bodies:
        assert (await site.ask("PATCH", "/api/users/me", body, who=ann)).status == 400, body
