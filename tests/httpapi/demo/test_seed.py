"""The demo room is made once."""

from httpapi.demo.music import DEMO_TRACKS
from httpapi.demo.seed import seed
from tests.httpapi.site import Site


async def counts(site: Site) -> list[int]:
    return [
        await site.scalar("select count(*) from users"),
        await site.scalar("select count(*) from rooms"),
        await site.scalar("select count(*) from tracks"),
        await site.scalar("select count(*) from room_commands"),
    ]


async def test_a_second_start_makes_nothing(site: Site) -> None:
    room_id = await seed(site.services)
    ann = await site.guest()
    room = (await site.ask("GET", f"/api/rooms/{room_id}", who=ann)).body
    assert (room["name"], room["settings"]["repeat"]) == ("Demo room", "all")
    assert room["settings"]["always_on"] is True
    queue = (await site.ask("GET", f"/api/rooms/{room_id}/queue", who=ann)).body
    playing = [queue["current"]["track"]["title"]] if queue["current"] else []
    queued = [entry["track"]["title"] for entry in queue["items"]]
    assert sorted(playing + queued) == sorted(track.title for track in DEMO_TRACKS)
    made = await counts(site)
    assert made[1:3] == [1, len(DEMO_TRACKS)]
    assert await seed(site.services) == room_id
    assert await counts(site) == made
