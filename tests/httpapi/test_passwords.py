"""A room's password: said at either door, and changed by the owner."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import aiohttp

from tests.httpapi.conftest import OpenSite
from tests.httpapi.heard import Socket, frame
from tests.httpapi.site import Guest, Site


@asynccontextmanager
async def greeted(site: Site, who: Guest) -> AsyncIterator[Socket]:
    """A socket after its hello."""
    async with aiohttp.ClientSession() as client, client.ws_connect(f"{site.url}/ws") as socket:
        await socket.send_json({"type": "hello", "client_id": str(uuid4()), "token": who.token})
        await frame(socket, "welcome")
        yield socket


async def test_a_password_in_the_join_frame_gives_a_place(site: Site) -> None:
    owner, friend = await site.account(), await site.guest()
    locked = await site.room(owner, password="sesame")
    private = await site.room(owner, visibility="private", password="sesame")
    shut = await site.room(owner, visibility="private")
    async with greeted(site, friend) as socket:
        for number, (room_id, password, code) in enumerate(
            (
                (locked, None, "room_password"),
                (locked, "wrong", "room_password"),
                (private, None, "room_not_found"),
                (private, "wrong", "room_not_found"),
                (shut, "sesame", "room_not_found"),
                (locked, "sesame", None),
                (private, "sesame", None),
                # Whoever has a place is asked for nothing.
                (private, None, None),
            )
        ):
            said = {} if password is None else {"password": password}
            await socket.send_json({"type": "join", "id": number + 1, "room": room_id} | said)
            if code is not None:
                assert (await frame(socket, "reject"))["code"] == code, (room_id, password)
            else:
                assert (await frame(socket, "joined"))["you"]["joined_at_ms"] is not None
    mine = (await site.ask("GET", "/api/rooms/mine", who=friend)).body["items"]
    assert {room["room_id"] for room in mine} == {locked, private}


async def test_a_banned_person_does_not_come_in_by_the_password(site: Site) -> None:
    owner, eve = await site.account(), await site.guest()
    room_id = await site.room(owner, password="sesame")
    ban = f"/api/rooms/{room_id}/members/{eve.user_id}/ban"
    assert (await site.ask("POST", ban, {}, who=owner)).status == 200
    async with greeted(site, eve) as socket:
        join = {"type": "join", "id": 1, "room": room_id, "password": "sesame"}
        await socket.send_json(join)
        assert (await frame(socket, "reject"))["code"] == "banned"
        assert (await site.ask("DELETE", ban, who=owner)).status == 204
        await socket.send_json({"type": "join", "id": 2, "room": room_id})
        assert (await frame(socket, "reject"))["code"] == "room_password"


async def test_guesses_of_a_password_count_over_both_doors(open_site: OpenSite) -> None:
    async with open_site(limits_factor=1.0) as site:
        owner, eve = await site.account(), await site.guest()
        room_id = await site.room(owner, password="sesame")
        wrong = {"password": "wrong"}
        for _ in range(5):
            answer = await site.ask("POST", f"/api/rooms/{room_id}/join", wrong, who=eve)
            assert answer.code == "room_password"
        async with greeted(site, eve) as socket:
            codes = []
            for number in range(1, 7):
                await socket.send_json({"type": "join", "id": number, "room": room_id} | wrong)
                codes.append((await frame(socket, "reject"))["code"])
        assert codes == ["room_password"] * 5 + ["rate_limited"]


async def test_the_owner_sets_changes_and_removes_the_password(site: Site) -> None:
    owner, friend = await site.account(), await site.account()
    room_id = await site.room(owner)
    path = f"/api/rooms/{room_id}"
    async with greeted(site, owner) as socket:
        await socket.send_json({"type": "join", "id": 1, "room": room_id})
        await frame(socket, "joined")  # The home has the room from here on.

        async def enters(password: str | None) -> bool:
            """Whether a stranger comes in over a socket; REST says the same."""
            stranger = await site.guest()
            body = {} if password is None else {"password": password}
            async with greeted(site, stranger) as other:
                await other.send_json({"type": "join", "id": 1, "room": room_id} | body)
                while (answer := await other.receive_json())["type"] not in ("joined", "reject"):
                    pass
            over_rest = await site.ask("POST", f"{path}/join", body, who=await site.guest())
            assert (answer["type"] == "joined") == (over_rest.status == 200)
            return bool(answer["type"] == "joined")

        set_it = await site.ask("PATCH", path, {"password": "first one"}, who=owner)
        assert (set_it.status, set_it.body["has_password"]) == (200, True)
        assert [await enters(word) for word in (None, "first one")] == [False, True]
        await site.ask("PATCH", path, {"password": "second one", "name": "Den"}, who=owner)
        assert [await enters(word) for word in ("first one", "second one")] == [False, True]
        # What does not speak of the password leaves it alone.
        assert (await site.ask("PATCH", path, {"name": "Attic"}, who=owner)).body["has_password"]
        assert [await enters(word) for word in (None, "second one")] == [False, True]
        await site.ask("POST", f"{path}/join", {"password": "second one"}, who=friend)
        role = f"{path}/members/{friend.user_id}/role"
        assert (await site.ask("PUT", role, {"role": "moderator"}, who=owner)).status == 204
        refused = await site.ask("PATCH", path, {"password": None, "name": "Mine"}, who=friend)
        assert refused.code == "not_allowed"
        assert (await site.ask("GET", path, who=owner)).body["name"] == "Attic"
        for bad in ("", "a\0b", 5):
            assert (await site.ask("PATCH", path, {"password": bad}, who=owner)).status == 400
        removed = await site.ask("PATCH", path, {"password": None}, who=owner)
        assert removed.body["has_password"] is False
        assert await enters(None)
