"""Name and password: rows P of the list of cases, and storms of logins."""

import asyncio
import statistics
from time import perf_counter

import pytest
from argon2 import PasswordHasher

from tests.httpapi.conftest import OpenSite
from tests.httpapi.site import Answer, Guest, Site

PASSWORD = "correct horse"
HARD = PasswordHasher(time_cost=1, memory_cost=16 * 1_024, parallelism=1)
"""Some 10 ms of work: enough to be measured, and to make a queue."""


async def try_login(site: Site, login: str, password: str = PASSWORD, **headers: str) -> Answer:
    body = {"login": login, "password": password}
    return await site.ask("POST", "/api/auth/login", body, headers=headers)


async def test_p1_passwords_are_stored_as_argon2id_and_capped(site: Site) -> None:
    await site.account("carla")
    stored = await site.scalar("select password_hash from users where username = 'carla'")
    assert stored.startswith("$argon2id$")
    body = {"username": "carl", "email": "c@example.org"}
    for password in ("é" * 1_000, "seven77", "nul\0" * 4):
        answer = await site.ask("POST", "/api/auth/register", body | {"password": password})
        assert answer.status == 400, password
    for filling, status in ((b"x" * 60_000, 400), (b"x" * 70_000, 413), (b"\\ud800" * 8, 400)):
        answer = await site.ask(
            "POST",
            "/api/auth/register",
            data=b'{"username":"carl","email":"c@example.org","password":"%s"}' % filling,
            headers={"Content-Type": "application/json"},
        )
        assert answer.status == status, filling[:20]


async def test_p1_a_password_works_in_all_unicode_forms(site: Site) -> None:
    body = {"username": "zoe", "email": "z@example.org", "password": "caf\u00e9 caf\u00e9"}
    assert (await site.ask("POST", "/api/auth/register", body)).status == 201
    for form in ("cafe\u0301 cafe\u0301", "\uff43af\u00e9\u00a0caf\u00e9"):
        assert (await try_login(site, "zoe", form)).status == 200, form
    assert (await try_login(site, "zoe", "cafe cafe")).status == 401


async def test_p2_an_unknown_user_and_a_wrong_password_are_answered_alike(site: Site) -> None:
    await site.account("dora")
    answers = [
        await try_login(site, login, "wrong")
        for login in ("dora", "nobody", "dora@example.org", "nobody@example.org")
    ]
    assert {(answer.status, answer.data) for answer in answers} == {(401, answers[0].data)}


async def test_p2_the_time_of_an_answer_does_not_tell_who_exists(open_site: OpenSite) -> None:
    async def timed(site: Site, login: str) -> float:
        begun_s = perf_counter()
        assert (await try_login(site, login, "wrong")).status == 401
        return perf_counter() - begun_s

    async with open_site(hasher=HARD) as site:
        await site.account("dora")
        # A busy machine may spoil a round, not three; without the same work no round comes near.
        for _ in range(3):
            tries = [(await timed(site, "dora"), await timed(site, "nobody")) for _ in range(50)]
            known_s, unknown_s = (statistics.median(times) for times in zip(*tries, strict=True))
            if abs(known_s - unknown_s) < 0.1 * max(known_s, unknown_s):
                return
        pytest.fail(f"{known_s:.4f} s for a known user, {unknown_s:.4f} s for an unknown one")


async def test_p3_a_known_e_mail_is_answered_like_an_unknown_one(site: Site) -> None:
    first = await site.account("emil")
    body = {"username": "second", "email": "emil@example.org", "password": "another horse"}
    answer = await site.ask("POST", "/api/auth/register", body)
    new = body | {"username": "third", "email": "new@example.org"}
    unknown = await site.ask("POST", "/api/auth/register", new)
    assert answer.status == unknown.status == 201
    assert answer.body.keys() == unknown.body.keys()
    assert answer.body["user"].keys() == unknown.body["user"].keys()
    # Each password opens its own account, so signing in tells nothing either.
    for password, user_id in ((PASSWORD, first.user_id), ("another horse", None)):
        found = (await try_login(site, "emil@example.org", password)).body["user"]["user_id"]
        assert found == (user_id or answer.body["user"]["user_id"])


async def test_p3_parallel_accounts_of_one_e_mail_or_name_are_no_faults(site: Site) -> None:
    async def register(username: str, email: str, **headers: str) -> int:
        body = {"username": username, "email": email, "password": PASSWORD}
        return (await site.ask("POST", "/api/auth/register", body, headers=headers)).status

    one_mail = [register(f"emil{number}", "emil@example.org") for number in range(5)]
    assert await asyncio.gather(*one_mail) == [201] * 5
    one_name = [register("emilia", f"emilia{number}@example.org") for number in range(5)]
    assert sorted(await asyncio.gather(*one_name)) == [201, 409, 409, 409, 409]
    guests = [await site.guest() for _ in range(5)]
    upgraded = [
        register("emmy", "emmy@example.org", Authorization=f"Bearer {guest.token}")
        for guest in guests
    ]
    assert sorted(await asyncio.gather(*upgraded)) == [201, 409, 409, 409, 409]


