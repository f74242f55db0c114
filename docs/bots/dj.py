"""A DJ that keeps the queue of a room filled.

    python docs/bots/dj.py http://127.0.0.1:8000 ROOM_ID TRACK_ID TRACK_ID ...

Whenever fewer than three entries wait, it adds the track that was queued longest ago, by whomever.
It comes as a guest, so that nobody has to trust it with anything; or as a bot, with a bot's token
in the environment's TOKEN (scopes read, chat, queue, playback): then people can ask it for more by
/add and /skip.
"""

import asyncio
import os
import sys

from protocol.bot import ErrorCode, Login, Rejected, Room, Slash, SlashCall, connect
from protocol.queue import QueueAdded

KEEP = 3
"""So many entries wait, if the list of tracks is long enough."""


class Dj:
    """A list of tracks, the one that was queued longest ago first."""

    def __init__(self, room: Room, tracks: list[str]) -> None:
        self.room = room
        self.tracks = tracks
        self.slash = Slash()
        self.slash.command("add", "Queue one more from the DJ's list")(self.add)
        self.slash.command("skip", "Start the next track")(self.skip)

    async def add(self, call: SlashCall) -> None:
        """`/add`: what would come next by itself, now. A refusal is told by the SDK."""
        if self.tracks:
            track_id = self.tracks[0]
            await self.room.add(track_id)
            self.used(track_id)

    async def skip(self, call: SlashCall) -> None:
        """`/skip`: as if the bot had pressed the button."""
        await self.room.next()

    def used(self, track_id: str) -> None:
        """A track has had its turn: it goes to the end of the list."""
        if track_id in self.tracks:
            self.tracks.remove(track_id)
            self.tracks.append(track_id)

    async def fill(self) -> None:
        """Add what is missing."""
        for track_id in list(self.tracks):
            if len(self.room.snapshot.queue) >= KEEP:
                return
            try:
                await self.room.add(track_id)
            except Rejected as refusal:
                if refusal.code is ErrorCode.UNKNOWN_TRACK:
                    self.tracks.remove(track_id)
                elif refusal.code is not ErrorCode.DUPLICATE_ENTRY:
                    # Too many entries of ours wait, or we may not add: the next event may tell.
                    print(f"not added: {refusal}", flush=True)
                    return
            else:
                self.used(track_id)

    async def run(self) -> None:
        """Until the room is left."""
        # From here on nothing is missed, whatever happens while the queue is being filled.
        events = self.room.events()
        if self.room.you and self.room.you.person.kind == "bot":
            await self.slash.register(self.room)
        playback = self.room.snapshot.playback
        for entry in [*([playback.entry] if playback.entry else []), *self.room.snapshot.queue]:
            self.used(entry.track.track_id)
        await self.fill()
        async for event in events:
            if isinstance(event, QueueAdded):
                self.used(event.entry.track.track_id)
            await self.slash.heed(self.room, event)
            await self.fill()


async def main(url: str, room_id: str, *tracks: str) -> None:
    """Come in and play."""
    token = os.environ.get("TOKEN") or await Login.guest(url, "DJ")
    async with connect(url, token=token) as me:
        room = await me.join(room_id)
        print("in", room.snapshot.room.name, flush=True)
        await Dj(room, list(tracks)).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
