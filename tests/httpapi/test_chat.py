"""The history of a room's chat over REST: reading back, editing, deleting."""

import asyncio
from typing import Any

from protocol.chat import CHAT_IN_SNAPSHOT
from tests.home.test_redaction import tables_with
from tests.httpapi.site import Answer, Guest, Site

NOBODY = "00000000-0000-4000-8000-000000000000"


class Chat:
    """The chat of a room with its owner, a moderator, and two who listen."""

    def __init__(self, site: Site, room_id: str, owner: Guest, people: list[Guest]) -> None:
        self.site = site
        self.room_id = room_id
        self.path = f"/api/rooms/{room_id}/messages"
        self.owner = owner
        self.moderator, self.ann, self.ben = people

    async def say(self, who: Guest, content: str, **more: object) -> Any:
        answer = await self.site.ask("POST", self.path, {"content": content, **more}, who=who)
        assert answer.status == 201, answer
        return answer.body

    async def edit(self, who: Guest, message_id: str, content: str, **more: Any) -> Answer:
        path = f"{self.path}/{message_id}"
        return await self.site.ask("PATCH", path, {"content": content}, who=who, **more)

    async def delete(self, who: Guest, message_id: str) -> Answer:
        return await self.site.ask("DELETE", f"{self.path}/{message_id}", who=who)

    async def history(self, query: str = "") -> list[Any]:
        body = (await self.site.ask("GET", f"{self.path}?limit=100{query}", who=self.ben)).body
        return list(body["items"])


async def chat_of(site: Site) -> Chat:
    owner, moderator, ann = [await site.account() for _ in range(3)]
    ben = await site.guest("Ben")
    room_id = await site.room(owner)
    for who in (moderator, ann, ben):
        assert (await site.ask("POST", f"/api/rooms/{room_id}/join", {}, who=who)).status < 300
    path = f"/api/rooms/{room_id}/members/{moderator.user_id}/role"
    answer = await site.ask("PUT", path, {"role": "moderator"}, who=owner)
    assert answer.status < 300, answer
    return Chat(site, room_id, owner, [moderator, ann, ben])


async def test_an_author_edits_and_an_author_or_a_moderator_deletes(site: Site) -> None:
    chat = await chat_of(site)
    one, two = await chat.say(chat.ann, "one"), await chat.say(chat.ann, "two")
    answer = await chat.edit(chat.ann, one["message_id"], "one and a half")
    assert answer.status == 200
    assert answer.body == one | {
        "content": "one and a half",
        "edited_at_ms": answer.body["edited_at_ms"],
    }
    assert answer.body["edited_at_ms"] >= one["at_ms"]
    for who in (chat.ben, chat.moderator, chat.owner):
        assert (await chat.edit(who, one["message_id"], "no")).code == "not_allowed"
    assert (await chat.delete(chat.ben, one["message_id"])).code == "not_allowed"
    assert await chat.history() == [two, answer.body]
    for who, message in ((chat.moderator, one), (chat.ann, two), (chat.ann, two)):
        assert (await chat.delete(who, message["message_id"])).status == 204
    assert [(m["content"], m["deleted"]) for m in await chat.history()] == [("", True)] * 2
    assert (await chat.edit(chat.ann, two["message_id"], "back")).code == "unknown_message"
    assert (await chat.edit(chat.ann, NOBODY, "x")).code == "unknown_message"
    assert (await chat.delete(chat.ann, NOBODY)).code == "unknown_message"
    for content in ("", "x" * 2_001, "a\x00b"):
        assert (await chat.edit(chat.ann, one["message_id"], content)).status == 400
    other = await site.room(chat.ann)
    path = f"/api/rooms/{other}/messages/{one['message_id']}"
    assert (await site.ask("DELETE", path, who=chat.ann)).code == "unknown_message"


async def test_an_answer_tells_what_it_answers_until_that_is_deleted(site: Site) -> None:
    chat = await chat_of(site)
    first = await chat.say(chat.ann, "x" * 300)
    reply = await chat.say(chat.ben, "yes", reply_to=first["message_id"])
    assert first["answered"] is None
    assert reply["answered"] == {
        "message_id": first["message_id"],
        "by": first["by"],
        "content": "x" * 200,
        "deleted": False,
    }
    await chat.delete(chat.ann, first["message_id"])
    [told, _] = await chat.history()
    assert told["answered"] == reply["answered"] | {"content": "", "deleted": True}
    # Its place stays: one can answer it still.
    late = await chat.say(chat.ben, "what was it?", reply_to=first["message_id"])
    assert late["answered"]["deleted"]


async def test_what_no_snapshot_holds_is_read_edited_and_deleted(site: Site) -> None:
    chat = await chat_of(site)
    said = [await chat.say(chat.ann, f"no {n}") for n in range(CHAT_IN_SNAPSHOT + 3)]
    assert await chat.history() == said[::-1]
    state = (await site.ask("GET", f"/api/rooms/{chat.room_id}", who=chat.ben)).body
    assert "chat" not in state  # It is read page by page.
    before = said[-CHAT_IN_SNAPSHOT]["sent_at"]
    older = await chat.history(f"&before={before}")
    assert older == [message for message in said[2::-1] if message["sent_at"] < before]
    async with chat.site.socket(chat.ben, chat.room_id) as socket:
        await chat.edit(chat.ann, said[0]["message_id"], "older")
        await chat.delete(chat.moderator, said[1]["message_id"])
        seen: list[str] = []
        async with asyncio.timeout(10):
            while "chat.deleted" not in seen:
                frame = await socket.receive_json()
                seen += [event["type"] for event in frame.get("events", ())]
    assert "chat.edited" in seen
    assert [(m["content"], m["deleted"]) for m in await chat.history()][-2:] == [
        ("", True),
        ("older", False),
    ]


async def test_a_deleted_message_is_in_no_table_and_no_stored_answer(site: Site) -> None:
    chat = await chat_of(site)
    key, edit_key = {"Idempotency-Key": "say"}, {"Idempotency-Key": "edit"}
    body = {"content": "canary"}
    one, two = [
        await site.ask("POST", chat.path, body, who=chat.ann, headers=key) for _ in range(2)
    ]
    assert (one.status, one.body) == (two.status, two.body)
    message_id = one.body["message_id"]
    await chat.say(chat.ben, "quite", reply_to=message_id)
    edited = [await chat.edit(chat.ann, message_id, "kestrel", headers=edit_key) for _ in range(2)]
    assert edited[0].data == edited[1].data
    assert (await chat.delete(chat.ann, message_id)).status == 204
    async with asyncio.timeout(10):
        while await tables_with(site.database, "canary", "kestrel"):
            pass
    again = await site.ask("POST", chat.path, body, who=chat.ann, headers=key)
    assert (again.status, again.body["deleted"], again.body["content"]) == (201, True, "")
    other = await site.ask("POST", chat.path, {"content": "x"}, who=chat.ann, headers=key)
    assert other.code == "idempotency_conflict"
    assert len(await chat.history()) == 2
