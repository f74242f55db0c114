"""Have a released version fill a database, and keep it for the tests of upgrades:

    python -m tests.upgrade.fill v0.1

The server is that version's own code, from a worktree of its tag; people use it as ever. Done once
for each release, right after its tag: a file that is kept is never made anew.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp

from protocol.bot import Room, connect, guest
from protocol.chat import ChatDelete, ChatEdit, ChatReact
from protocol.reactions import ReactionSend
from tests.cluster.rest import tone
from tests.cluster.server import ROOT, Served
from tests.upgrade.filled import FOLDER, PASSWORD, Facts, Seen, pack

MESSAGES = 130
LENGTHS_MS = (900, 1_100, 1_300)


class Site:
    """REST, as somebody."""

    def __init__(self, url: str, client: aiohttp.ClientSession) -> None:
        self._url = url
        self._client = client

    async def ask(self, method: str, path: str, token: str = "", **more: Any) -> Any:
        """One request; anything but success is an error."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{self._url}/api{path}"
        async with self._client.request(method, url, headers=headers, **more) as answer:
            data = await answer.read()
            assert answer.status < 300, (method, path, answer.status, data)
            return await answer.json() if data else None

    async def upload(self, token: str, length_ms: int) -> str:
        """A track that is ready to be played."""
        form = aiohttp.FormData()
        form.add_field("file", tone(length_ms), filename=f"tone {length_ms}.wav")
        made = await self.ask("POST", "/tracks/uploads", token, data=form)
        while True:
            job = await self.ask("GET", f"/jobs/{made['job_id']}", token)
            if job["state"] == "done":
                return str(made["track_id"])
            assert job["state"] != "failed", job
            await asyncio.sleep(0)


async def fill(served: Served, version: str) -> Facts:
    """People do a bit of everything."""
    async with aiohttp.ClientSession() as client:
        site = Site(served.url, client)
        people, tokens = {}, {}
        for name in ("ann", "bob", "mallory"):
            body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
            made = await site.ask("POST", "/auth/register", json=body)
            people[name], tokens[name] = made["user"]["user_id"], made["access_token"]
        ann = tokens["ann"]
        tracks = [await site.upload(ann, length_ms) for length_ms in LENGTHS_MS]
        await site.ask("PUT", f"/favorites/me/{tracks[0]}", ann)
        bot = await site.ask(
            "POST",
            "/users/me/tokens",
            ann,
            json={"name": "Jukebox", "scopes": ["read", "chat", "queue"]},
        )
        kitchen = await site.ask(
            "POST", "/rooms", ann, json={"name": "Kitchen", "visibility": "public"}
        )
        attic = await site.ask(
            "POST", "/rooms", ann, json={"name": "Attic", "password": "sesame"}
        )  # fmt: skip
        room_id = str(kitchen["room_id"])
        async with (
            connect(served.url, token=ann) as one,
            connect(served.url, token=tokens["bob"]) as two,
            connect(served.url, token=tokens["mallory"]) as three,
            connect(served.url, token=await guest(served.url, "Guest")) as four,
            connect(served.url, token=bot["token"]) as five,
        ):
            rooms = [await each.join(room_id) for each in (one, two, three, four, five)]
            deleted = await talk(rooms)
            await rooms[2].leave()
            member = f"/rooms/{room_id}/members"
            await site.ask("PUT", f"{member}/{people['bob']}/role", ann, json={"role": "dj"})
            await site.ask("POST", f"{member}/{four.user.user_id}/mute", ann, json={})
            await site.ask(
                "POST", f"{member}/{people['mallory']}/ban", ann, json={"reason": "spam"}
            )
            await listen(rooms[:2], tracks)
            seen = see(rooms[0])
    return Facts(
        version, people, bot["token"], seen, str(attic["room_id"]),
        people["mallory"], deleted, tracks, tracks[0],
    )  # fmt: skip


async def talk(rooms: list[Room]) -> str:
    """Chat of all kinds; returns the message that was deleted."""
    ann, bob, mallory = rooms[:3]
    for n in range(MESSAGES):
        await rooms[n % len(rooms)].chat(f"message {n}")
    last = next(m for m in ann.snapshot.chat if m.content == f"message {MESSAGES - 5}")
    await ann.do(ChatEdit(message_id=last.message_id, content="better"))
    await bob.do(ChatReact(message_id=last.message_id, emoji="👏", on=True))
    await mallory.chat("something rude")
    rude = await ann.wait_for(
        lambda room: [m for m in room.snapshot.chat if m.content == "something rude"]
    )
    await ann.do(ChatDelete(message_id=rude[0].message_id))
    return rude[0].message_id


async def listen(rooms: list[Room], tracks: list[str]) -> None:
    """Some plays, and then one that is paused with two behind it."""
    ann, bob = rooms
    for n in range(5):
        await rooms[n % 2].add(tracks[n % 3])
    await ann.wait_for(lambda room: room.snapshot.playback.status == "playing")
    await bob.do(ReactionSend(emoji="🔥"))
    await ann.wait_for(lambda room: len(room.snapshot.queue) == 2)
    await ann.pause()
    await ann.wait_for(lambda room: room.snapshot.playback.status == "paused")


def see(room: Room) -> Seen:
    """What is shown of it."""
    shown = room.snapshot
    entry = shown.playback.entry
    return Seen(
        room.room_id,
        shown.room.name,
        shown.seq,
        [message.message_id for message in shown.chat],
        [each.track.track_id for each in shown.queue],
        entry.track.track_id if entry else None,
        room.position_ms(),
    )


def main(version: str) -> None:
    """Make the file of a version."""
    with tempfile.TemporaryDirectory() as folder:
        tree, work = Path(folder) / "tree", Path(folder) / "work"
        work.mkdir()
        git = ("git", "-C", str(ROOT), "worktree")
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), version], check=True)
        try:
            file = FOLDER / f"{version}.tar.xz"
            asyncio.run(make(file, version, tree, work))
            print(f"{file}: {file.stat().st_size} bytes")
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


async def make(file: Path, version: str, tree: Path, work: Path) -> None:
    """Have the server of a tree filled, and pack what it has."""
    served = Served(work / "data", tree=tree)
    try:
        await served.start()
        facts = await fill(served, version)
        pack(file, served.database_url, work / "data" / "media", facts, work)
    finally:
        await served.kill()


if __name__ == "__main__":
    main(sys.argv[1])
