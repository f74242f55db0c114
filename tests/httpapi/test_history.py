"""What was played in a room, and what the caller heard, over REST."""

from typing import Any
from uuid import uuid4

from tests.httpapi.media.sounds import sound
from tests.httpapi.site import Guest, Site

TONE = sound("flac", "flac", samples=4_800)


async def uploaded(site: Site, who: Guest, **more: str) -> str:
    return str((await site.upload(who, TONE, **more)).body["track_id"])


async def played(site: Site, room_id: str, by: Guest, track_id: str, at_ms: int) -> str:
    """A play as its home would have written it: an evening takes too long for a test."""
    play_id = str(uuid4())
    await site.execute(
        "insert into plays values ($1, $2, $3, $4, $5, $6, $7)",
        play_id,
        room_id,
        track_id,
        by.user_id,
        at_ms,
        at_ms + 60_000,
        60_000,
    )
    return play_id


async def heard(site: Site, who: Guest, play_id: str) -> None:
    await site.execute(
        "insert into listens select $1, play_id, room_id, track_id, started_at_ms, heard_ms"
        " from plays where play_id = $2",
        who.user_id,
        play_id,
    )


async def pages(site: Site, path: str, who: Guest, limit: int) -> list[Any]:
    found, cursor = [], ""
    while True:
        body = (await site.ask("GET", f"{path}?limit={limit}{cursor}", who=who)).body
        found += body["items"]
        if body["next_cursor"] is None:
            return found
        assert len(body["items"]) == limit
        cursor = f"&cursor={body['next_cursor']}"


async def test_a_room_tells_what_was_played_the_latest_first(site: Site) -> None:
    ann, ben = await site.account(), await site.guest("Ben")
    room_id = await site.room(ann)
    path = f"/api/rooms/{room_id}/history"
    track_id = await uploaded(site, ann)
    plays = [await played(site, room_id, ben, track_id, 1_000 * (n // 2)) for n in range(5)]
    for limit in (1, 2, 100):
        items = await pages(site, path, ben, limit)
        assert {item["play_id"] for item in items[3:]} == set(plays[:2])
        assert items[0]["play_id"] == plays[4] and len(items) == 5
    first = items[0]
    assert first["added_by"]["display_name"] == "Ben" and first["heard_ms"] == 60_000
    assert first["track"]["track_id"] == track_id
    assert first["started_at"] == "1970-01-01T00:00:02.000Z"
    assert first["ended_at"] == "1970-01-01T00:01:02.000Z"
    private = await site.room(ann, visibility="private")
    hidden = f"/api/rooms/{private}/history"
    assert (await site.ask("GET", hidden, who=ben)).code == "room_not_found"
    cursor = (await site.ask("GET", f"{path}?limit=1", who=ann)).body["next_cursor"]
    for query in ("limit=0", "limit=101", "cursor=x", "before=1", f"cursor={cursor}"):
        assert (await site.ask("GET", f"{hidden}?{query}", who=ann)).code == "bad_request", query
    await site.execute("update tracks set deleted_at = now()")
    assert await pages(site, path, ben, 5) == []


async def test_what_i_heard_is_mine_alone(site: Site) -> None:
    ann, ben = await site.account(), await site.guest("Ben")
    kitchen = await site.room(ann, name="Kitchen")
    cellar = await site.room(ann, name="Cellar", visibility="private")
    track_id = await uploaded(site, ann)
    inside = await uploaded(site, ann, room_id=cellar)
    plays = [
        await played(site, room_id, ann, track, at_ms)
        for room_id, track, at_ms in (
            (kitchen, track_id, 1_000),
            (cellar, track_id, 2_000),
            (cellar, inside, 3_000),
        )
    ]
    for play_id in plays:
        await heard(site, ann, play_id)
        await heard(site, ben, play_id)
    mine = await pages(site, "/api/history/me", ann, 2)
    assert [item["play_id"] for item in mine] == plays[::-1]
    assert [item["room_name"] for item in mine] == ["Cellar", "Cellar", "Kitchen"]
    assert (mine[2]["room_id"], mine[2]["heard_ms"]) == (kitchen, 60_000)
    assert mine[2]["played_at"] == "1970-01-01T00:00:01.000Z"
    # Ben has no place in the cellar any more: he keeps the play, without the name.
    his = await pages(site, "/api/history/me", ben, 1)
    assert [(item["play_id"], item["room_id"], item["room_name"]) for item in his] == [
        (plays[1], None, None),
        (plays[0], kitchen, "Kitchen"),
    ]
    assert (await site.ask("GET", "/api/history/me")).status == 401
    cursor = (await site.ask("GET", "/api/history/me?limit=1", who=ann)).body["next_cursor"]
    for query in ("limit=x", f"cursor={cursor}", f"user_id={ann.user_id}"):
        answer = await site.ask("GET", f"/api/history/me?{query}", who=ben)
        assert answer.code == "bad_request", query


async def test_others_see_what_somebody_heard_until_that_person_says_no(site: Site) -> None:
    ann, ben = await site.account(), await site.guest("Ben")
    public, unlisted, private = [
        await site.room(ann, name=visibility, visibility=visibility)
        for visibility in ("public", "unlisted", "private")
    ]
    track_id = await uploaded(site, ann)
    inside = await uploaded(site, ann, room_id=private)
    for at_ms, (room_id, track) in enumerate(
        ((public, track_id), (unlisted, track_id), (private, track_id), (private, inside))
    ):
        await heard(site, ann, await played(site, room_id, ann, track, at_ms))
    path = f"/api/history/{ann.user_id}"
    # A stranger learns of no room that a stranger could not find, nor of its tracks.
    told = await pages(site, path, ben, 1)
    assert [(item["room_id"], item["room_name"]) for item in told] == [(public, "public")]
    assert [item["room_id"] for item in await pages(site, path, ann, 3)] == [
        private,
        private,
        unlisted,
        public,
    ]
    await site.ask("POST", f"/api/rooms/{unlisted}/join", {}, who=ben)
    told = await pages(site, path, ben, 1)
    assert [item["room_name"] for item in told] == ["unlisted", "public"]

    settings = "/api/users/me/settings"
    assert (await site.ask("GET", settings, who=ann)).body == {"show_history": True}
    closed = await site.ask("PUT", settings, {"show_history": False}, who=ann)
    assert closed.body == {"show_history": False}
    assert (await site.ask("GET", path, who=ben)).code == "not_found"
    assert len(await pages(site, path, ann, 3)) == len(await pages(site, "/api/history/me", ann, 3))
    assert (await site.ask("GET", settings, who=ben)).body == {"show_history": True}
    for body in ({}, {"show_history": None}, {"show_history": 0}, {"discoverable": True}):
        assert (await site.ask("PUT", settings, body, who=ann)).code == "bad_request", body
    assert (await site.ask("GET", f"/api/history/{uuid4()}", who=ben)).code == "unknown_person"
