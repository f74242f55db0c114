"""Favourites over REST."""

from tests.httpapi.media.sounds import sound
from tests.httpapi.site import Answer, Guest, Site

TONE = sound("flac", "flac", samples=4_800)
NOBODY = "00000000-0000-4000-8000-000000000000"


async def uploaded(site: Site, who: Guest, count: int, **more: str) -> list[str]:
    answers = [await site.upload(who, TONE, **more) for _ in range(count)]
    return [answer.body["track_id"] for answer in answers]


async def like(site: Site, who: Guest, track_id: str) -> Answer:
    return await site.ask("PUT", f"/api/favorites/me/{track_id}", who=who)


async def liked(site: Site, who: Guest, whose: str = "me", page: int = 100) -> list[str]:
    """The ids of all pages."""
    found, cursor = [], ""
    while True:
        path = f"/api/favorites/{whose}?limit={page}{cursor}"
        body = (await site.ask("GET", path, who=who)).body
        found += [item["track"]["track_id"] for item in body["items"]]
        if body["next_cursor"] is None:
            return found
        assert len(body["items"]) == page
        cursor = f"&cursor={body['next_cursor']}"


async def test_favourites_come_newest_first_page_by_page(site: Site) -> None:
    ann, ben = await site.account(), await site.guest("Ben")
    tracks = await uploaded(site, ann, 5)
    for track_id in (*tracks, tracks[0]):
        # Liked again it keeps its age.
        assert (await like(site, ben, track_id)).status == 204
    assert await liked(site, ben) == await liked(site, ben, page=2) == tracks[::-1]
    assert await liked(site, ann) == []
    assert await liked(site, ann, ben.user_id) == tracks[::-1]
    for _ in range(2):
        answer = await site.ask("DELETE", f"/api/favorites/me/{tracks[3]}", who=ben)
        assert answer.status == 204
    assert await liked(site, ben, page=2) == [tracks[4], *tracks[2::-1]]
    [first] = (await site.ask("GET", "/api/favorites/me?limit=1", who=ben)).body["items"]
    assert first["track"]["duration_samples"] == 4_800 and first["added_at"].endswith("Z")


async def test_what_one_may_not_see_is_in_nobodys_list(site: Site) -> None:
    ann, ben = await site.account(), await site.guest("Ben")
    room = await site.room(ann, visibility="private")
    shared, own = [(await uploaded(site, ann, 1, **more))[0] for more in ({}, {"room_id": room})]
    for track_id in (shared, own):
        assert (await like(site, ann, track_id)).status == 204
    assert await liked(site, ben, ann.user_id) == [shared]
    for track_id in (own, NOBODY):
        assert (await like(site, ben, track_id)).code == "unknown_track"
    assert (await site.ask("GET", f"/api/favorites/{NOBODY}", who=ben)).code == "unknown_person"
    await site.execute("update tracks set deleted_at = now() where track_id = $1", shared)
    assert await liked(site, ann) == [own]
    assert await liked(site, ben, ann.user_id) == []


async def test_bad_questions_about_favourites_are_refused(site: Site) -> None:
    ann = await site.account()
    for track_id in await uploaded(site, ann, 2):
        await like(site, ann, track_id)
    path = f"/api/favorites/{ann.user_id}"
    cursor = (await site.ask("GET", "/api/favorites/me?limit=1", who=ann)).body["next_cursor"]
    assert (await site.ask("GET", f"{path}?cursor={cursor}", who=ann)).status == 200
    other = await site.guest("Ben")
    for query in ("limit=0", "limit=101", "limit=x", "cursor=x", f"cursor={cursor}", "user_id=x"):
        answer = await site.ask("GET", f"/api/favorites/me?{query}", who=other)
        assert (answer.status, answer.code) == (400, "bad_request"), query
    assert (await site.ask("GET", "/api/favorites/me")).status == 401
    assert (await site.ask("PUT", "/api/favorites/me/none", who=ann)).status == 404
