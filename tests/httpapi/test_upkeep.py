"""What has run out is dropped; what may still be needed stays."""

from datetime import timedelta

from httpapi.upkeep import clean_up
from tests.httpapi.media.sounds import sound
from tests.httpapi.site import Guest, Site
from tests.httpapi.test_logins import is_known, log_in, refreshes

LOGINS_LATER = """
    update logins set created_at = created_at - $1::interval,
        last_used_at = last_used_at - $1::interval, revoked_at = revoked_at - $1::interval
"""
LOGINS = "select count(*) from logins"
ANSWERS = "select count(*) from idempotency"
AUDIT = "select count(*) from room_audit"
AUDIT_LATER = "update room_audit set at_ms = at_ms - $1"


def days(number: int) -> timedelta:
    return timedelta(days=number)


async def test_logins_go_a_month_after_their_end_and_bots_and_the_used_stay(site: Site) -> None:
    await site.account("fred")
    ended, left, used = [await log_in(site, "fred") for _ in range(3)]
    bot = {"name": "Bot", "scopes": ["read"]}
    made = await site.ask("POST", "/api/users/me/tokens", bot, who=used)
    assert made.status == 201, made
    assert (await site.ask("POST", "/api/auth/logout", who=ended)).status == 204
    assert await site.scalar(LOGINS) == 5

    await site.execute(LOGINS_LATER, days(29))
    await clean_up(site.database)
    assert await site.scalar(LOGINS) == 5
    # It is the end that counts, however long before it was used last.
    used_before = "update logins set last_used_at = now() - $1::interval where revoked_at < now()"
    await site.execute(used_before, days(40))
    await clean_up(site.database)
    assert await site.scalar(LOGINS) == 5
    await site.execute(LOGINS_LATER, days(2))
    await clean_up(site.database)
    assert await site.scalar(LOGINS) == 4, "the ended one is gone"

    # A refresh token still opens a login; that it was not used for long is no matter.
    await site.execute(LOGINS_LATER, days(100))
    assert await refreshes(site, used)
    await clean_up(site.database)
    assert await site.scalar(LOGINS) == 4
    later = "update refresh_tokens set expires_at = expires_at - $1::interval"
    await site.execute(later, days(38))
    assert await refreshes(site, await log_in(site, "fred"))
    await clean_up(site.database)  # drops the tokens
    await clean_up(site.database)  # and then what nothing opens
    assert await site.scalar(LOGINS) == 3, "two that were used this month, and the bot's"
    assert not await refreshes(site, left)
    token = Guest(made.body["bot"]["user_id"], made.body["token"], "")
    assert await is_known(site, token)


async def test_answers_go_after_a_day_and_the_audit_after_a_year(site: Site) -> None:
    owner, ben = await site.account(), await site.guest("Ben")
    room_id = await site.room(owner)
    await site.ask("POST", f"/api/rooms/{room_id}/join", {}, who=ben)
    mute = f"/api/rooms/{room_id}/members/{ben.user_id}/mute"
    assert (await site.ask("POST", mute, {}, who=owner)).status < 300
    key = {"Idempotency-Key": "one"}
    await site.ask("PATCH", "/api/users/me", {"bio": "old"}, who=ben, headers=key)
    await clean_up(site.database)
    assert [await site.scalar(count) for count in (ANSWERS, AUDIT)] == [1, 1]
    await site.execute(AUDIT_LATER, 364 * 86_400_000)
    await site.execute("update idempotency set created_at = created_at - $1::interval", days(1))
    await clean_up(site.database)
    assert [await site.scalar(count) for count in (ANSWERS, AUDIT)] == [0, 1]
    await site.execute(AUDIT_LATER, 2 * 86_400_000)
    await clean_up(site.database)
    assert await site.scalar(AUDIT) == 0


async def test_what_has_been_used_up_is_kept_for_as_long_as_it_is_looked_at(site: Site) -> None:
    ann = await site.account()
    await site.ask("POST", "/api/auth/ws-ticket", {}, who=ann)
    assert (await site.upload(ann, sound("flac", "flac"))).status == 201
    assert (await site.ask("POST", "/api/auth/logout", who=ann)).status == 204
    for table, column, kept_for in (
        ("ws_tickets", "expires_at", timedelta(seconds=29)),
        ("revocations", "at", timedelta(hours=23)),
        ("jobs", "ended_at", days(29)),
    ):
        count = f"select count(*) from {table}"  # noqa: S608
        back = f"update {table} set {column} = {column} - $1::interval"  # noqa: S608
        if table == "jobs":
            await site.execute("update jobs set state = 'done', ended_at = now()")
        await site.execute(back, kept_for)
        await clean_up(site.database)
        assert await site.scalar(count) == 1, table
        await site.execute(back, days(1))
        await clean_up(site.database)
        assert await site.scalar(count) == 0, table
