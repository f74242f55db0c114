"""What a bot can be asked for in the chat of a room, and what it does then.

    slash = Slash()

    @slash.command("skip", "Start the next track")
    async def skip(call: SlashCall) -> None:
        await call.room.next()

    await slash.serve(room)

Only bots (users of kind `bot`: see docs/bots.md) can register commands.
"""

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, NamedTuple

from protocol.bot_room import Room
from protocol.chat import ChatSent
from protocol.client_room import News, Resynced
from protocol.errors import Rejected
from protocol.frames import Ack
from protocol.ids import MessageId
from protocol.slash import SlashOffer, SlashRegister
from protocol.users import Person

_SAID: Final = re.compile(r"/([a-z0-9-]{1,32})(?:\s+(.*))?", re.DOTALL)


class SlashCall(NamedTuple):
    """Somebody asks for something."""

    room: Room
    by: Person
    name: str
    text: str
    """All that is written behind the name, without the blanks around it."""
    message_id: MessageId

    @property
    def args(self) -> list[str]:
        """The words of `text`."""
        return self.text.split()

    async def reply(self, content: str) -> Ack:
        """Answer the message. Raises Rejected, Closed."""
        return await self.room.chat(content, reply_to=self.message_id)


Handler = Callable[[SlashCall], Awaitable[None]]


class Slash:
    """The commands of one bot, the same in each room that it serves."""

    def __init__(self) -> None:
        self._offers: list[SlashOffer] = []
        self._handlers: dict[str, Handler] = {}

    def command(
        self, name: str, description: str, *, hint: str = ""
    ) -> Callable[[Handler], Handler]:
        """Add a command: `/name` calls what this decorates.

        `name` is 1 to 32 of a-z, 0-9 and `-`; `description` up to 100 characters for people, `hint`
        up to 60 that say what may stand behind the name. Where a handler raises Rejected, because
        the room refused something, whoever asked is told so.
        """

        def added(handler: Handler) -> Handler:
            if name in self._handlers:
                raise ValueError(f"/{name} is there already")
            self._offers.append(SlashOffer(name=name, description=description, hint=hint))
            self._handlers[name] = handler
            return handler

        return added

    async def register(self, room: Room) -> Ack:
        """Offer the commands in a room, instead of what this bot has offered there before.

        Raises Rejected: `name_taken` (`details["name"]` says which) where another bot was first.
        """
        return await room.do(SlashRegister(commands=self._offers))

    async def heed(self, room: Room, event: News) -> bool:
        """Do what an event asks for; whether it did. For bots with a loop of their own."""
        match event:
            case ChatSent(by=by, content=content) if by.kind != "bot":
                said = _SAID.fullmatch(content)
                handler = self._handlers.get(said[1]) if said else None
                if said and handler:
                    text = (said[2] or "").strip()
                    await _answer(handler, SlashCall(room, by, said[1], text, event.message_id))
                    return True
            case Resynced(lineage_changed=True):
                # What was registered may be lost with the history that was restored.
                await self.register(room)
        return False

    async def serve(self, room: Room) -> None:
        """Register, and do what people ask for until the room is left. Raises as `Events` does."""
        # From here on nothing is missed, not even what is said while this registers.
        events = room.events()
        await self.register(room)
        async for event in events:
            await self.heed(room, event)


async def _answer(handler: Handler, call: SlashCall) -> None:
    try:
        await handler(call)
    except Rejected as refusal:
        # The bot may not be allowed to speak either.
        with suppress(Rejected):
            await call.reply(str(refusal))
