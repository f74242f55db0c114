"""The demo room is made once, however often its making is cut off."""

import asyncio

from httpapi.demo.music import DEMO_TRACKS
from httpapi.demo.seed import demo_owner, seed, store
from tests.httpapi.site import Guest, Site


async def counts(site: Site) -> list[int]:
    return [
        await site.scalar("select count(*) from users"),
        await site.scalar("select count(*) from rooms"),
        await site.scalar("select count(*) from tracks"),
        await site.scalar("select count(*) from room_commands"),
    ]


async def titles(site: Site, room_id: str, who: Guest) -> list[str]:
    """What plays, then what is queued."""
    queue = (await site.ask("GET", f"/api/rooms/{room_id}/queue", who=who)).body
    playing = [queue["current"]] if queue["current"] else []
    return [entry["track"]["title"] for entry in playing + queue["items"]]


async def test_a_seeding_that_is_cut_off_is_completed_and_then_makes_nothing(site: Site) -> None:
    demo = await seed(site.services)
    demo.rest.cancel()
    await asyncio.wait([demo.rest])
    ann = await site.guest()
    room = (await site.ask("GET", f"/api/rooms/{demo.room_id}", who=ann)).body
    assert (room["name"], room["settings"]["repeat"]) == ("Demo room", "all")
    assert room["settings"]["always_on"] is True
    assert room["playback"]["status"] == "playing", room
    assert await titles(site, demo.room_id, ann) == [DEMO_TRACKS[0].title]

    # As a process leaves it that dies between storing and queueing.
    await store(site.services, await demo_owner(site.services), DEMO_TRACKS[1])
    again = await seed(site.services)
    await again.rest
    assert again.room_id == demo.room_id
    wanted = [track.title for track in DEMO_TRACKS]
    assert await titles(site, demo.room_id, ann) == wanted
    made = await counts(site)
    assert made[1:] == [1, len(DEMO_TRACKS), len(DEMO_TRACKS)]

    await (await seed(site.services)).rest
    assert await titles(site, demo.room_id, ann) == wanted
    assert await counts(site) == made
