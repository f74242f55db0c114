"""The audit of a room: who moderates reads who did what to whom, and why."""

from protocol.chat import ChatDelete
from protocol.users import Person
from tests.httpapi.site import Guest, Site


async def said(site: Site, room_id: str, who: Guest, content: str) -> str:
    path = f"/api/rooms/{room_id}/messages"
    return str((await site.ask("POST", path, {"content": content}, who=who)).body["message_id"])


async def deleted(site: Site, room_id: str, who: Guest, message_id: str) -> None:
    """As a page does."""
    person = Person(user_id=who.user_id, display_name="Somebody")
    await site.services.calls.submit(room_id, person, ChatDelete(message_id=message_id))


async def test_everything_that_was_done_to_somebody_is_read_newest_first(site: Site) -> None:
    owner, mod, ben = await site.account(), await site.account(), await site.guest("Ben")
    room_id = await site.room(owner)
    path = f"/api/rooms/{room_id}"
    member = f"{path}/members/{{}}"
    await site.ask("POST", f"{path}/join", {}, who=ben)
    mine, his = [await said(site, room_id, who, "hello") for who in (mod, ben)]
    for who, method, where, body in (
        (owner, "PUT", f"{member.format(mod.user_id)}/role", {"role": "moderator"}),
        (owner, "PATCH", path, {"settings": {"permissions": {"moderate": "dj"}}}),
        (mod, "POST", f"{member.format(ben.user_id)}/mute", {"duration_ms": 60_000}),
        (mod, "DELETE", f"{member.format(ben.user_id)}/mute", None),
        (mod, "POST", f"{member.format(ben.user_id)}/kick", {"reason": "loud"}),
        (mod, "POST", f"{member.format(ben.user_id)}/ban", {"reason": "very"}),
        (mod, "DELETE", f"{member.format(ben.user_id)}/ban", None),
        (owner, "POST", f"{path}/owner", {"user_id": mod.user_id}),
    ):
        assert (await site.ask(method, where, body, who=who)).status < 300, where
    await deleted(site, room_id, mod, mine)
    await deleted(site, room_id, mod, his)
    page = (await site.ask("GET", f"{path}/audit", who=mod)).body
    told = [
        (
            item["event"]["type"],
            item["event"].get("by", {}).get("user_id"),
            item["person"] and item["person"]["user_id"],
            item["event"].get("reason"),
        )
        for item in page["items"]
    ]
    assert told == [
        # What somebody says and takes back oneself is nobody else's business.
        ("chat.deleted", mod.user_id, ben.user_id, None),
        ("owner.changed", None, mod.user_id, "transferred"),
        ("member.unbanned", mod.user_id, ben.user_id, None),
        ("member.banned", mod.user_id, ben.user_id, "very"),
        ("member.kicked", mod.user_id, ben.user_id, "loud"),
        ("member.unmuted", mod.user_id, ben.user_id, None),
        ("member.muted", mod.user_id, ben.user_id, None),
        ("room.updated", owner.user_id, None, None),
        ("member.role_changed", owner.user_id, mod.user_id, None),
    ]
    assert all(item["at"].endswith("Z") and item["seq"] for item in page["items"])
    muted = page["items"][6]["event"]
    assert muted["until_ms"] == muted["at_ms"] + 60_000
    first = (await site.ask("GET", f"{path}/audit?limit=4", who=owner)).body
    cursor = first["next_cursor"]
    rest = (await site.ask("GET", f"{path}/audit?limit=100&cursor={cursor}", who=owner)).body
    assert [*first["items"], *rest["items"]] == page["items"]
    other = await site.room(owner)
    crossed = await site.ask("GET", f"/api/rooms/{other}/audit?cursor={cursor}", who=owner)
    assert crossed.status == 400


async def test_only_who_may_moderate_reads_the_audit(site: Site) -> None:
    owner, ben = await site.account(), await site.guest("Ben")
    room_id = await site.room(owner)
    audit = f"/api/rooms/{room_id}/audit"
    await site.ask("POST", f"/api/rooms/{room_id}/join", {}, who=ben)
    assert (await site.ask("GET", audit, who=ben)).code == "not_allowed"
    change = {"settings": {"permissions": {"moderate": "guest"}}}
    assert (await site.ask("PATCH", f"/api/rooms/{room_id}", change, who=owner)).status == 200
    assert (await site.ask("GET", audit, who=ben)).status == 200
