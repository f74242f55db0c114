"""Moderation over REST: what is done there is what a page would do, and every socket hears it."""

import asyncio

from tests.httpapi.heard import event, frame
from tests.httpapi.site import Guest, Site

NOBODY = "00000000-0000-4000-8000-000000000000"


async def staffed(site: Site, **more: object) -> tuple[str, Guest, Guest, Guest]:
    """A room with its owner, a moderator, and a listener who has a place."""
    owner, mod, ben = await site.account(), await site.account(), await site.guest("Ben")
    room_id = await site.room(owner, **more)
    await site.ask("POST", f"/api/rooms/{room_id}/join", {}, who=ben)
    path = f"/api/rooms/{room_id}/members/{mod.user_id}/role"
    assert (await site.ask("PUT", path, {"role": "moderator"}, who=owner)).status == 204
    return room_id, owner, mod, ben


async def test_a_role_is_given_by_whoever_is_above_it(site: Site) -> None:
    room_id, owner, mod, ben = await staffed(site)
    roles = f"/api/rooms/{room_id}/members/{{}}/role"
    async with site.socket(ben, room_id) as socket:
        answer = await site.ask("PUT", roles.format(ben.user_id), {"role": "dj"}, who=mod)
        assert (answer.status, answer.data) == (204, b"")
        while (told := await event(socket, "member.role_changed"))["role"] != "dj":
            pass
        assert told["person"]["user_id"] == ben.user_id
        assert told["by"]["user_id"] == mod.user_id
    for who, whom, role, refused in (
        (ben, mod, "listener", "not_allowed"),
        (mod, ben, "moderator", "outranked"),
        (mod, owner, "listener", "outranked"),
        (mod, mod, "dj", "outranked"),
        (owner, ben, "owner", "bad_request"),
        (owner, Guest(NOBODY, "", ""), "dj", "unknown_person"),
    ):
        answer = await site.ask("PUT", roles.format(whom.user_id), {"role": role}, who=who)
        assert answer.code == refused, (role, answer)


async def test_who_is_kicked_hears_why_and_may_come_back(site: Site) -> None:
    room_id, owner, mod, ben = await staffed(site)
    kick = f"/api/rooms/{room_id}/members/{ben.user_id}/kick"
    async with site.socket(owner, room_id) as owners, site.socket(ben, room_id) as bens:
        assert (await site.ask("POST", kick, {"reason": "loud"}, who=ben)).code == "not_allowed"
        assert (await site.ask("POST", kick, {"reason": "x" * 301}, who=mod)).status == 400
        assert (await site.ask("POST", kick, {"reason": "loud"}, who=mod)).status == 204
        told = await event(owners, "member.kicked")
        assert (told["person"]["user_id"], told["reason"]) == (ben.user_id, "loud")
        assert (await frame(bens, "left"))["reason"] == "kicked"
        details = (await site.ask("GET", f"/api/rooms/{room_id}", who=ben)).body
        assert (details["you"], details["member_count"]) == (None, 2)
    assert (await site.ask("POST", f"/api/rooms/{room_id}/join", {}, who=ben)).status == 200


async def test_who_is_muted_reads_until_when_and_listens(site: Site) -> None:
    room_id, owner, mod, ben = await staffed(site)
    mute = f"/api/rooms/{room_id}/members/{ben.user_id}/mute"
    say = f"/api/rooms/{room_id}/messages"
    async with site.socket(owner, room_id) as owners, site.socket(ben, room_id) as bens:
        body = {"duration_ms": 60_000, "reason": "loud"}
        held = (await site.ask("POST", mute, body, who=mod)).body
        told = await event(owners, "member.muted")
        assert (told["until_ms"], told["reason"]) == (held["until_ms"], held["reason"])
        assert told["until_ms"] == told["at_ms"] + 60_000
        refused = await site.ask("POST", say, {"content": "hi"}, who=ben)
        assert refused.code == "muted"
        assert refused.body["details"]["until_ms"] == held["until_ms"]
        command = {"type": "chat.send", "content": "hi"}
        await bens.send_json({"type": "cmd", "id": 2, "room": room_id, "cmd": command})
        assert (await frame(bens, "reject"))["code"] == "muted"
        assert (await site.ask("DELETE", mute, who=ben)).code == "not_allowed"
        for _ in range(2):
            assert (await site.ask("DELETE", mute, who=mod)).status == 204
        assert (await event(owners, "member.unmuted"))["user_id"] == ben.user_id
    assert (await site.ask("POST", say, {"content": "hi"}, who=ben)).status == 201
    bodies: tuple[object, ...] = ({"duration_ms": 999}, {"duration_ms": "1h"}, {"until_ms": 5}, [])
    for bad in bodies:
        assert (await site.ask("POST", mute, bad, who=mod)).status == 400