async def test_p4_wrong_tries_of_an_account_run_out_for_one_address_only(
    open_site: OpenSite,
) -> None:
    async with open_site(limits_factor=1, trusted_proxies="127.0.0.0/8") as site:
        await site.account("dora")
        thief, owner = {"X-Forwarded-For": "203.0.113.7"}, {"X-Forwarded-For": "198.51.100.1"}
        # Right ones do not count.
        for _ in range(5):
            assert (await try_login(site, "dora", **thief)).status == 200
        tries = await asyncio.gather(
            *(try_login(site, "dora", "wrong", **thief) for _ in range(25))
        )
        assert sorted(answer.status for answer in tries) == [401] * 20 + [429] * 5
        refused = await try_login(site, "dora", **thief)
        assert refused.code == "rate_limited"
        assert 0 < int(refused.headers["Retry-After"]) <= 60
        assert (await try_login(site, "dora", **owner)).status == 200


async def test_p4_wrong_tries_of_an_address_run_out_over_all_accounts(open_site: OpenSite) -> None:
    async with open_site(limits_factor=1) as site:
        await site.account("dora")
        statuses = [(await try_login(site, f"user{n}", "wrong")).status for n in range(105)]
        assert statuses == [401] * 100 + [429] * 5
        assert (await try_login(site, "dora")).status == 429


async def test_p5_a_login_makes_the_hash_anew_when_the_work_has_risen(open_site: OpenSite) -> None:
    of_dora = "select password_hash from users where username = 'dora'"
    async with open_site() as site:
        await site.account("dora")
        easy = await site.scalar(of_dora)
    async with open_site(hasher=HARD) as site:
        assert (await try_login(site, "dora", "wrong")).status == 401
        assert await site.scalar(of_dora) == easy
        assert (await try_login(site, "dora")).status == 200
        hard = await site.scalar(of_dora)
        assert ("m=8," in easy, "m=16384," in hard) == (True, True)
        assert (await try_login(site, "dora")).status == 200
        assert await site.scalar(of_dora) == hard


async def test_j8_no_login_with_the_old_password_outlives_it(open_site: OpenSite) -> None:
    opened: list[Guest] = []
    flowing = asyncio.Event()

    async def keep_trying(site: Site) -> None:
        while (answer := await try_login(site, "ann")).status == 200:
            told = answer.body
            opened.append(Guest(told["user"]["user_id"], told["access_token"], ""))
            flowing.set()
        assert answer.code == "wrong_credentials"

    async with open_site(hasher=HARD) as site:
        ann = await site.account("ann")
        tries = [asyncio.create_task(keep_trying(site)) for _ in range(6)]
        await flowing.wait()
        # Some passwords are being looked at in the very moment.
        body = {"current_password": PASSWORD, "new_password": "battery staple"}
        assert (await site.ask("PUT", "/api/auth/password", body, who=ann)).status == 204
        await asyncio.gather(*tries)
        for who in opened:
            assert (await site.ask("GET", "/api/auth/me", who=who)).status == 401


async def test_logins_at_the_moment_of_a_new_hash_are_let_in(open_site: OpenSite) -> None:
    async with open_site() as site:
        await site.account("dora")
    async with open_site(hasher=HARD) as site:
        tries = await asyncio.gather(*(try_login(site, "dora") for _ in range(8)))
        assert {answer.status for answer in tries} == {200}


async def test_a_storm_of_logins_is_turned_away_and_others_are_answered(
    open_site: OpenSite,
) -> None:
    async with open_site(hasher=HARD) as site:
        ann = await site.account("ann")
        storm = [asyncio.create_task(try_login(site, "ann", "wrong")) for _ in range(100)]
        answered = 0
        while not all(task.done() for task in storm):
            assert (await site.ask("GET", "/api/rooms/mine", who=ann)).status == 200
            answered += 1
        answers = [task.result() for task in storm]
        # Who stood in the queue would be answered when the storm is over.
        assert answered > 3
        turned_away = [answer for answer in answers if answer.status == 503]
        assert {answer.status for answer in answers} == {401, 503}
        assert len(turned_away) >= 20
        assert {answer.headers["Retry-After"] for answer in turned_away} == {"5"}
        assert (await try_login(site, "ann")).status == 200
