"""The people of a room over REST: all of them are listed, and who is banned stays outside."""

from protocol.catalog import RoomCommand
from protocol.chat import ChatDelete, ChatEdit, ChatReact
from protocol.members import MemberSetRole
from protocol.moderation import MemberBan, MemberMute, MemberUnban
from protocol.users import Person
from tests.httpapi.site import Guest, Site


async def do(site: Site, room_id: str, who: Guest, command: RoomCommand) -> None:
    """What a page would send over its socket."""
    person = Person(user_id=who.user_id, display_name="Somebody")
    await site.services.calls.submit(room_id, person, command)


async def test_everybody_with_a_place_is_listed_with_role_and_mute(site: Site) -> None:
    owner, ben, cat = await site.account(), await site.guest("Ben"), await site.guest("Cat")
    room_id = await site.room(owner)
    for who in (ben, cat):
        await site.ask("POST", f"/api/rooms/{room_id}/join", {}, who=who)
    await do(site, room_id, owner, MemberSetRole(user_id=ben.user_id, role="dj"))
    await do(site, room_id, owner, MemberMute(user_id=cat.user_id, reason="loud"))
    page = (await site.ask("GET", f"/api/rooms/{room_id}/members", who=ben)).body
    assert [(row["person"]["user_id"], row["role"]) for row in page["items"]] == [
        (owner.user_id, "owner"),
        (ben.user_id, "dj"),
        (cat.user_id, "listener"),
    ]
    assert [row["mute"] for row in page["items"]] == [
        None,
        None,
        {"until_ms": None, "reason": "loud"},
    ]
    details = (await site.ask("GET", f"/api/rooms/{room_id}", who=cat)).body
    assert details["members"] == page["items"]
    assert (details["member_count"], details["you"]) == (3, page["items"][2])


async def test_a_room_of_many_tells_of_the_first_hundred_and_counts_all(site: Site) -> None:
    owner, last = await site.account(), await site.guest("Last")
    room_id = await site.room(owner)
    await site.ask("POST", f"/api/rooms/{room_id}/join", {}, who=last)
    await site.execute(
        "with people as (insert into users (user_id, kind, display_name)"
        " select gen_random_uuid(), 'guest', 'Extra' from generate_series(1, 150)"
        " returning user_id)"
        " insert into room_members (room_id, user_id, role, joined_at_ms)"
        " select $1, user_id, 'listener', 1 from people",
        room_id,
    )
    details = (await site.ask("GET", f"/api/rooms/{room_id}", who=last)).body
    assert (len(details["members"]), details["member_count"]) == (100, 152)
    assert details["you"]["person"]["user_id"] == last.user_id
    seen: list[str] = []
    cursor = ""
    while True:
        path = f"/api/rooms/{room_id}/members?limit=60{cursor}"
        page = (await site.ask("GET", path, who=last)).body
        seen += [row["person"]["user_id"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 152


async def test_who_is_banned_neither_looks_in_nor_joins_nor_speaks(site: Site) -> None:
    owner, ben = await site.account(), await site.guest("Ben")
    room_id = await site.room(owner)
    await site.ask("POST", f"/api/rooms/{room_id}/join", {}, who=ben)
    await do(site, room_id, owner, MemberBan(user_id=ben.user_id, duration_ms=60_000, reason="no"))
    for method, path, body in (
        ("GET", "", None),
        ("GET", "/members", None),
        ("GET", "/queue", None),
        ("GET", "/messages", None),
        ("POST", "/join", {}),
        ("POST", "/messages", {"content": "hi"}),
    ):
        answer = await site.ask(method, f"/api/rooms/{room_id}{path}", body, who=ben)
        assert answer.code == "banned", (method, path)
        assert answer.body["details"]["reason"] == "no"
        assert answer.body["details"]["until_ms"] > 0
    await do(site, room_id, owner, MemberUnban(user_id=ben.user_id))
    assert (await site.ask("POST", f"/api/rooms/{room_id}/join", {}, who=ben)).status == 200


async def test_a_ban_that_is_over_holds_no_longer(site: Site) -> None:
    owner, ben = await site.account(), await site.guest("Ben")
    room_id = await site.room(owner)
    await do(site, room_id, owner, MemberBan(user_id=ben.user_id, duration_ms=60_000))
    assert (await site.ask("GET", f"/api/rooms/{room_id}", who=ben)).code == "banned"
    await site.execute("update room_bans set until_ms = 1")
    assert (await site.ask("GET", f"/api/rooms/{room_id}", who=ben)).status == 200


async def test_a_ban_by_address_holds_for_who_calls_from_there(site: Site) -> None:
    owner, ben, cat = await site.account(), await site.guest("Ben"), await site.guest("Cat")
    room_id = await site.room(owner)
    async with site.socket(ben, room_id) as socket:
        await do(site, room_id, owner, MemberBan(user_id=ben.user_id, by_address=True))
        while (frame := await socket.receive_json())["type"] != "left":
            pass
        assert frame["reason"] == "banned"
    # All of this test calls from one address.
    assert (await site.ask("POST", f"/api/rooms/{room_id}/join", {}, who=cat)).code == "banned"
    said = await site.ask("POST", f"/api/rooms/{room_id}/messages", {"content": "hi"}, who=owner)
    assert said.status == 201
    await do(site, room_id, owner, MemberUnban(user_id=ben.user_id))
    assert (await site.ask("POST", f"/api/rooms/{room_id}/join", {}, who=cat)).status == 200


async def test_the_history_shows_messages_as_they_stand_now(site: Site) -> None:
    owner, ben = await site.account(), await site.guest("Ben")
    room_id = await site.room(owner)
    path = f"/api/rooms/{room_id}/messages"
    body = {"content": "hello", "mentions": [ben.user_id]}
    first = (await site.ask("POST", path, body, who=owner)).body
    assert first["mentions"] == [ben.user_id]
    second = (await site.ask("POST", path, {"content": "oops"}, who=ben)).body
    edit = ChatEdit(message_id=first["message_id"], content="hullo")
    await do(site, room_id, owner, edit)
    await do(site, room_id, ben, ChatReact(message_id=first["message_id"], emoji="🔥"))
    await do(site, room_id, owner, ChatReact(message_id=first["message_id"], emoji="👏"))
    await do(site, room_id, owner, ChatReact(message_id=first["message_id"], emoji="👏", on=False))
    await do(site, room_id, ben, ChatDelete(message_id=second["message_id"]))
    newest, oldest = (await site.ask("GET", path, who=owner)).body["items"]
    assert (newest["content"], newest["deleted"]) == ("", True)
    assert (oldest["content"], oldest["mentions"], oldest["deleted"]) == ("hullo", [], False)
    assert oldest["reactions"] == {"🔥": 1}
    assert oldest["edited_at_ms"] >= oldest["at_ms"]
