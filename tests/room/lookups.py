"""What a home knows beside the room, and tells it with a command."""

from msgspec.structs import replace

from protocol.catalog import RoomCommand, RoomEvent
from protocol.chat import (
    ChatDelete,
    ChatDeleted,
    ChatEdit,
    ChatEdited,
    ChatMessage,
    ChatSend,
    ChatSent,
    find,
)
from protocol.ids import MessageId, UserId
from protocol.members import MemberSetRole
from protocol.moderation import (
    MemberBan,
    MemberBanned,
    MemberKick,
    MemberKicked,
    MemberMute,
    MemberUnmute,
)
from protocol.owner import OwnerSucceed, OwnerTransfer
from protocol.queue import QueueShuffle
from protocol.rooms import RoomUpdate
from protocol.snapshot import Snapshot
from protocol.tracks import Track
from protocol.users import Person
from protocol.votes import VotesCount, VotesRetract, VotesSkip
from roomserver.room.context import Context
from roomserver.room.room import Room
from tests.room.people import ANN, BOB, DAN, EVE, ROB, uid

NAMING = (MemberSetRole, MemberKick, MemberMute, MemberUnmute, MemberBan, OwnerTransfer)
"""Commands that name somebody."""
COUNTING = (VotesRetract, VotesSkip, VotesCount)
"""Commands that count who is here."""
RECOUNTING = (MemberKick, MemberMute, MemberUnmute, MemberBan, RoomUpdate)
"""Commands that change who is counted, or how many are enough, if an open vote counts."""


def somebody(number: int) -> Person:
    """One of the many who are here, when it does not matter who."""
    known = (ANN, BOB, EVE, DAN)
    if number < len(known):
        return known[number]
    return Person(user_id=uid(0x50_0000 + number), display_name=f"Fan {number}")


class Lookups:
    """Accounts, presence, addresses and old messages, as far as a room is told of them."""

    def __init__(self) -> None:
        self.here: set[Person] = set()
        self.accounts: dict[UserId, Person] = {
            person.user_id: person for person in (ANN, BOB, EVE, DAN, ROB)
        }
        self.addresses: dict[UserId, tuple[str, ...]] = {}
        """Digests, where somebody has others than the one that `digests` makes up."""
        self.seed = 1
        self._said: dict[MessageId, ChatMessage] = {}

    @property
    def present(self) -> int:
        """How many people are here, without bots."""
        return sum(person.kind != "bot" for person in self.here)

    def digests(self, person: Person) -> tuple[str, ...]:
        """Of the addresses that somebody is connected from."""
        if person not in self.here:
            return ()
        return self.addresses.get(person.user_id, (f"address of {person.display_name}",))

    def context(
        self,
        room: Room,
        actor: Person,
        command: RoomCommand | None,
        now_ms: int,
        lead_ms: int,
        track: Track | None,
    ) -> Context:
        """With what costs something to find out only where the command needs it."""
        public = room.public
        target = None
        addresses: tuple[str, ...] = ()
        if isinstance(command, NAMING):
            target = self.accounts.get(command.user_id)
            if isinstance(command, MemberBan) and command.by_address and target is not None:
                addresses = self.digests(target)
        elif isinstance(command, OwnerSucceed) and command.reason == "account_deleted":
            target = self._longest_serving(room)
        is_counted = isinstance(command, COUNTING) or (
            public.playback.skip is not None and isinstance(command, RECOUNTING)
        )
        people = {person.user_id for person in self.here if person.kind != "bot"}
        if isinstance(command, MemberKick | MemberBan):
            people.discard(command.user_id)
        return Context(
            actor,
            now_ms,
            lead_ms,
            self.present,
            track,
            seed=self.seed if isinstance(command, QueueShuffle) else 0,
            here=frozenset(people) if is_counted else frozenset(),
            target=target,
            addresses=addresses,
            message=self._older(public, command),
        )

    def follow(self, event: RoomEvent) -> None:
        """Take the next event: what was said is kept, who is put out is here no more."""
        match event:
            case ChatSent():
                self._said[event.message_id] = ChatMessage(
                    message_id=event.message_id,
                    by=event.by,
                    content=event.content,
                    at_ms=event.at_ms,
                    mentions=event.mentions,
                )
            case ChatEdited():
                self._change(event.message_id, content=event.content, mentions=event.mentions)
            case ChatDeleted():
                self._change(event.message_id, content="", mentions=[], deleted=True)
            case MemberKicked() | MemberBanned():
                self.here = {p for p in self.here if p.user_id != event.person.user_id}

    def _longest_serving(self, room: Room) -> Person | None:
        line = sorted((since, user_id) for user_id, since in room.private.members.items())
        members = (self.accounts.get(user_id) for _, user_id in line)
        owner_id = room.public.room.owner_id
        people = (m for m in members if m is not None and m.kind == "person")
        return next((m for m in people if m.user_id != owner_id), None)

    def _older(self, public: Snapshot, command: RoomCommand | None) -> ChatMessage | None:
        """The message that the command names, where the snapshot no longer holds it."""
        match command:
            case ChatSend(reply_to=str() as message_id):
                pass
            case ChatEdit(message_id=message_id) | ChatDelete(message_id=message_id):
                pass
            case _:
                return None
        return None if find(public.chat, message_id) is not None else self._said.get(message_id)

    def _change(self, message_id: MessageId, **changes: object) -> None:
        self._said[message_id] = replace(self._said[message_id], **changes)