async def test_r12_who_is_banned_is_out_on_every_socket_and_stays_out(site: Site) -> None:
    room_id, owner, mod, ben = await staffed(site)
    ban = f"/api/rooms/{room_id}/members/{ben.user_id}/ban"
    async with (
        site.socket(owner, room_id) as owners,
        site.socket(ben, room_id) as one,
        site.socket(ben, room_id, "another-tab") as two,
    ):
        body = {"duration_ms": 60_000, "reason": "no", "by_address": True}
        held = (await site.ask("POST", ban, body, who=mod)).body
        assert (held["by"]["user_id"], held["by_address"]) == (mod.user_id, True)
        told = await event(owners, "member.banned")
        assert (told["until_ms"], told["reason"]) == (held["until_ms"], "no")
        for socket in (one, two):
            left = await frame(socket, "left")
            assert (left["reason"], left["until_ms"]) == ("banned", held["until_ms"])
            await socket.send_json({"type": "join", "id": 9, "room": room_id})
            assert (await frame(socket, "reject"))["code"] == "banned"
        # Another account from the same place, too.
        again = await site.guest("Ben again")
        join = f"/api/rooms/{room_id}/join"
        assert (await site.ask("POST", join, {}, who=again)).code == "banned"
        # And whoever becomes an account is banned as before.
        body = {"username": "ben", "email": "ben@example.org", "password": "correct horse"}
        known = (await site.ask("POST", "/api/auth/register", body, who=ben)).body
        ben = Guest(known["user"]["user_id"], known["access_token"], known["refresh_token"])
        assert (await site.ask("POST", join, {}, who=ben)).code == "banned"
        role = await site.ask("PUT", ban.replace("/ban", "/role"), {"role": "dj"}, who=mod)
        assert role.code == "banned"
        assert (await site.ask("DELETE", ban, who=ben)).code == "banned"
        for _ in range(2):
            assert (await site.ask("DELETE", ban, who=mod)).status == 204
        assert (await event(owners, "member.unbanned"))["user_id"] == ben.user_id
    for who in (ben, again):
        assert (await site.ask("POST", f"/api/rooms/{room_id}/join", {}, who=who)).status == 200
    for whom in (owner, mod):
        path = ban.replace(ben.user_id, whom.user_id)
        assert (await site.ask("POST", path, {}, who=mod)).code == "outranked"


async def test_r12_two_moderators_who_ban_the_same_person_at_once_make_one_ban(site: Site) -> None:
    room_id, owner, mod, ben = await staffed(site)
    ban = f"/api/rooms/{room_id}/members/{ben.user_id}/ban"
    before = await site.scalar("select last_seq from room_homes")
    answers = await asyncio.gather(
        *(site.ask("POST", ban, {"reason": "no"}, who=who) for who in (owner, mod, owner, mod))
    )
    assert {answer.status for answer in answers} == {200}
    # The first is the one that holds; the others found it so.
    assert len({answer.data for answer in answers}) == 1
    assert await site.scalar("select last_seq from room_homes") == before + 1
    assert await site.scalar("select count(*) from room_bans where lifted_at_ms is null") == 1
    await asyncio.gather(
        site.ask("DELETE", ban, who=mod), site.ask("POST", ban, {"reason": "yes"}, who=owner)
    )
    # In whichever order: what the room says is what the door says.
    is_banned = (await site.ask("GET", f"/api/rooms/{room_id}", who=ben)).status == 403
    assert is_banned == await site.scalar(
        "select count(*) > 0 from room_bans where lifted_at_ms is null"
    )


