"""Rooms over REST: found, made, read, joined, and changed by commands to their home."""

import pytest

from tests.httpapi.heard import event, frame
from tests.httpapi.media.sounds import sound
from tests.httpapi.site import Guest, Site

NOBODY = "00000000-0000-4000-8000-000000000000"


async def track(site: Site, who: Guest, **more: str) -> str:
    # So long that it does not end by itself meanwhile.
    answer = await site.upload(who, sound("flac", "flac", samples=20 * 48_000), **more)
    assert answer.status == 201, answer
    return str(answer.body["track_id"])


async def test_a_room_is_there_for_its_owner_at_once(site: Site) -> None:
    owner = await site.account()
    body = {"name": "  Blue  Hour ", "description": "late", "settings": {"repeat": "all"}}
    made = (await site.ask("POST", "/api/rooms", body, who=owner)).body
    assert (made["name"], made["seq"], made["you"]["role"]) == ("Blue Hour", 0, "owner")
    read = (await site.ask("GET", f"/api/rooms/{made['room_id']}", who=owner)).body
    assert read == made
    assert read["settings"]["repeat"] == "all"
    assert read["playback"]["status"] == "idle"


async def test_the_lists_show_each_public_room_once_page_by_page(site: Site) -> None:
    owner = await site.account()
    made = [await site.room(owner, name=f"Room {n}") for n in range(5)]
    await site.room(owner, name="Room hidden", visibility="unlisted")
    await site.room(owner, name="Room private", visibility="private")
    for sort in ("new", "active"):
        seen: list[str] = []
        cursor = ""
        while True:
            page = (await site.ask("GET", f"/api/rooms?sort={sort}&limit=2{cursor}")).body
            seen += [room["room_id"] for room in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert sorted(seen) == sorted(made)
        if sort == "new":
            assert seen == made[::-1]
    found = (await site.ask("GET", "/api/rooms?query=room%203")).body["items"]
    assert [room["name"] for room in found] == ["Room 3"]
    mine = (await site.ask("GET", "/api/rooms/mine", who=owner)).body["items"]
    assert len(mine) == 7


async def test_a_room_is_found_by_its_name_however_it_is_written(site: Site) -> None:
    owner = await site.account()
    room_id = await site.room(owner, name="Café Blue")
    answer = await site.ask("GET", "/api/rooms/by-name?name=CAFE%CC%81%20blue")
    assert answer.body["room_id"] == room_id
    assert (await site.ask("GET", "/api/rooms/by-name?name=Caf")).code == "room_not_found"


async def test_joining_takes_a_place_and_leaving_gives_it_up(site: Site) -> None:
    owner, guest = await site.account(), await site.guest("Ben")
    room_id = await site.room(owner)
    for _ in range(2):
        answer = await site.ask("POST", f"/api/rooms/{room_id}/join", {}, who=guest)
        assert answer.body["you"]["role"] == "listener"
    members = (await site.ask("GET", f"/api/rooms/{room_id}/members", who=guest)).body["items"]
    assert [member["person"]["user_id"] for member in members] == [owner.user_id, guest.user_id]
    page = (await site.ask("GET", f"/api/rooms/{room_id}/members?limit=1", who=guest)).body
    rest = await site.ask(
        "GET", f"/api/rooms/{room_id}/members?cursor={page['next_cursor']}", who=guest
    )
    assert [member["person"]["user_id"] for member in rest.body["items"]] == [guest.user_id]
    assert (await site.ask("POST", f"/api/rooms/{room_id}/leave", {}, who=guest)).status == 204
    left = await site.ask("POST", f"/api/rooms/{room_id}/leave", {}, who=guest)
    assert left.code == "not_member"
    stays = await site.ask("POST", f"/api/rooms/{room_id}/leave", {}, who=owner)
    assert stays.code == "owner_stays"


async def test_a_room_with_a_password_lets_in_who_knows_it(site: Site) -> None:
    owner, guest = await site.account(), await site.guest()
    room_id = await site.room(owner, password="sesame")
    for body in ({}, {"password": "wrong"}):
        answer = await site.ask("POST", f"/api/rooms/{room_id}/join", body, who=guest)
        assert (answer.status, answer.code) == (403, "room_password")
    for path in ("", "/members", "/queue", "/messages"):
        answer = await site.ask("GET", f"/api/rooms/{room_id}{path}", who=guest)
        assert answer.code == "room_password"
    answer = await site.ask("POST", f"/api/rooms/{room_id}/join", {"password": "sesame"}, who=guest)
    assert answer.status == 200
    assert (await site.ask("GET", f"/api/rooms/{room_id}", who=guest)).status == 200
    assert "sesame" not in await site.scalar("select password_hash from rooms")


@pytest.mark.parametrize("password", [None, "sesame"])
async def test_r10_a_private_room_does_not_exist_for_strangers(
    site: Site, password: str | None
) -> None:
    owner, stranger = await site.account(), await site.account()
    room_id = await site.room(owner, name="Canary", visibility="private", password=password)
    private = f"/api/rooms/{room_id}"
    asked = [
        ("GET", "", None),
        ("PATCH", "", {"name": "x"}),
        ("DELETE", "", None),
        ("POST", "/join", {}),
        ("POST", "/join", {"password": "wrong"}),
        ("POST", "/leave", {}),
        ("GET", "/members", None),
        ("GET", "/queue", None),
        ("POST", "/queue", {"track_id": NOBODY}),
        ("PATCH", f"/queue/{NOBODY}", {"after": None}),
        ("DELETE", f"/queue/{NOBODY}", None),
        ("PUT", "/playback", {"action": "play"}),
        ("GET", "/messages", None),
        ("POST", "/messages", {"content": "x"}),
    ]
    for method, path, body in asked:
        answer = await site.ask(method, private + path, body, who=stranger)
        absent = await site.ask(method, f"/api/rooms/{NOBODY}{path}", body, who=stranger)
        assert (answer.status, answer.data) == (404, absent.data), (method, path)
    for path in ("/api/rooms", "/api/rooms?query=canary", "/api/rooms/mine"):
        assert b"Canary" not in (await site.ask("GET", path, who=stranger)).data
    assert (await site.ask("GET", "/api/rooms/by-name?name=Canary", who=stranger)).status == 404
    await site.ask("DELETE", private, who=owner)
    assert (await site.ask("GET", private, who=stranger)).status == 404
    assert (await site.ask("GET", private, who=owner)).status == 410


async def test_a_private_room_with_a_password_can_be_joined_by_it(site: Site) -> None:
    owner, friend = await site.account(), await site.guest()
    room_id = await site.room(owner, visibility="private", password="sesame")
    answer = await site.ask(
        "POST", f"/api/rooms/{room_id}/join", {"password": "sesame"}, who=friend
    )
    assert answer.body["you"]["role"] == "listener"
    assert (await site.ask("GET", f"/api/rooms/{room_id}", who=friend)).status == 200


async def test_only_the_owner_changes_and_closes_a_room(site: Site) -> None:
    owner, guest = await site.account(), await site.guest()
    room_id = await site.room(owner)
    path = f"/api/rooms/{room_id}"
    assert (await site.ask("PATCH", path, {"name": "Mine"}, who=guest)).code == "not_allowed"
    assert (await site.ask("PATCH", path, {"name": "New"}, who=owner)).body["name"] == "New"
    assert (await site.ask("PATCH", path, {"name": "\u202e"}, who=owner)).status == 400
    assert (await site.ask("DELETE", path, who=guest)).code == "not_allowed"
    assert (await site.ask("DELETE", path, who=owner)).status == 204
    assert (await site.ask("POST", f"{path}/join", {}, who=guest)).code == "room_closed"


async def test_who_may_look_into_a_room_holds_as_soon_as_it_is_answered(site: Site) -> None:
    owner, heir = await site.account(), await site.account()
    for _ in range(3):
        room_id = await site.room(owner)
        path = f"/api/rooms/{room_id}"
        for visibility, seen in (("private", 404), ("unlisted", 200)):
            await site.ask("PATCH", path, {"visibility": visibility}, who=owner)
            assert (await site.ask("GET", path)).status == seen, visibility
        await site.ask("POST", f"{path}/owner", {"user_id": heir.user_id}, who=owner)
        mine = (await site.ask("GET", "/api/rooms/mine?limit=1", who=heir)).body["items"]
        assert [(room["room_id"], room["owner_id"]) for room in mine] == [(room_id, heir.user_id)]
        await site.ask("DELETE", path, who=heir)
        assert (await site.ask("GET", "/api/rooms/mine?limit=1", who=heir)).body["items"] == []


async def test_every_setting_is_changed_at_once_and_heard_by_the_room(site: Site) -> None:
    owner, ben = await site.account(), await site.guest("Ben")
    room_id = await site.room(owner)
    path = f"/api/rooms/{room_id}"
    table = {"skip": "dj", "chat": "listener"}
    settings: dict[str, object] = {
        "queue_mode": "fair",
        "queue_limit": 50,
        "entries_per_person": 3,
        "duplicates": "refuse",
        "repeat": "all",
        "skip_share": 0.75,
        "always_on": True,
        "permissions": table,
    }
    words = {"name": "Kitchen", "description": "What we cook to.", "visibility": "unlisted"}
    before = (await site.ask("GET", path, who=owner)).body
    async with site.socket(ben, room_id) as socket:
        change = {**words, "settings": settings}
        after = (await site.ask("PATCH", path, change, who=owner)).body
        told = (await event(socket, "room.updated"))["room"]
        table = {**before["settings"]["permissions"], **table}
        for room in (after, told):
            assert room["settings"] == {**settings, "permissions": table}
            assert {key: room[key] for key in words} == words
        refused = await site.ask("POST", f"{path}/messages", {"content": "hi"}, who=ben)
        assert refused.code == "not_allowed"
        bodies: tuple[dict[str, object], ...] = (
            {"owner_id": ben.user_id},
            {"room_id": ben.user_id},
            {"closed": True},
            {"settings": {"skip_share": 0}},
            {"settings": {"queue_limit": 501}},
            {"settings": {"permissions": {"skip": "king"}}},
            {"settings": {"permissions": {"close": "dj"}}},
            {"visibility": "secret"},
        )
        for body in bodies:
            assert (await site.ask("PATCH", path, body, who=owner)).status == 400, body
        seen = (await site.ask("GET", path, who=owner)).body
        assert (seen["settings"], seen["seq"]) == (after["settings"], after["seq"])
        assert (await site.ask("DELETE", path, who=owner)).status == 204
        assert (await frame(socket, "left"))["reason"] == "closed"
    assert (await site.ask("GET", path, who=owner)).status == 410


async def test_the_queue_is_filled_moved_and_emptied_by_commands(site: Site) -> None:
    owner = await site.account()
    room_id = await site.room(owner)
    track_id = await track(site, owner)
    path = f"/api/rooms/{room_id}/queue"
    entries = [
        (await site.ask("POST", path, {"track_id": track_id}, who=owner)).body for _ in range(4)
    ]
    ids = [entry["entry_id"] for entry in entries]
    assert len(set(ids)) == 4
    page = (await site.ask("GET", f"{path}?limit=2", who=owner)).body
    current = page["current"] and page["current"]["entry_id"]
    waiting = [each for each in ids if each != current]
    assert [entry["entry_id"] for entry in page["items"]] == waiting[:2]
    rest = (await site.ask("GET", f"{path}?cursor={page['next_cursor']}", who=owner)).body
    assert [entry["entry_id"] for entry in rest["items"]] == waiting[2:]
    last = waiting[-1]
    moved = await site.ask("PATCH", f"{path}/{last}", {"after": None}, who=owner)
    assert moved.status == 204
    assert (await site.ask("DELETE", f"{path}/{waiting[0]}", who=owner)).status == 204
    gone = await site.ask("DELETE", f"{path}/{waiting[0]}", who=owner)
    assert (gone.status, gone.code) == (404, "unknown_entry")
    left = (await site.ask("GET", path, who=owner)).body["items"]
    assert [entry["entry_id"] for entry in left] == [last, *waiting[1:-1]]
    unknown = await site.ask("POST", path, {"track_id": NOBODY}, who=owner)
    assert (unknown.status, unknown.code) == (404, "unknown_track")


async def test_playback_answers_with_the_anchor_that_holds_then(site: Site) -> None:
    owner = await site.account()
    room_id = await site.room(owner, settings={"always_on": True})
    track_id = await track(site, owner)
    queued = await site.ask(
        "POST", f"/api/rooms/{room_id}/queue", {"track_id": track_id}, who=owner
    )
    path = f"/api/rooms/{room_id}/playback"
    state = (await site.ask("GET", f"/api/rooms/{room_id}", who=owner)).body["playback"]
    if state["status"] == "idle":
        state = (await site.ask("PUT", path, {"action": "play"}, who=owner)).body
    assert state["entry"]["entry_id"] == queued.body["entry_id"]
    other = {"action": "pause", "entry_id": NOBODY}
    assert (await site.ask("PUT", path, other, who=owner)).code == "conflict"


async def test_a_malformed_playback_command_is_refused(site: Site) -> None:
    owner = await site.account()
    room_id = await site.room(owner)
    bodies: tuple[dict[str, object], ...] = (
        {"action": "stop"},
        {"action": "pause"},
        {"action": "seek", "entry_id": NOBODY},
        {"action": "play", "position_ms": 5},
        {"action": "seek", "entry_id": NOBODY, "position_ms": -1},
        {"action": "seek", "entry_id": "x", "position_ms": 1},
    )
    for body in bodies:
        answer = await site.ask("PUT", f"/api/rooms/{room_id}/playback", body, who=owner)
        assert answer.status == 400, body


async def test_messages_are_said_and_read_back_newest_first(site: Site) -> None:
    owner = await site.account()
    room_id = await site.room(owner)
    path = f"/api/rooms/{room_id}/messages"
    said = [
        (await site.ask("POST", path, {"content": f"no {n}"}, who=owner)).body for n in range(3)
    ]
    page = (await site.ask("GET", f"{path}?limit=2", who=owner)).body
    assert page["items"] == [said[2], said[1]]
    rest = (await site.ask("GET", f"{path}?cursor={page['next_cursor']}", who=owner)).body
    assert (rest["items"], rest["next_cursor"]) == ([said[0]], None)
    before = said[1]["sent_at"]
    earlier = (await site.ask("GET", f"{path}?before={before}", who=owner)).body["items"]
    assert all(message["sent_at"] < before for message in earlier)
    assert (await site.ask("GET", f"{path}?before=yesterday", who=owner)).status == 400
    other = await site.room(owner)
    crossed = await site.ask(
        "GET", f"/api/rooms/{other}/messages?cursor={page['next_cursor']}", who=owner
    )
    assert crossed.status == 400


async def test_a_malformed_message_is_refused(site: Site) -> None:
    owner = await site.account()
    path = f"/api/rooms/{await site.room(owner)}/messages"
    for content in ("", "x" * 2_001, 5, None, "a\x00b"):
        assert (await site.ask("POST", path, {"content": content}, who=owner)).status == 400
