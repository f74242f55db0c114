"""The queue and its votes over REST, heard by a socket in the room."""

from tests.httpapi.heard import event
from tests.httpapi.media.sounds import sound
from tests.httpapi.site import Guest, Site

NOBODY = "00000000-0000-4000-8000-000000000000"


async def queued(site: Site, owner: Guest, room_id: str, count: int) -> list[str]:
    """Entries of one track; the first is current at once, for somebody is there."""
    track = (await site.upload(owner, sound("flac", "flac"))).body["track_id"]
    path = f"/api/rooms/{room_id}/queue"
    added = [await site.ask("POST", path, {"track_id": track}, who=owner) for _ in range(count)]
    assert {answer.status for answer in added} == {201}
    return [answer.body["entry_id"] for answer in added]


async def waiting(site: Site, room_id: str, who: Guest) -> list[tuple[str, int]]:
    page = (await site.ask("GET", f"/api/rooms/{room_id}/queue", who=who)).body
    return [(entry["entry_id"], entry["votes"]) for entry in page["items"]]


async def test_a_vote_brings_an_entry_forward_and_taken_back_it_goes_back(site: Site) -> None:
    owner, ben = await site.account(), await site.guest("Ben")
    room_id = await site.room(owner, settings={"queue_mode": "votes"})
    async with site.socket(owner, room_id) as socket:
        _, first, second = await queued(site, owner, room_id, 3)
        vote = f"/api/rooms/{room_id}/queue/{{}}/vote"
        for _ in range(2):
            assert (await site.ask("POST", vote.format(second), who=ben)).status == 204
        told = await event(socket, "votes.changed")
        assert (told["entry_id"], told["votes"]) == (second, 1)
        assert await waiting(site, room_id, ben) == [(second, 1), (first, 0)]
        assert (await site.ask("DELETE", vote.format(second), who=ben)).status == 204
        assert (await event(socket, "votes.changed"))["votes"] == 0
        assert await waiting(site, room_id, ben) == [(first, 0), (second, 0)]
        for method in ("POST", "DELETE"):
            answer = await site.ask(method, vote.format(NOBODY), who=ben)
            assert (answer.status, answer.code) == (404, "unknown_entry")
        move = f"/api/rooms/{room_id}/queue/{first}"
        fixed = await site.ask("PATCH", move, {"after": second}, who=owner)
        assert (fixed.status, fixed.code) == (409, "fixed_order")
        change = {"settings": {"queue_mode": "open"}}
        await site.ask("PATCH", f"/api/rooms/{room_id}", change, who=owner)
        none = await site.ask("POST", vote.format(first), who=ben)
        assert (none.status, none.code) == (409, "no_voting")
        # Now it is moved, by whoever may.
        refused = await site.ask("PATCH", move, {"after": second}, who=ben)
        assert refused.code == "not_allowed"
        assert (await site.ask("PATCH", move, {"after": second}, who=owner)).status == 204
        told = await event(socket, "queue.moved")
        assert (told["entry_id"], told["after"]) == (first, second)
        assert (await site.ask("DELETE", move, who=owner)).status == 204
        assert (await event(socket, "queue.removed"))["entry_id"] == first
        for body in ({}, {"after": "x"}, {"after": None, "before": None}):
            assert (await site.ask("PATCH", move, body, who=owner)).status == 400


async def test_who_may_not_skip_votes_and_who_may_skips(site: Site) -> None:
    owner, ben = await site.account(), await site.guest("Ben")
    settings = {"permissions": {"skip": "dj"}, "skip_share": 1.0}
    room_id = await site.room(owner, settings=settings)
    skip = f"/api/rooms/{room_id}/skip"
    none = await site.ask("POST", skip, {"entry_id": NOBODY}, who=ben)
    assert (none.status, none.code) == (409, "nothing_playing")
    async with site.socket(owner, room_id) as socket, site.socket(ben, room_id):
        current, second = await queued(site, owner, room_id, 2)
        other = await site.ask("POST", skip, {"entry_id": second}, who=ben)
        assert (other.status, other.code) == (409, "conflict")
        voted = (await site.ask("POST", skip, {"entry_id": current}, who=ben)).body
        assert voted["entry"]["entry_id"] == current
        assert voted["skip"] == {"votes": 1, "needed": 2}
        told = await event(socket, "votes.changed")
        assert (told["votes"], told["needed"]) == (1, 2)
        skipped = (await site.ask("POST", skip, {"entry_id": current}, who=owner)).body
        assert skipped["entry"]["entry_id"] == second
        assert (await event(socket, "playback.ended"))["entry_id"] == current
