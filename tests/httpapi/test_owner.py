"""A room changes hands: given away, or left behind by an owner who stays away."""

import asyncio

from httpapi.owner import succeed
from protocol.members import MemberSetRole
from protocol.users import Person
from tests.httpapi.heard import event
from tests.httpapi.site import Guest, Site

AWAY = "update logins set last_used_at = now() - interval '31 days' where user_id = $1"
OLD = "update users set created_at = now() - interval '31 days' where user_id = $1"


async def staffed(site: Site, owner: Guest, *moderators: Guest) -> str:
    """A room with moderators, in the order in which they came."""
    room_id = await site.room(owner)
    person = Person(user_id=owner.user_id, display_name="Owner")
    for who in moderators:
        await site.ask("POST", f"/api/rooms/{room_id}/join", {}, who=who)
        command = MemberSetRole(user_id=who.user_id, role="moderator")
        await site.services.calls.submit(room_id, person, command)
    return room_id


async def owner_of(site: Site, room_id: str, who: Guest) -> str:
    return str((await site.ask("GET", f"/api/rooms/{room_id}", who=who)).body["owner_id"])


async def test_the_owner_hands_the_room_to_somebody_with_an_account(site: Site) -> None:
    owner, ben, guest = await site.account(), await site.account(), await site.guest()
    room_id = await staffed(site, owner)
    room = f"/api/rooms/{room_id}"
    async with site.socket(ben, room_id) as socket:
        for who, whom, refused in (
            (ben, ben, "not_allowed"),
            (owner, guest, "account_required"),
            (owner, Guest(room_id, "", ""), "unknown_person"),
        ):
            answer = await site.ask("POST", f"{room}/owner", {"user_id": whom.user_id}, who=who)
            assert answer.code == refused
        assert (await site.ask("POST", f"{room}/owner", {}, who=owner)).status == 400
        given = await site.ask("POST", f"{room}/owner", {"user_id": ben.user_id}, who=owner)
        assert given.status == 204
        told = await event(socket, "owner.changed")
        assert (told["owner"]["user_id"], told["before"]) == (ben.user_id, owner.user_id)
    members = (await site.ask("GET", f"{room}/members", who=owner)).body["items"]
    assert {row["person"]["user_id"]: row["role"] for row in members} == {
        owner.user_id: "moderator",
        ben.user_id: "owner",
    }
    assert (await site.ask("DELETE", room, who=owner)).code == "not_allowed"
    assert (await site.ask("DELETE", room, who=ben)).status == 204


async def test_after_thirty_days_the_longest_serving_moderator_follows(site: Site) -> None:
    owner, ben, cat = [await site.account() for _ in range(3)]
    room_id = await staffed(site, owner, ben, cat)
    await site.execute(OLD, owner.user_id)
    await succeed(site.services)
    assert await owner_of(site, room_id, ben) == owner.user_id, "used a login just now"
    await site.execute(AWAY, owner.user_id)
    # Two sidecars that look at the same moment find one new owner.
    await asyncio.gather(succeed(site.services), succeed(site.services))
    assert await owner_of(site, room_id, ben) == ben.user_id
    members = (await site.ask("GET", f"/api/rooms/{room_id}/members", who=ben)).body["items"]
    assert [row["role"] for row in members] == ["moderator", "owner", "moderator"]
    # Asked again, nothing more happens: the new one has been seen.
    await succeed(site.services)
    assert await owner_of(site, room_id, ben) == ben.user_id


async def test_without_a_moderator_an_absent_owner_stays(site: Site) -> None:
    owner, ben = await site.account(), await site.account()
    room_id = await staffed(site, owner)
    await site.ask("POST", f"/api/rooms/{room_id}/join", {}, who=ben)
    await site.execute(OLD, owner.user_id)
    await site.execute(AWAY, owner.user_id)
    await succeed(site.services)
    assert await owner_of(site, room_id, ben) == owner.user_id


async def test_an_owner_whose_socket_stays_open_is_not_away(site: Site) -> None:
    owner, ben = await site.account(), await site.account()
    room_id = await staffed(site, owner, ben)
    async with site.socket(owner, room_id):
        await site.execute(OLD, owner.user_id)
        await site.execute(AWAY, owner.user_id)
        await succeed(site.services)
        assert await owner_of(site, room_id, ben) == owner.user_id