async def test_r12_nothing_of_a_banned_person_comes_after_the_ban(site: Site) -> None:
    room_id, owner, mod, ben = await staffed(site)
    path = f"/api/rooms/{room_id}"
    async with site.socket(ben, room_id) as socket:

        async def talk() -> None:
            for number in range(30):
                command = {"type": "chat.send", "content": f"socket {number}"}
                frame = {"type": "cmd", "id": number + 2, "room": room_id, "cmd": command}
                await socket.send_json(frame)
                await asyncio.sleep(0)

        async def come_and_talk() -> None:
            for _ in range(10):
                await site.ask("POST", f"{path}/messages", {"content": "rest"}, who=ben)
                await site.ask("POST", f"{path}/join", {}, who=ben)

        async def ban() -> None:
            await site.ask("GET", path, who=mod)
            answer = await site.ask("POST", f"{path}/members/{ben.user_id}/ban", {}, who=mod)
            assert answer.status == 200

        await asyncio.gather(talk(), come_and_talk(), come_and_talk(), ban())
        assert (await frame(socket, "left"))["reason"] == "banned"
    banned = await site.scalar("select seq from room_audit where event->>'type' = 'member.banned'")
    later = "select count(*) from room_events where seq > $1 and public->>'type' = any($2)"
    assert await site.scalar(later, banned, ["chat.sent", "member.added"]) == 0
    assert await site.scalar("select max(seq) from chat_messages") < banned
    members = (await site.ask("GET", f"{path}/members", who=owner)).body["items"]
    assert ben.user_id not in [member["person"]["user_id"] for member in members]


async def test_bans_are_listed_for_who_issued_and_who_received_them(site: Site) -> None:
    room_id, owner, mod, ben = await staffed(site)
    hidden = await site.room(owner, name="Canary", visibility="private", password="sesame")
    await site.ask("POST", f"/api/rooms/{hidden}/join", {"password": "sesame"}, who=ben)
    for room, body in ((room_id, {"reason": "no"}), (hidden, {"duration_ms": 60_000})):
        path = f"/api/rooms/{room}/members/{ben.user_id}/ban"
        assert (await site.ask("POST", path, body, who=owner)).status == 200
    await site.ask("DELETE", f"/api/rooms/{room_id}/members/{ben.user_id}/ban", who=mod)
    issued = (await site.ask("GET", "/api/bans/issued", who=owner)).body
    assert issued["next_cursor"] is None
    newest, oldest = issued["items"]
    assert (newest["room_id"], newest["room_name"]) == (hidden, "Canary")
    assert (newest["until"] > newest["banned_at"], newest["lifted_at"]) == (True, None)
    assert (oldest["reason"], oldest["person"]["display_name"]) == ("no", "Ben")
    assert (oldest["until"], oldest["lifted_at"] >= oldest["banned_at"]) == (None, True)
    first = (await site.ask("GET", "/api/bans/received?limit=1", who=ben)).body
    rest = await site.ask("GET", f"/api/bans/received?cursor={first['next_cursor']}", who=ben)
    assert [*first["items"], *rest.body["items"]] == [{**newest, "room_name": None}, oldest]
    assert rest.body["next_cursor"] is None
    crossed = await site.ask("GET", f"/api/bans/issued?cursor={first['next_cursor']}", who=ben)
    assert crossed.status == 400
    for who, path in ((mod, "issued"), (ben, "issued"), (owner, "received")):
        assert (await site.ask("GET", f"/api/bans/{path}", who=who)).body["items"] == []
