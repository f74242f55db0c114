"""A moderator with a list of words: who uses one loses the message, and the word for ten minutes.

    PASSWORD=... python docs/bots/moderator.py http://127.0.0.1:8000 ROOM_ID USERNAME WORDS_FILE

It signs in with an account, since its role (`moderator`, given by the room's owner) is the
account's. The file has one word a line; upper and lower case are the same.
"""

import asyncio
import os
import re
import sys
from pathlib import Path

from protocol.bot import ErrorCode, Rejected, Resynced, Room, connect, sign_in
from protocol.catalog import ClientCommand
from protocol.chat import ChatDelete, ChatEdited, ChatSent
from protocol.moderation import MemberMute
from protocol.users import Person

MUTED_FOR_MS = 10 * 60_000


class Moderator:
    """Reads along."""

    def __init__(self, room: Room, words: set[str]) -> None:
        self.room = room
        self.words = words

    async def run(self) -> None:
        """Until the room is left."""
        events = self.room.events()
        await self.read_back()
        async for event in events:
            match event:
                case ChatSent(message_id=message_id, by=by, content=content):
                    await self.judge(message_id, by, content)
                case ChatEdited() | Resynced():
                    # Or the connection was lost for long: what was said is in the snapshot.
                    await self.read_back()

    async def read_back(self) -> None:
        """Look at the last messages once more."""
        for said in list(self.room.snapshot.chat):
            await self.judge(said.message_id, said.by, said.content)

    async def judge(self, message_id: str, by: Person, content: str) -> None:
        """Act on a message that uses a word of the list."""
        if found := self.words.intersection(re.findall(r"\w+", content.casefold())):
            reason = f"Not used here: {min(found)}"[:300]
            await self.do(ChatDelete(message_id=message_id))
            await self.do(MemberMute(user_id=by.user_id, duration_ms=MUTED_FOR_MS, reason=reason))

    async def do(self, command: ClientCommand) -> None:
        """What the room does not let it do, it leaves."""
        try:
            await self.room.do(command)
        except Rejected as refusal:
            needed = "; make me a moderator" if refusal.code is ErrorCode.NOT_ALLOWED else ""
            print(f"{refusal}{needed}", flush=True)


async def main(url: str, room_id: str, username: str, *words: str) -> None:
    """Sign in and read along."""
    login = await sign_in(url, username, os.environ["PASSWORD"])
    async with connect(url, token=login) as me:
        room = await me.join(room_id)
        print("in", room.snapshot.room.name, flush=True)
        await Moderator(room, {word.casefold() for word in words}).run()


if __name__ == "__main__":
    url, room_id, username, words_file = sys.argv[1:]
    words = Path(words_file).read_text("utf-8").split()
    asyncio.run(main(url, room_id, username, *words))
